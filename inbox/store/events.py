"""Reading the event log: by position, and live."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from pymongo import ASCENDING, DESCENDING
from pymongo.errors import PyMongoError

from inbox.model import Event
from inbox.store.client import Database, Document
from inbox.store.documents import from_document
from inbox.store.errors import StoreUnavailableError
from inbox.store.guard import guarded


@guarded
class EventLog:
    """The `events` collection. A position is the `id` of an event; 0 is before the first."""

    def __init__(self, database: Database) -> None:
        self._listeners: list[asyncio.Event] = []
        self._events = database["events"]
        self._counters = database["counters"]

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

    def listen(self) -> asyncio.Event:
        """An event that is set whenever this process has committed something: sooner than the change stream tells."""
        listener = asyncio.Event()
        self._listeners.append(listener)
        return listener

    def committed(self) -> None:
        """Says that this process has committed something."""
        for listener in self._listeners:
            listener.set()

    async def wakeups(self) -> AsyncIterator[None]:
        """Yields each time something was committed, and once at the start.

        The change stream is only the wake-up: what happened is read by position, so a stream that cannot be resumed
        costs nothing but a new one. It watches the counter that each transaction of the writer begins with, and not
        the events themselves, of which a transaction has hundreds.

        Raises:
            StoreUnavailableError: the stream broke; ask for another.
        """
        pipeline: list[Document] = [{"$project": {"_id": 1}}]
        try:
            async with await self._counters.watch(pipeline, max_await_time_ms=1000) as stream:
                yield
                while stream.alive:
                    if await stream.try_next() is not None:
                        yield
        except PyMongoError as error:
            raise StoreUnavailableError(f"the change stream broke: {error}") from error
