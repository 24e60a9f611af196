"""The hub: one change stream a process, every agent's and visitor's stream behind it.

The hub reads the event log once and hands each event to those who follow it. A follower starts from any position: what
is older than the hub's own position is read from the log for it alone, then it goes on live, without gap or repeat,
because positions are the order of commit (`inbox.store.writer`).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any

import structlog

from connectors.context import CursorExpiredError
from connectors.tasks import together
from inbox.metrics import Metrics
from inbox.model import Event
from inbox.sight import Listener
from inbox.signals import Signals
from inbox.store import EventLog, StoreUnavailableError
from inbox.store.events import Heading, News, Thread, end_of, thread_of, transaction_of

PAGE = 500
HEADINGS = 1_000  # that are read at once
SLOW_READER = 5_000  # events that may wait for one follower before it is told to come back with its cursor
RETRY_SECONDS = 0.5


def to_cursor(position: int) -> str:
    """The opaque form of a position."""
    return base64.urlsafe_b64encode(b"1:%d" % position).rstrip(b"=").decode()


def from_cursor(cursor: str) -> int:
    """The inverse of `to_cursor`.

    Raises:
        ValueError: it is none of ours.
    """
    try:
        version, _, position = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).partition(b":")
    except (binascii.Error, ValueError) as error:
        raise ValueError("no cursor of ours") from error
    if version != b"1" or not position.isdigit() or len(position) > 19:
        raise ValueError("no cursor of ours")
    return int(position)


class SlowReaderError(Exception):
    """A follower reads slower than events come: it must come back with its cursor."""


class _Follower:
    """The events that wait for one reader."""

    def __init__(self) -> None:
        self._waiting: deque[Event] = deque()
        self._some = asyncio.Event()
        self._overflowed = False

    def hand(self, event: Event) -> None:
        if len(self._waiting) >= SLOW_READER:
            self._overflowed = True
        else:
            self._waiting.append(event)
        self._some.set()

    async def live(self) -> AsyncIterator[Event]:
        while True:
            await self._some.wait()
            self._some.clear()
            while self._waiting:
                yield self._waiting.popleft()
            if self._overflowed:
                raise SlowReaderError


class Hub:
    """Hands out events. `run` must be running for live ones to come."""

    def __init__(self, log: EventLog, metrics: Metrics, signals: Signals) -> None:
        self._log = log
        self._signals = signals
        self._metrics = metrics
        self._position = 0  # all up to here was handed out
        self._reached = 0  # the number of the last transaction all of whose events were
        self._ready = asyncio.Event()
        self._everything: set[_Follower] = set()
        self._threads: dict[Thread, set[_Follower]] = {}
        self._logger: Any = structlog.get_logger("santral.events")

    @property
    def followers(self) -> int:
        """How many readers there are."""
        return len(self._everything) + sum(map(len, self._threads.values()))

    async def run(self) -> None:
        """Reads the log as it grows, until cancelled. A lost database is waited for."""
        news = self._log.listen()
        await together(self._wake(news), self._read(news))

    async def newest(self) -> int:
        """The position of the newest event."""
        return await self._log.newest()

    async def backlog(
        self, position: int, limit: int, *, thread: Thread | None = None, listener: Listener | None = None
    ) -> list[Event]:
        """Up to `limit` events after `position`, of a thread or for a listener where one is given.

        Raises:
            CursorExpiredError: events after it have been forgotten, or it lies in a future that a restore undid.
        """
        await self._check(position)
        return await self._log.after(position, limit, thread=thread, listener=listener)

    async def follow(
        self, position: int, *, thread: Thread | None = None, listener: Listener | None = None
    ) -> AsyncGenerator[Event, None]:
        """Every event after `position`, then each new one as it is committed.

        Args:
            position: where the reader stands.
            thread: only messages of this (channel, thread key).
            listener: only what this one wants to hear.

        Raises:
            CursorExpiredError: the position cannot be honoured.
            SlowReaderError: too much waits for this reader.
        """
        await self._ready.wait()
        follower = _Follower()
        followers = self._everything if thread is None else self._threads.setdefault(thread, set())
        followers.add(follower)
        try:
            await self._check(position)
            live_from = self._position
            async with aclosing(self._catch_up(position, live_from, thread, listener)) as older:
                async for event in older:
                    yield event
            async for event in follower.live():
                if event.id > max(position, live_from) and (listener is None or listener.hears(event)):
                    yield event
        finally:
            followers.discard(follower)
            if thread is not None and not followers:
                self._threads.pop(thread, None)

    async def _catch_up(
        self, position: int, until: int, thread: Thread | None, listener: Listener | None
    ) -> AsyncGenerator[Event, None]:
        while position < until:
            page = await self._log.after(position, PAGE, thread=thread, listener=listener, until=until)
            for event in page:
                yield event
            if len(page) < PAGE:
                return
            position = page[-1].id

    async def _check(self, position: int) -> None:
        # A primary that was elected just now may not show yet what we have seen already.
        newest = max(await self._log.newest(), self._position)
        if position and not await self._log.oldest() <= position <= newest:
            raise CursorExpiredError

    async def _wake(self, news: News) -> None:
        while True:
            try:
                async for told in self._log.wakeups():
                    if told is None:  # before the stream stood, anything may have happened
                        news.doubt()
                    elif isinstance(told, int):
                        news.tell(told, None)
                    else:
                        await self._signals.heard(told)
            except StoreUnavailableError as error:
                self._logger.warning("change stream lost", reason=str(error))
            await asyncio.sleep(RETRY_SECONDS)

    async def _read(self, news: News) -> None:
        while True:
            await news.some.wait()
            news.some.clear()
            try:
                await self._advance(news)
            except StoreUnavailableError:
                await asyncio.sleep(RETRY_SECONDS)
                news.doubt()

    async def _advance(self, news: News) -> None:
        """Hands out our own transactions, and reads of the others what anybody follows."""
        if not self._ready.is_set():
            self._position = await self._log.newest()
            self._reached = transaction_of(self._position)
            self._ready.set()
        own = dict(news.take_own())
        self._hand_out_next(own)
        while news.unsure or news.heard > self._reached:
            news.unsure = False
            headings, reached = await self._log.headings(self._reached, HEADINGS)
            if (
                reached < news.heard and reached <= self._reached
            ):  # a new primary that does not know yet what the old one told
                raise StoreUnavailableError("the database is behind what it has told")
            news.unsure = reached == self._reached + HEADINGS  # then there may be more
            for heading in headings:
                events = own.pop(heading.number, None)
                self._hand_out(heading.number, await self._followed(heading) if events is None else events, heading.at)
            self._reached = max(self._reached, reached)
            self._hand_out_next(own)

    def _hand_out_next(self, own: dict[int, Sequence[Event]]) -> None:
        while (events := own.pop(self._reached + 1, None)) is not None:
            self._hand_out(self._reached + 1, events, events[0].at if events else None)

    async def _followed(self, heading: Heading) -> Sequence[Event]:
        """What anybody follows of a transaction by now: whoever comes while it is being read follows it too."""
        read: Collection[Thread] | None = frozenset()
        events: Sequence[Event] = ()
        while (wanted := self._wanted(heading)) != read:
            events, read = await self._log.of_transaction(heading.number, wanted), wanted
        return events

    def _wanted(self, heading: Heading) -> Collection[Thread] | None:
        return None if self._everything or heading.threads is None else heading.threads & self._threads.keys()

    def _hand_out(self, number: int, events: Sequence[Event], at: datetime | None) -> None:
        for event in events:
            thread = thread_of(event)
            for follower in self._everything | (self._threads.get(thread, set()) if thread else set()):
                follower.hand(event)
        self._reached = number
        self._position = end_of(number)
        if at is not None:
            self._metrics.handed_out(at)
