"""Reading the event log: by position, and live."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime

import msgspec
from pymongo import ASCENDING, DESCENDING
from pymongo.errors import PyMongoError

from inbox.model import Event
from inbox.sight import Listener, ears, sees_all
from inbox.store.client import Database, Document
from inbox.store.documents import from_document, to_document
from inbox.store.errors import StoreUnavailableError
from inbox.store.guard import guarded

POSITIONS = 1 << 20  # events in one transaction, at the most: a position is the transaction's number times this
OWN_EVENTS = 4096  # of our own transactions, kept for a reader that is slow to ask; more are read from the log


Thread = tuple[str, str]
"""A channel and one of its thread keys."""


def transaction_of(position: int) -> int:
    """The number of the transaction that committed the event at `position`."""
    return position // POSITIONS


def end_of(number: int) -> int:
    """The last position that a transaction can have."""
    return (number + 1) * POSITIONS - 1


def thread_of(event: Event) -> Thread | None:
    """The thread that an event is told in, beside all that is told to agents."""
    return None if event.channel is None or event.thread_key is None else (event.channel, event.thread_key)


class News:
    """What one reader of the log is told: which transactions it has not heard of, and the events of our own ones.

    The numbers of transactions have no gaps, so a reader that has seen all before one of ours need not read the log for
    it, which is a roundtrip and the decoding of every event.
    """

    def __init__(self) -> None:
        self.some = asyncio.Event()
        self.heard = 0  # the highest number that was told
        self.unsure = False  # whether there may be more than was told
        self._own: deque[tuple[int, Sequence[Event]]] = deque()
        self._kept = 0

    def tell(self, number: int, events: Sequence[Event] | None) -> None:
        """A transaction was committed; `events` are its events where it was ours."""
        if events is not None and self._kept + len(events) <= OWN_EVENTS:
            self._own.append((number, events))
            self._kept += len(events)
        self.heard = max(self.heard, number)
        self.some.set()

    def doubt(self) -> None:
        """Something may have happened of which nothing was told."""
        self.unsure = True
        self.some.set()

    def take_own(self) -> list[tuple[int, Sequence[Event]]]:
        """Our own transactions since the last call, oldest first."""
        own, self._own, self._kept = list(self._own), deque(), 0
        return own


class Heading(msgspec.Struct, frozen=True):
    """What the log says of a transaction as a whole, so that whoever follows none of its threads need not read it.

    Attributes:
        number: that of the transaction.
        at: when it was committed.
        threads: what its messages are in; None where it was not written down.
    """

    number: int
    at: datetime
    threads: frozenset[Thread] | None


def to_log(events: Sequence[Event]) -> list[Document]:
    """The documents of a transaction's events; the first bears its heading."""
    documents = [to_document(event) for event in events]
    for first in documents[:1]:
        first["threads"] = [list(thread) for thread in set(map(thread_of, events)) if thread is not None]
    return documents


@guarded
class EventLog:
    """The `events` collection. A position is the `id` of an event; 0 is before the first."""

    def __init__(self, database: Database) -> None:
        self._listeners: list[News] = []
        self._events = database["events"]
        self._counters = database["counters"]
        self._client = database.client

    async def newest(self) -> int:
        """The position of the newest event, or 0."""
        async for document in self._events.find({}, {"_id": 1}).sort("_id", DESCENDING).limit(1):
            return int(document["_id"])
        return 0

    async def oldest(self) -> int:
        """The position of the oldest event that is kept, or 0."""
        async for document in self._events.find({}, {"_id": 1}).sort("_id", ASCENDING).limit(1):
            return int(document["_id"])
        return 0

    async def after(
        self,
        position: int,
        limit: int,
        *,
        thread: Thread | None = None,
        listener: Listener | None = None,
        until: int | None = None,
    ) -> list[Event]:
        """Events after a position, in the order of commit.

        Args:
            position: where to go on from.
            limit: how many at the most.
            thread: only messages of this (channel, thread key).
            listener: only what this one wants to hear.
            until: the last position to read.
        """
        query: Document = {"_id": {"$gt": position}}
        if listener is not None:
            query |= _heard_by(listener)
        if until is not None:
            query["_id"]["$lte"] = until
        if thread is not None:
            query |= {"channel": thread[0], "thread_key": thread[1]}
        found = self._events.find(query).sort("_id", ASCENDING).limit(limit)
        if thread is not None:
            found.hint("feed")  # left alone, the planner reads everything after the position
        return [from_document(document, Event) async for document in found]

    async def headings(self, after: int, limit: int) -> tuple[list[Heading], int]:
        """The headings of up to `limit` transactions after the number `after`; one that told nothing has none.

        Returns:
            Them, and the number of the last transaction that this reading covers: a primary that was elected just now
            may not yet show what an earlier one was known to have committed.
        """
        async with self._client.start_session(snapshot=True) as session:
            counter = await self._counters.find_one({"_id": "transactions"}, {"number": 1}, session=session)
            last = min(int(counter["number"]) if counter else 0, after + limit)
            firsts = [number * POSITIONS for number in range(after + 1, last + 1)]
            found = self._events.find({"_id": {"$in": firsts}}, {"at": 1, "threads": 1}, session=session)
            documents = await found.sort("_id", ASCENDING).batch_size(limit).to_list()
        return [_heading(document) for document in documents], last

    async def of_transaction(self, number: int, threads: Collection[Thread] | None) -> list[Event]:
        """The events of a transaction, or those of some threads of it (and maybe more), in order."""
        query: Document = {"_id": {"$gte": number * POSITIONS, "$lte": end_of(number)}}
        if threads is not None:
            query["thread_key"] = {"$in": [key for _, key in threads]}
        found = self._events.find(query, batch_size=POSITIONS).sort("_id", ASCENDING)
        return [from_document(document, Event) for document in await found.to_list()]

    def listen(self) -> News:
        """What happens from now on, of this process's own transactions sooner than the change stream tells."""
        news = News()
        self._listeners.append(news)
        return news

    def committed(self, number: int, events: Sequence[Event]) -> None:
        """Says that this process has committed something."""
        for news in self._listeners:
            news.tell(number, events)

    async def signal(self, signal: Document) -> None:
        """Tells all who read `wakeups` of something that is not kept."""
        await self._counters.update_one({"_id": "signals"}, {"$set": {"signal": signal}}, upsert=True)

    async def wakeups(self) -> AsyncIterator[int | Document | None]:
        """Yields the number of each transaction that was committed, each signal, and None once the stream stands.

        The change stream is only the wake-up: what happened is read by position, so a stream that cannot be resumed
        costs nothing but a new one. It watches the counter that each transaction of the writer begins with, and not
        the events themselves, of which a transaction has hundreds.

        Raises:
            StoreUnavailableError: the stream broke; ask for another.
        """
        number, signal = (f"updateDescription.updatedFields.{field}" for field in ("number", "signal"))
        pipeline: list[Document] = [
            {"$match": {"$or": [{number: {"$exists": True}}, {signal: {"$exists": True}}]}},
            {"$project": {number: 1, signal: 1}},
        ]
        try:
            async with await self._counters.watch(pipeline, max_await_time_ms=1000) as stream:
                yield None
                while stream.alive:
                    change = await stream.try_next()
                    if change is not None:
                        fields = change["updateDescription"]["updatedFields"]
                        yield fields["signal"] if "signal" in fields else int(fields["number"])
        except PyMongoError as error:
            raise StoreUnavailableError(f"the change stream broke: {error}") from error


def _heading(first: Document) -> Heading:
    threads = first.get("threads")
    known = None if threads is None else frozenset((channel, key) for channel, key in threads)
    return Heading(transaction_of(first["_id"]), first["at"], known)


def _heard_by(listener: Listener) -> Document:
    """What `Listener.hears` says, as a query."""
    query: Document = {}
    if listener.types is not None:
        query["type"] = {"$in": sorted(listener.types)}
    if listener.conversation_id is not None:
        query["conversation_id"] = listener.conversation_id
    if not sees_all(listener.reader):
        query["audience"] = {"$in": [None, *ears(listener.reader)]}
    return query
