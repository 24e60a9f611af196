"""Which Santral processes live, so that the work of a dead one is taken over.

Times are the database's, since the clocks of two machines differ.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from pymongo import ASCENDING
from pymongo.errors import OperationFailure

from inbox.store.client import Database
from inbox.store.guard import guarded

DEAD_AFTER_SECONDS = 8.0
BEAT_SECONDS = 2.0


@guarded
class Processes:
    """The `processes` collection."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._processes = database["processes"]

    async def beat(self, owner: str, session: Mapping[str, Any], workplace: Mapping[str, Any]) -> None:
        """Says that `owner` lives; `session` is that of its transactions, `workplace` what it tells of itself."""
        told = {"session": {"$literal": session}, "workplace": {"$literal": workplace}}
        await self._processes.update_one({"_id": owner}, [{"$set": {"seen_at": "$$NOW", **told}}], upsert=True)

    async def leave(self, owner: str) -> None:
        """Says that `owner` ends, so that its work can be taken over at once."""
        await self._processes.delete_one({"_id": owner})

    async def alive(self) -> list[str]:
        """The processes that have said so and are not buried."""
        return [document["_id"] async for document in self._processes.find({}, {"_id": 1})]

    async def workplaces(self) -> dict[str, dict[str, Any]]:
        """What each living process tells of itself."""
        found = self._processes.find({}, {"workplace": 1}).sort("_id", ASCENDING)
        return {document["_id"]: document["workplace"] async for document in found}

    async def bury(self, *, all_but: str | None = None) -> int:
        """Forgets processes that are silent for `DEAD_AFTER_SECONDS`, or all but one; returns how many.

        Their sessions are ended: a process that died inside a transaction would hold up everybody's for a minute.
        """
        limit = {"$subtract": ["$$NOW", int(DEAD_AFTER_SECONDS * 1000)]}
        silent = {"_id": {"$ne": all_but}} if all_but is not None else {"$expr": {"$lt": ["$seen_at", limit]}}
        buried = 0
        async for document in self._processes.find(silent):
            with contextlib.suppress(OperationFailure):  # where that is not allowed us, its time runs out in a minute
                await self._database.command({"killSessions": [document["session"]]})
            await self._processes.delete_one({"_id": document["_id"], "seen_at": document["seen_at"]})
            buried += 1
        return buried
