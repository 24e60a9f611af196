"""The keys that channels sign with."""

from __future__ import annotations

import secrets
from datetime import datetime

from pymongo import DESCENDING
from pymongo.errors import DuplicateKeyError

from inbox.store.client import Database
from inbox.store.guard import guarded

KEY_BYTES = 32


@guarded
class SigningKeys:
    """The `keys` collection."""

    def __init__(self, database: Database) -> None:
        self._keys = database["keys"]

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
