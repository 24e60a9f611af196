"""What the API reads: conversations, their messages, and what failed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import pymongo
from pymongo import ASCENDING, DESCENDING
from pymongo.errors import PyMongoError

from inbox.filters import Filter, Sort
from inbox.model import Conversation
from inbox.staff import Principal
from inbox.store.client import Database, Document
from inbox.store.documents import from_document
from inbox.store.filters import as_query
from inbox.store.guard import guarded
from inbox.store.indexes import LONG_AGO
from inbox.store.journal import JournalEntry
from inbox.store.paging import Place, Slice, beyond, slice_of
from inbox.store.seen import seen, seen_by
from normalizer.schema import Message

SORTS: Mapping[Sort, tuple[str, int]] = {
    "-updated_at": ("updated_at", DESCENDING),
    "updated_at": ("updated_at", ASCENDING),
    "-created_at": ("created_at", DESCENDING),
    "waiting": ("waiting_since", ASCENDING),
}

PING_SECONDS = 3.0


class Unnamed:
    """Asks for those in which a field names nobody."""


UNNAMED = Unnamed()

Matching = Mapping[str, str | Sequence[str] | Unnamed | None]
"""Fields of `Conversation` and what they are or hold, or one of several; None asks nothing."""


def _asked(value: str | Sequence[str] | Unnamed) -> str | Document | None:
    if isinstance(value, Unnamed):
        return None
    return value if isinstance(value, str) else {"$in": list(value)}


def listed(matching: Matching, reader: Principal, within: Filter | None) -> Document:
    """The conversations like that, and in `within`, that `reader` sees, but those that were joined to others."""
    query: Document = {name: _asked(value) for name, value in matching.items() if value is not None}
    query |= {"merged_into": None, **seen_by(reader)}
    if within is not None:
        query["$and"] = [*query.get("$and", ()), as_query(within)]
    return query


def written_by(conversation_id: str, customer_ids: Sequence[str] | None, channel: str | None) -> Document:
    """What some customers (None: anybody) wrote in a conversation (on `channel`, where one is named)."""
    query: Document = {"conversation_id": conversation_id, "direction": "inbound"}
    if customer_ids is not None:
        query["customer_id"] = {"$in": list(customer_ids)}
    return query if channel is None else query | {"channel": channel}


@guarded
class Queries:
    """Reads over the committed state."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ping(self) -> bool:
        """Whether the database answers now."""
        try:
            with pymongo.timeout(PING_SECONDS):  # one that stands still does not answer either
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

    async def conversation_of(self, thread_key_id: str) -> Conversation | None:
        """The conversation that a thread leads to, or None."""
        key = await self._database["thread_keys"].find_one({"_id": thread_key_id})
        return await self.conversation(key["conversation_id"]) if key else None

    async def thread_keys(self, conversation_id: str) -> list[str]:
        """The ids of the thread keys that lead to a conversation."""
        found = self._database["thread_keys"].find({"conversation_id": conversation_id}, {"_id": 1})
        return [document["_id"] async for document in found]

    async def conversations(
        self,
        matching: Matching,
        *,
        within: Filter | None = None,
        reader: Principal,
        sort: Sort,
        after: Place | None,
        limit: int,
    ) -> Slice[Conversation]:
        """A page of the inbox: no conversation that was joined to another, and under `waiting` only those that wait.

        Args:
            reader: who sees them.
            matching: what they are like.
            within: what must hold beside that; it names nobody as `me`.
            sort: the order.
            after: where the page before ended.
            limit: how many at the most.
        """
        field, order = SORTS[sort]
        query = listed(matching, reader, within)
        if field == "waiting_since":
            query[field] = {"$gt": LONG_AGO}
        found = self._database["conversations"].find(beyond(query, field, order, after))
        found = found.sort([(field, order), ("_id", order)])
        return await slice_of(found, Conversation, limit, lambda item: Place(getattr(item, field), item.id))

    async def last_of(
        self, conversation_id: str, customer_ids: Sequence[str] | None, channel: str | None
    ) -> Message | None:
        """The newest message that one of these (None: anybody) wrote in a conversation (on `channel`, if named)."""
        query = written_by(conversation_id, customer_ids, channel)
        found = self._database["messages"].find(query).sort("seq", DESCENDING).limit(1)
        async for document in found:
            return from_document(document, Message)
        return None

    async def asleep_until(self, moment: datetime, limit: int) -> list[str]:
        """Ids of conversations that are snoozed until then or earlier, the earliest first."""
        query: Document = {"snoozed_until": {"$gt": LONG_AGO, "$lte": moment}, "status": "snoozed"}
        found = self._database["conversations"].find(query, {"_id": 1}, hint="snoozed")
        return [document["_id"] async for document in found.sort("snoozed_until", ASCENDING).limit(limit)]

    async def seen(self, reader: Principal, conversation_ids: Collection[str]) -> set[str]:
        """Those of these conversations that `reader` sees."""
        return await seen(self._database, reader, conversation_ids)

    async def messages(
        self, conversation_id: str, *, after_seq: int | None, before_seq: int | None, limit: int
    ) -> list[Message]:
        """A page of a conversation in order: the first after `after_seq`, else the last before `before_seq`.

        With both, the first of those between.
        """
        between: Document = {}
        if after_seq is not None:
            between["$gt"] = after_seq
        if before_seq is not None:
            between["$lt"] = before_seq
        query: Document = {"conversation_id": conversation_id} | ({"seq": between} if between else {})
        order = ASCENDING if after_seq is not None else DESCENDING
        found = self._database["messages"].find(query).sort("seq", order).limit(limit)
        page = [from_document(document, Message) async for document in found]
        return page if after_seq is not None else page[::-1]

    async def thread(self, channel: str, thread_key: str, limit: int) -> list[Message]:
        """The newest messages of a thread but notes, oldest first."""
        query = {"channel": channel, "external.thread_key": thread_key, "direction": {"$ne": "note"}}
        found = self._database["messages"].find(query).sort("_id", DESCENDING).limit(limit)
        return [from_document(document, Message) async for document in found][::-1]

    async def failed(self, *, after: Place | None, limit: int) -> Slice[JournalEntry]:
        """A page of the journal entries that failed, newest first, without their bodies."""
        found = self._database["journal"].find(
            beyond({"state": "failed"}, "received_at", DESCENDING, after), {"body": 0}
        )
        found = found.sort([("received_at", DESCENDING), ("_id", DESCENDING)])
        return await slice_of(found, JournalEntry, limit, lambda item: Place(item.received_at, item.id))

    async def read_marks(self, reader: str, conversation_ids: Collection[str]) -> dict[str, int]:
        """How many of the customer's messages `reader` has read in each of these conversations."""
        ids = {_mark(reader, conversation_id): conversation_id for conversation_id in conversation_ids}
        found = self._database["reads"].find({"_id": {"$in": list(ids)}})
        return {ids[document["_id"]]: document["inbound"] async for document in found}

    async def mark_read(self, reader: str, conversation_id: str, seq: int) -> None:
        """Says that `reader` has read a conversation up to `seq`. A mark never goes back."""
        inbound = await self._database["messages"].count_documents(
            {
                "conversation_id": conversation_id,
                "seq": {"$lte": seq},
                "direction": "inbound",
                "kind": "message",
                "author.type": "customer",
            }
        )
        await self._database["reads"].update_one(
            {"_id": _mark(reader, conversation_id)}, {"$max": {"inbound": inbound}}, upsert=True
        )


def _mark(reader: str, conversation_id: str) -> str:
    return f"{reader}|{conversation_id}"
