"""What the API reads: pages of conversations, messages and customers.

Pages go on from a `Place`, the sort key and id of the last item shown, never from a number of items to skip: what comes
in between neither repeats an item nor hides one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Generic, Literal, NamedTuple, TypeVar

import pymongo
from msgspec import Struct
from pymongo import ASCENDING, DESCENDING
from pymongo.asynchronous.cursor import AsyncCursor
from pymongo.errors import PyMongoError

from inbox.model import Conversation, Customer, Identity, Principal
from inbox.sight import sees_all
from inbox.store.client import Database, Document
from inbox.store.documents import from_document
from inbox.store.guard import guarded
from inbox.store.indexes import LONG_AGO
from inbox.store.journal import JournalEntry
from normalizer.schema import Message

Sort = Literal["-updated_at", "updated_at", "-created_at", "waiting"]
SORTS: Mapping[Sort, tuple[str, int]] = {
    "-updated_at": ("updated_at", DESCENDING),
    "updated_at": ("updated_at", ASCENDING),
    "-created_at": ("created_at", DESCENDING),
    "waiting": ("waiting_since", ASCENDING),
}

PING_SECONDS = 3.0

T = TypeVar("T")


class Place(NamedTuple):
    """Where a page ended: its last item's sort key (None where that is the id) and id."""

    at: datetime | None
    id: str


class Slice(Struct, Generic[T], frozen=True):
    """Some items, and where to go on; `end` is None where nothing follows."""

    items: list[T]
    end: Place | None


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

    async def conversations(
        self,
        matching: Mapping[str, str | None],
        *,
        reader: Principal,
        sort: Sort,
        after: Place | None,
        limit: int,
    ) -> Slice[Conversation]:
        """A page of the inbox: no conversation that was joined to another, and under `waiting` only those that wait.

        Args:
            reader: who sees them.
            matching: fields of `Conversation` and what they are or hold; None asks nothing.
            sort: the order.
            after: where the page before ended.
            limit: how many at the most.
        """
        field, order = SORTS[sort]
        query: Document = {name: value for name, value in matching.items() if value is not None}
        query |= {"merged_into": None, **_seen_by(reader)}
        if field == "waiting_since":
            query[field] = {"$gt": LONG_AGO}
        found = self._database["conversations"].find(_after(query, field, order, after))
        found = found.sort([(field, order), ("_id", order)])
        return await _slice(found, Conversation, limit, lambda item: Place(getattr(item, field), item.id))

    async def asleep_until(self, moment: datetime, limit: int) -> list[str]:
        """Ids of conversations that are snoozed until then or earlier, the earliest first."""
        query: Document = {"snoozed_until": {"$gt": LONG_AGO, "$lte": moment}, "status": "snoozed"}
        found = self._database["conversations"].find(query, {"_id": 1}, hint="snoozed")
        return [document["_id"] async for document in found.sort("snoozed_until", ASCENDING).limit(limit)]

    async def customer(self, customer_id: str) -> Customer | None:
        """One customer, or None."""
        document = await self._database["customers"].find_one({"_id": customer_id})
        return from_document(document, Customer) if document else None

    async def customers_by_id(self, customer_ids: Collection[str]) -> dict[str, Customer]:
        """Those of these customers that exist."""
        found = self._database["customers"].find({"_id": {"$in": list(customer_ids)}})
        customers = [from_document(document, Customer) async for document in found]
        return {customer.id: customer for customer in customers}

    async def customers(self, *, after: Place | None, limit: int) -> Slice[Customer]:
        """A page of customers, the last changed first."""
        found = self._database["customers"].find(_after({}, "updated_at", DESCENDING, after))
        found = found.sort([("updated_at", DESCENDING), ("_id", DESCENDING)])
        return await _slice(found, Customer, limit, lambda item: Place(item.updated_at, item.id))

    async def identity(self, identity_id: str) -> Identity | None:
        """One identity, or None."""
        document = await self._database["identities"].find_one({"_id": identity_id})
        return from_document(document, Identity) if document else None

    async def identities(self, customer_ids: list[str]) -> list[Identity]:
        """The identities of these customers, oldest first."""
        found = self._database["identities"].find({"customer_id": {"$in": customer_ids}}).sort("created_at", ASCENDING)
        return [from_document(document, Identity) async for document in found]

    async def seen(self, reader: Principal, conversation_ids: Collection[str]) -> set[str]:
        """Those of these conversations that `reader` sees."""
        if sees_all(reader):
            return set(conversation_ids)
        query = {"_id": {"$in": list(conversation_ids)}, **_seen_by(reader)}
        return {document["_id"] async for document in self._database["conversations"].find(query, {"_id": 1})}

    async def timeline(self, customer_id: str, *, reader: Principal, after: Place | None, limit: int) -> Slice[Message]:
        """A page of what a customer's conversations hold on every channel, oldest first, as far as `reader` sees it."""
        shown: list[Message] = []
        while len(shown) <= limit:
            query: Document = {"customer_id": customer_id}
            if after is not None:
                query["_id"] = {"$gt": after.id}
            found = self._database["messages"].find(query).sort("_id", ASCENDING)
            read = await _slice(found, Message, limit + 1, lambda item: Place(None, item.id))
            seen = await self.seen(reader, {message.conversation_id for message in read.items})
            shown += [message for message in read.items if message.conversation_id in seen]
            if read.end is None:
                break
            after = read.end
        items = shown[:limit]
        more = len(shown) > limit
        return Slice(items, Place(None, items[-1].id) if more else None)

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
            _after({"state": "failed"}, "received_at", DESCENDING, after), {"body": 0}
        )
        found = found.sort([("received_at", DESCENDING), ("_id", DESCENDING)])
        return await _slice(found, JournalEntry, limit, lambda item: Place(item.received_at, item.id))

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


def _seen_by(reader: Principal) -> Document:
    """The conversations that exist for `reader`: what `inbox.sight.sees` says, as a query."""
    if sees_all(reader):
        return {}
    return {"$and": [{"$or": [{"team": {"$in": [None, *reader.teams]}}, {"assignee": reader.id}]}]}


def _mark(reader: str, conversation_id: str) -> str:
    return f"{reader}|{conversation_id}"


def _after(query: Document, field: str, order: int, place: Place | None) -> Document:
    """`query`, beyond `place`. The bound on `field` lets the index begin there; the rest settles equal times."""
    if place is None:
        return query
    sign = "$gt" if order == ASCENDING else "$lt"
    beyond: Document = {
        field: {f"{sign}e": place.at},
        "$or": [{field: {sign: place.at}}, {"_id": {sign: place.id}}],
    }
    return {**query, **beyond}


async def _slice(found: AsyncCursor[Document], kind: type[T], limit: int, place: Callable[[T], Place]) -> Slice[T]:
    items: list[T] = [_item(document, kind) async for document in found.limit(limit + 1)]
    more, items = len(items) > limit, items[:limit]
    return Slice(items, place(items[-1]) if more else None)


def _item(document: Document, kind: type[Any]) -> Any:  # noqa: ANN401 (of that kind)
    if kind is JournalEntry:
        document.setdefault("body", None)
    return from_document(document, kind)
