"""What a rate leaves, shared by all processes, by the database's clock: of a platform's patience, and of our own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from pymongo import ReturnDocument
from pymongo.write_concern import WriteConcern

from inbox.store.client import Database
from inbox.store.guard import guarded


@guarded
class Budgets:
    """The `budgets` collection: for each rate, when the pieces of its window were taken, or until when it owes."""

    def __init__(self, database: Database) -> None:
        # A budget that a crash forgets costs a platform's complaint, and that is not worth a flush a piece.
        self._budgets = database["budgets"].with_options(write_concern=WriteConcern(w=1))

    async def take(self, key: str, count: int, seconds: float) -> float:
        """Takes one of `count` pieces in any `seconds`; returns 0, or after how many seconds to ask again."""
        began = {"$subtract": ["$$NOW", int(seconds * 1000)]}
        times = {"input": {"$ifNull": ["$times", []]}, "cond": {"$gt": ["$$this", began]}}
        fits = {"$lt": [{"$size": "$times"}, count]}
        document = await self._budgets.find_one_and_update(
            {"_id": key},
            [
                {"$set": {"at": "$$NOW", "times": {"$filter": times}}},
                {"$set": {"taken": fits, "wait": {"$subtract": [{"$first": "$times"}, began]}}},
                {"$set": {"times": {"$cond": ["$taken", {"$concatArrays": ["$times", ["$$NOW"]]}, "$times"]}}},
            ],
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        assert document is not None  # an upsert that returns the document after it
        return 0.0 if document["taken"] else max(document["wait"], 1) / 1000

    async def give_back(self, key: str) -> None:
        """Takes back the last piece that was taken."""
        await self._budgets.update_one({"_id": key}, {"$pop": {"times": 1}})

    async def owe(self, spent: Mapping[str, float]) -> dict[str, float]:
        """Adds seconds to what each key owes; returns after how many it owes nothing any more."""
        return dict(zip(spent, await asyncio.gather(*map(self._owe, spent, spent.values())), strict=True))

    async def _owe(self, key: str, seconds: float) -> float:
        since = {"$max": [{"$ifNull": ["$until", "$$NOW"]}, "$$NOW"]}
        document = await self._budgets.find_one_and_update(
            {"_id": key},
            [
                {"$set": {"at": "$$NOW", "until": {"$add": [since, seconds * 1000]}}},
                {"$set": {"owed": {"$subtract": ["$until", "$$NOW"]}}},
            ],
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        assert document is not None  # an upsert that returns the document after it
        return float(document["owed"]) / 1000
