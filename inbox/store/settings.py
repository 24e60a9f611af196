"""Small things that must outlive a process: API tokens and signing keys."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from pymongo import DESCENDING
from pymongo.errors import DuplicateKeyError

from inbox.model import Principal, Role, new_id
from inbox.store.client import Database
from inbox.store.guard import guarded

TOKEN_PREFIX = "santral_"  # noqa: S105 (no secret: it lets people and scanners tell what a found token is)
KEY_BYTES = 32


@guarded
class Settings:
    """The `tokens` and `keys` collections."""

    def __init__(self, database: Database) -> None:
        self._tokens = database["tokens"]
        self._keys = database["keys"]

    async def new_token(self, name: str, role: Role, now: datetime) -> str:
        """Makes a token; this is the only time it can be read. With 256 random bits a plain hash keeps it safe."""
        token = TOKEN_PREFIX + secrets.token_urlsafe(32)
        await self._tokens.insert_one(
            {"_id": _hash(token), "agent": new_id(), "name": name, "role": role, "created_at": now}
        )
        return token

    async def principal(self, token: str) -> Principal | None:
        """Whose token that is, or None."""
        document = await self._tokens.find_one({"_id": _hash(token)})
        return Principal(id=document["agent"], name=document["name"], role=document["role"]) if document else None

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


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
