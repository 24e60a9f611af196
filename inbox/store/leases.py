"""Who holds which lease, and how far its holder has read.

Times are the database's, since the clocks of two machines differ.
"""

from __future__ import annotations

from pymongo import ReturnDocument

from inbox.store.client import Database
from inbox.store.guard import guarded
from inbox.store.indexes import LONG_AGO

LEASE_SECONDS = 8.0


@guarded
class Leases:
    """The `leases` collection."""

    def __init__(self, database: Database) -> None:
        self._leases = database["leases"]

    async def acquire(self, lease: str, owner: str) -> int | None:
        """Takes or renews a lease; returns its fencing token, or None while another holds it.

        The token grows with each change of owner.
        """
        mine = {"$eq": ["$owner", {"$literal": owner}]}
        free = {"$lt": ["$until", "$$NOW"]}  # also where there was none yet
        taken = {"$not": [{"$or": [mine, free]}]}
        token = {"$cond": [{"$or": [mine, taken]}, "$token", {"$add": [{"$ifNull": ["$token", 0]}, 1]}]}
        until = {"$add": ["$$NOW", int(LEASE_SECONDS * 1000)]}
        document = await self._leases.find_one_and_update(
            {"_id": lease},
            [
                {
                    "$set": {
                        "token": token,
                        "owner": {"$cond": [taken, "$owner", {"$literal": owner}]},
                        "until": {"$cond": [taken, "$until", until]},
                    }
                }
            ],
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        assert document is not None  # an upsert that returns the document after it
        return int(document["token"]) if document["owner"] == owner else None

    async def release(self, lease: str, owner: str) -> None:
        """Gives a lease back. Nobody owns it then, so that the same owner's next hold has a token of its own."""
        await self._leases.update_one({"_id": lease, "owner": owner}, {"$set": {"until": LONG_AGO, "owner": None}})

    async def load_cursor(self, lease: str) -> bytes | None:
        """How far the holders of a lease have read."""
        document = await self._leases.find_one({"_id": lease}, {"cursor": 1})
        return document.get("cursor") if document else None

    async def save_cursor(self, lease: str, token: int, cursor: bytes) -> bool:
        """Keeps how far a lease's holder has read; False where another has taken the lease since."""
        result = await self._leases.update_one({"_id": lease, "token": token}, {"$set": {"cursor": cursor}})
        return result.matched_count == 1
