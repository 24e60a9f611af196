"""What the API reads: pages of conversations, messages and customers."""

from __future__ import annotations

from pymongo import ASCENDING, DESCENDING
from pymongo.errors import PyMongoError

from inbox.model import Conversation, Customer, Identity
from inbox.store.client import Database, Document
from inbox.store.documents import from_document
from normalizer.schema import Message


class Queries:
    """Reads over the committed state."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ping(self) -> bool:
        """Whether the database answers now."""
        try:
            await self._database.command("ping")
        except PyMongoError:
            return False
        return True

    async def message(self, message_id: str) -> Message | None:
        """One message, or None."""
        document = await self._database["messages"].find_one({"_id": message_id})
        return from_document(document, Message) if document else None

    async def conversation(self, conversation_id: str) -> Conversation | None:
        """One conversation, or None."""
        document = await self._database["conversations"].find_one({"_id": conversation_id})
        return from_document(document, Conversation) if document else None

    async def customer(self, customer_id: str) -> Customer | None:
        """One customer, or None."""
        document = await self._database["customers"].find_one({"_id": customer_id})
        return from_document(document, Customer) if document else None

    async def identities(self, customer_ids: list[str]) -> list[Identity]:
        """The identities of these customers, oldest first."""
        found = self._database["identities"].find({"customer_id": {"$in": customer_ids}}).sort("created_at", ASCENDING)
        return [from_document(document, Identity) async for document in found]

    async def messages(
        self, conversation_id: str, *, after_seq: int | None, before_seq: int | None, limit: int
    ) -> list[Message]:
        """A page of a conversation in order: the first after `after_seq`, else the last before `before_seq`."""
        query: Document = {"conversation_id": conversation_id}
        if after_seq is not None:
            query["seq"] = {"$gt": after_seq}
        elif before_seq is not None:
            query["seq"] = {"$lt": before_seq}
        order = ASCENDING if after_seq is not None else DESCENDING
        found = self._database["messages"].find(query).sort("seq", order).limit(limit)
        page = [from_document(document, Message) async for document in found]
        return page if after_seq is not None else page[::-1]

    async def thread(self, channel: str, thread_key: str, limit: int) -> list[Message]:
        """The newest messages of a thread but notes, oldest first."""
        query = {"channel": channel, "external.thread_key": thread_key, "direction": {"$ne": "note"}}
        found = self._database["messages"].find(query).sort("_id", DESCENDING).limit(limit)
        return [from_document(document, Message) async for document in found][::-1]
