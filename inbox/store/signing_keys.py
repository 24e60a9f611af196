"""The keys that channels sign with, and whose tokens are revoked before their time."""

from __future__ import annotations

import secrets
from datetime import datetime

from pymongo import DESCENDING
from pymongo.errors import DuplicateKeyError

from inbox.model import scoped
from inbox.store.client import Database
from inbox.store.guard import guarded

KEY_BYTES = 32


@guarded
class SigningKeys:
    """The `keys` and `revoked` collections."""

    def __init__(self, database: Database) -> None:
        self._keys = database["keys"]
        self._revoked = database["revoked"]

    async def signing_key(self, channel: str, now: datetime) -> tuple[str, bytes]:
        """The channel's newest key and its `kid`; made when there is none. Two processes make the same one."""
        document = await self._keys.find_one({"channel": channel}, sort=[("created_at", DESCENDING)])
        if document is None:
            document = {
                "_id": f"{channel}:1",
                "channel": channel,
                "key": secrets.token_bytes(KEY_BYTES),
                "created_at": now,
            }
            try:
                await self._keys.insert_one(document)
            except DuplicateKeyError:
                return await self.signing_key(channel, now)
        return document["_id"], document["key"]

    async def key(self, channel: str, kid: str) -> bytes | None:
        """A key of the channel by its `kid`, or None."""
        document = await self._keys.find_one({"_id": kid, "channel": channel})
        return document["key"] if document else None

    async def revoke(self, channel: str, subject: str, until: datetime) -> None:
        """Revokes what the channel signed for `subject`; forgotten after `until`."""
        await self._revoked.update_one({"_id": scoped(channel, subject)}, {"$max": {"until": until}}, upsert=True)

    async def is_revoked(self, channel: str, subject: str) -> bool:
        """Whether it is."""
        return await self._revoked.find_one({"_id": scoped(channel, subject)}, {"_id": 1}) is not None
