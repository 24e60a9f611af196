"""Where a person is in the database, and how they go from it.

The messages, conversations, customers and identities themselves go through `Unit`, with the events that tell of it.
What is here is what hangs on them: originals, files, what waits, what was told.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime

from gridfs.asynchronous import AsyncGridFSBucket
from msgspec import Struct
from pymongo import ASCENDING

from inbox.model import Conversation, CustomerNote, scoped
from inbox.store.client import Database, Document
from inbox.store.documents import from_document
from inbox.store.guard import guarded
from normalizer.schema import Message

AT_ONCE = 500


class Journaled(Struct, frozen=True):
    """A journal entry, and the id under which a large original of it is kept."""

    id: str
    message_id: str


@guarded
class PersonalData:
    """Looks for a person in every collection, and takes what is theirs out of it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._files = AsyncGridFSBucket(database, bucket_name="files")
        self._originals = AsyncGridFSBucket(database, bucket_name="originals")

    async def conversations(self, customer_ids: Collection[str]) -> list[Conversation]:
        """Their conversations, also those that were joined to others."""
        found = self._database["conversations"].find({"customer_id": {"$in": list(customer_ids)}})
        return [from_document(document, Conversation) async for document in found]

    async def messages(self, conversation_ids: Collection[str]) -> AsyncIterator[Message]:
        """All messages of these conversations, conversation by conversation, in order."""
        for conversation_id in conversation_ids:
            found = self._database["messages"].find({"conversation_id": conversation_id}).sort("seq", 1)
            async for document in found:
                yield from_document(document, Message)

    async def elsewhere(self, customer_ids: Collection[str], but: Collection[str]) -> list[Message]:
        """What they wrote in the conversations of others than `but`."""
        query: Document = {"customer_id": {"$in": list(customer_ids)}, "conversation_id": {"$nin": list(but)}}
        return [from_document(document, Message) async for document in self._database["messages"].find(query)]

    async def naming(self, words: Sequence[str], but: Collection[str]) -> list[Message]:
        """Messages outside the conversations `but` that have one of these words in them. Reads every message."""
        if not words:
            return []
        pattern = re.compile("|".join(map(re.escape, words)), re.IGNORECASE)
        texts = ["text", "html", "quoted", "subject", "delivery.recipients.address", "author.name"]
        query: Document = {
            "conversation_id": {"$nin": list(but)},
            "$or": [*({field: pattern} for field in texts), {"$expr": _some_value(pattern)}],
        }
        return [from_document(document, Message) async for document in self._database["messages"].find(query)]

    async def notes(self, customer_ids: Collection[str]) -> list[CustomerNote]:
        """All notes about these customers, oldest first."""
        query = {"customer_id": {"$in": list(customer_ids)}}
        found = self._database["customer_notes"].find(query).sort("_id", ASCENDING)
        return [from_document(document, CustomerNote) async for document in found]

    async def notes_naming(self, words: Sequence[str]) -> list[CustomerNote]:
        """Notes that have one of these words in them. Reads every note."""
        if not words:
            return []
        pattern = re.compile("|".join(map(re.escape, words)), re.IGNORECASE)
        found = self._database["customer_notes"].find({"text": pattern})
        return [from_document(document, CustomerNote) async for document in found]

    async def journaled(self, entry_ids: Collection[str], values: Sequence[str]) -> list[Journaled]:
        """Journal entries by id, and those that were sent from one of these addresses. Reads the whole journal."""
        channels = await self._database["journal"].distinct("channel")
        senders = [scoped(channel, value) for channel in channels for value in values]
        query: Document = {"$or": [{"_id": {"$in": list(entry_ids)}}, {"sender": {"$in": senders}}]}
        found = self._database["journal"].find(query, {"message_id": 1})
        return [Journaled(document["_id"], document["message_id"]) async for document in found]

    async def drop_originals(self, entries: Sequence[Journaled]) -> None:
        """Deletes journal entries with their originals."""
        for begin in range(0, len(entries), AT_ONCE):
            some = entries[begin : begin + AT_ONCE]
            await _delete_files(self._originals, {"_id": {"$in": [entry.message_id for entry in some]}})
            await self._database["journal"].delete_many({"_id": {"$in": [entry.id for entry in some]}})

    async def drop_files(self, attachment_ids: Collection[str]) -> None:
        """Deletes the bytes of files."""
        ids = list(attachment_ids)
        for begin in range(0, len(ids), AT_ONCE):
            some = ids[begin : begin + AT_ONCE]
            await _delete_files(self._files, {"$or": [{"filename": {"$in": some}}, {"_id": {"$in": some}}]})
            await self._database["uploads"].delete_many({"_id": {"$in": some}})

    async def drop_traces(
        self, *, conversation_ids: Sequence[str], message_ids: Sequence[str], waiting: Sequence[str]
    ) -> None:
        """Deletes what hangs on conversations: replies on their way, jobs, drafts, keys, and what was told of them."""
        inside, of_messages = {"$in": list(conversation_ids)}, {"$in": list(message_ids)}
        for collection in ("outbox", "follow_ups", "drafts", "thread_keys", "events", "webhook_deliveries"):
            await self._database[collection].delete_many({"conversation_id": inside})
        for collection in ("jobs", "uniques"):
            await self._database[collection].delete_many({"message_id": of_messages})
        await self._database["waiting_changes"].delete_many({"_id": {"$in": list(waiting)}})

    async def drop_told(self, conversation_ids: Collection[str]) -> None:
        """Deletes what was told of conversations."""
        for collection in ("events", "webhook_deliveries"):
            await self._database[collection].delete_many({"conversation_id": {"$in": list(conversation_ids)}})

    async def drop_traces_of_people(self, customer_ids: Sequence[str], identity_ids: Sequence[str]) -> None:
        """Deletes what hangs on customers: questions about them, and what was told of them."""
        await self._database["jobs"].delete_many({"identity_id": {"$in": list(identity_ids)}})
        await self._database["events"].delete_many({"data.customer.id": {"$in": list(customer_ids)}})
        await self._database["webhook_deliveries"].delete_many({"customer_id": {"$in": list(customer_ids)}})

    async def resolved_before(self, moment: datetime, limit: int) -> list[Conversation]:
        """Conversations that were resolved and in which nothing has happened since."""
        query = {"status": "resolved", "updated_at": {"$lt": moment}}
        found = self._database["conversations"].find(query).sort("updated_at", ASCENDING).limit(limit)
        return [from_document(document, Conversation) async for document in found]

    async def expire_originals(self, after: datetime, before: datetime) -> int:
        """Deletes the originals of events that came between these times and were applied; returns how many.

        The entries stay: by them an event that comes again is known.
        """
        # Made here and not with the others: whoever keeps originals for good shall not pay for it with each event.
        await self._database["journal"].create_index(
            [("received_at", ASCENDING)], name="applied", partialFilterExpression={"state": "applied"}
        )
        query = {"state": "applied", "received_at": {"$gte": after, "$lt": before}}
        expired = 0
        async for entry in self._database["journal"].find(query, {"message_id": 1}):
            await _delete_files(self._originals, {"_id": entry["message_id"]})
            await self._database["journal"].update_one({"_id": entry["_id"]}, {"$set": {"body": None, "envelope": {}}})
            expired += 1
        return expired

    async def with_files(self, after: str, before: str, limit: int) -> list[tuple[str, str]]:
        """Attachments whose ids lie between these, in their order, each with the id of its message."""
        pipeline: list[Document] = [
            {"$match": {"attachments.id": {"$gt": after, "$lt": before}}},
            {"$unwind": "$attachments"},
            {"$match": {"attachments.id": {"$gt": after, "$lt": before}}},
            {"$sort": {"attachments.id": 1}},
            {"$limit": limit},
            {"$project": {"attachment": "$attachments.id"}},
        ]
        found = await self._database["messages"].aggregate(pipeline, hint="attachment")
        return [(document["attachment"], document["_id"]) async for document in found]

    async def forget_audit(self, before: datetime) -> None:
        """Deletes entries of the audit log."""
        await self._database["audit"].delete_many({"at": {"$lt": before}})

    async def done_until(self, kind: str) -> str | None:
        """How far retention of that kind has come."""
        document = await self._database["meta"].find_one({"_id": "retention"})
        return document.get(kind) if document else None

    async def save_done(self, kind: str, until: str) -> None:
        """Keeps how far retention of that kind has come."""
        await self._database["meta"].update_one({"_id": "retention"}, {"$set": {kind: until}}, upsert=True)


async def _delete_files(bucket: AsyncGridFSBucket, query: Document) -> None:
    async for file in bucket.find(query):
        await bucket.delete(file._id)  # noqa: SLF001 (its only name)


def _some_value(pattern: re.Pattern[str]) -> Document:
    """Whether a value of `channel_data` is a text, or a list of texts, with a match."""
    told = {"$reduce": {"input": {"$objectToArray": "$channel_data"}, "initialValue": "", "in": _with("$$this.v")}}
    return {"$regexMatch": {"input": told, "regex": pattern.pattern, "options": "i"}}


def _with(value: str) -> Document:
    """The text so far, and a value behind it: itself where it is a text, its texts where it is a list."""
    texts: Document = {"$filter": {"input": value, "as": "one", "cond": {"$eq": [{"$type": "$$one"}, "string"]}}}
    listed = {"$reduce": {"input": texts, "initialValue": "", "in": {"$concat": ["$$value", " ", "$$this"]}}}
    of_text = {"case": {"$eq": [{"$type": value}, "string"]}, "then": value}
    of_list = {"case": {"$isArray": [value]}, "then": listed}
    text: Document = {"$switch": {"branches": [of_text, of_list], "default": ""}}
    return {"$concat": ["$$value", " ", text]}
