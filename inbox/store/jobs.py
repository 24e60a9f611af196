"""Finding what is to be asked of platforms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pymongo import ASCENDING

from inbox.model import Job
from inbox.store.client import Database
from inbox.store.documents import from_document
from inbox.store.guard import guarded


@guarded
class Jobs:
    """The `jobs` collection, read only: it is changed through `Unit`, with what it is about."""

    def __init__(self, database: Database) -> None:
        self._jobs = database["jobs"]

    async def ready(self, now: datetime, limit: int) -> list[Job]:
        """Those that are queued and due, the longest due first."""
        found = self._jobs.find({"state": "queued", "due_at": {"$lte": now}}).sort("due_at", ASCENDING).limit(limit)
        return [from_document(document, Job) async for document in found]

    async def abandoned(self, alive: Sequence[str]) -> list[Job]:
        """Those in the hands of processes that are gone."""
        found = self._jobs.find({"state": "claimed", "owner": {"$nin": list(alive)}})
        return [from_document(document, Job) async for document in found]
