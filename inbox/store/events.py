"""Reading the event log: by position, and live."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import ASCENDING, DESCENDING
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError

from inbox.model import Event
from inbox.store.client import Database, Document
from inbox.store.documents import from_document
from inbox.store.errors import StoreUnavailableError
from inbox.store.guard import guarded

POSITIONS = 1 << 20  # events in one transaction, at the most: a position is the transaction's number times this
OWN_EVENTS = 4096  # of our own transactions, kept for a reader that is slow to ask; more are read from the log


UTC_TIMES: CodecOptions[Document] = CodecOptions(tz_aware=True)


def transaction_of(position: int) -> int:
    """The number of the transaction that committed the event at `position`."""
    return position // POSITIONS


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


class Unread:
    """An event of the log of which only the address has been read: most are for nobody here.

    Attributes:
        id: its position.
        at: when it was committed.
        channel: of its message, where it is about one.
        thread_key: likewise.
    """

    __slots__ = ("_raw", "at", "channel", "id", "thread_key")

    def __init__(self, raw: RawBSONDocument) -> None:
        self.id: int = raw["_id"]
        self.at: datetime = raw["at"]
        self.channel: str | None = raw["channel"]
        self.thread_key: str | None = raw["thread_key"]
        self._raw = raw

    def read(self) -> Event:
        """All of it."""
        return from_document(bson.decode(self._raw.raw, UTC_TIMES), Event)


@guarded
class EventLog:
    """The `events` collection. A position is the `id` of an event; 0 is before the first."""

    def __init__(self, database: Database) -> None:
        self._listeners: list[News] = []
        self._events = database["events"]
        self._unread: AsyncCollection[RawBSONDocument] = database.get_collection("events").with_options(
            codec_options=CodecOptions(RawBSONDocument, tz_aware=True)
        )
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
        self, position: int, limit: int, *, thread: tuple[str, str] | None = None, until: int | None = None
    ) -> list[Event]:
        """Events after a position, in the order of commit.

        Args:
            position: where to go on from.
            limit: how many at the most.
            thread: only messages of this (channel, thread key).
            until: the last position to read.
        """
        query: Document = {"_id": {"$gt": position}}
        if until is not None:
            query["_id"]["$lte"] = until
        if thread is not None:
            query |= {"channel": thread[0], "thread_key": thread[1]}
        found = self._events.find(query).sort("_id", ASCENDING).limit(limit)
        if thread is not None:
            found.hint("feed")  # left alone, the planner reads everything after the position
        return [from_document(document, Event) async for document in found]

    async def unread(self, position: int, limit: int) -> tuple[list[Unread], int]:
        """Events after a position, in the order of commit, to be read where somebody wants them.

        Returns:
            Them, and the number of the last transaction that this reading could see: a primary that was elected just
            now may not yet show what an earlier one was known to have committed.
        """
        async with self._client.start_session(snapshot=True) as session:
            counter = await self._counters.find_one({"_id": "transactions"}, {"number": 1}, session=session)
            found = self._unread.find({"_id": {"$gt": position}}, session=session)
            events = [Unread(raw) async for raw in found.sort("_id", ASCENDING).limit(limit)]
        return events, int(counter["number"]) if counter else 0

    def listen(self) -> News:
        """What happens from now on, of this process's own transactions sooner than the change stream tells."""
        news = News()
        self._listeners.append(news)
        return news

    def committed(self, number: int, events: Sequence[Event]) -> None:
        """Says that this process has committed something."""
        for news in self._listeners:
            news.tell(number, events)

    async def wakeups(self) -> AsyncIterator[int | None]:
        """Yields the number of each transaction that was committed, and None once the stream stands.

        The change stream is only the wake-up: what happened is read by position, so a stream that cannot be resumed
        costs nothing but a new one. It watches the counter that each transaction of the writer begins with, and not
        the events themselves, of which a transaction has hundreds.

        Raises:
            StoreUnavailableError: the stream broke; ask for another.
        """
        number = "updateDescription.updatedFields.number"
        pipeline: list[Document] = [{"$match": {number: {"$exists": True}}}, {"$project": {number: 1}}]
        try:
            async with await self._counters.watch(pipeline, max_await_time_ms=1000) as stream:
                yield None
                while stream.alive:
                    change = await stream.try_next()
                    if change is not None:
                        yield int(change["updateDescription"]["updatedFields"]["number"])
        except PyMongoError as error:
            raise StoreUnavailableError(f"the change stream broke: {error}") from error
