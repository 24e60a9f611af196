"""Which Santral processes live, so that the work of a dead one is taken over, and who holds which lease.

Times are the database's, since the clocks of two machines differ.
"""

from __future__ import annotations

from datetime import UTC, datetime

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from inbox.store.client import Database
from inbox.store.guard import guarded

DEAD_AFTER_SECONDS = 8.0
BEAT_SECONDS = 2.0
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@guarded
class Processes:
    """The `processes` and `leases` collections."""

    def __init__(self, database: Database) -> None:
        self._processes = database["processes"]
        self._leases = database["leases"]

    async def beat(self, owner: str) -> None:
        """Says that `owner` lives."""
        await self._processes.update_one({"_id": owner}, [{"$set": {"seen_at": "$$NOW"}}], upsert=True)

    async def leave(self, owner: str) -> None:
        """Says that `owner` ends, so that its work can be taken over at once."""
        await self._processes.delete_one({"_id": owner})

    async def alive(self) -> list[str]:
        """The processes that have shown themselves within `DEAD_AFTER_SECONDS`."""
        fresh = {"$expr": {"$gt": ["$seen_at", {"$subtract": ["$$NOW", int(DEAD_AFTER_SECONDS * 1000)]}]}}
        return [document["_id"] async for document in self._processes.find(fresh, {"_id": 1})]

    async def acquire(self, lease: str, owner: str) -> int | None:
        """Takes or renews a lease; returns its fencing token, or None while another holds it.

        The token grows with each change of owner.
        """
        free = {"$lt": ["$until", "$$NOW"]}
        mine = {"$eq": ["$owner", owner]}
        try:
            document = await self._leases.find_one_and_update(
                {"_id": lease, "$expr": {"$or": [mine, free]}},
                [
                    {
                        "$set": {
                            "token": {"$cond": [mine, "$token", {"$add": [{"$ifNull": ["$token", 0]}, 1]}]},
                            "owner": owner,
                            "until": {"$add": ["$$NOW", int(DEAD_AFTER_SECONDS * 1000)]},
                        }
                    }
                ],
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        except DuplicateKeyError:  # it exists, and is another's
            return None
        return int(document["token"]) if document else None

    async def release(self, lease: str, owner: str) -> None:
        """Gives a lease back."""
        await self._leases.update_one({"_id": lease, "owner": owner}, {"$set": {"until": LONG_AGO}})
