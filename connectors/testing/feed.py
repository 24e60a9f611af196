"""Threads in memory, for recipients who fetch their replies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from connectors.context import Attendant, CursorExpiredError, FeedPage, Presence, Standing
from normalizer.schema import Author, Message


class MemoryFeed:
    """A log of snapshots a thread; a cursor is a position in it.

    Attributes:
        logs: all snapshots, by thread key.
        oldest: cursors below it have expired.
        told: what recipients did, by thread key, in order.
        standings: how threads stand, by thread key, where a test says so.
    """

    def __init__(self) -> None:
        self.logs: dict[str, list[Message]] = {}
        self.oldest = 0
        self.told: list[tuple[str, Presence]] = []
        self.standings: dict[str, Standing] = {}
        self._attending: dict[str, list[Attendant]] = {}
        self._news = asyncio.Condition()

    async def add(self, thread_key: str, message: Message) -> None:
        """A message that is new, or changed."""
        self.logs.setdefault(thread_key, []).append(message)
        async with self._news:
            self._news.notify_all()

    def newest(self, thread_key: str) -> dict[str, Message]:
        """The messages of a thread as they are now, by id."""
        return {message.id: message for message in self.logs.get(thread_key, [])}

    async def history(self, thread_key: str, *, limit: int = 100) -> FeedPage:
        """The newest messages, and the cursor of this moment."""
        messages = tuple(self.newest(thread_key).values())[-limit:]
        return FeedPage(
            messages=tuple(filter(_is_shown, messages)),
            cursor=str(self.oldest + len(self.logs.get(thread_key, []))),
            conversation_id=messages[-1].conversation_id if messages else None,
        )

    async def since(self, thread_key: str, cursor: str) -> FeedPage:
        """What came after `cursor`."""
        at = self._position(cursor)
        log = self.logs.get(thread_key, [])
        return FeedPage(
            messages=tuple(filter(_is_shown, log[at:])),
            cursor=str(self.oldest + len(log)),
            conversation_id=log[-1].conversation_id if log else None,
        )

    async def follow(self, thread_key: str, cursor: str) -> AsyncGenerator[tuple[Message, str], None]:
        """What comes after `cursor`, until closed."""
        at = self._position(cursor)
        log = self.logs.setdefault(thread_key, [])
        while True:
            async with self._news:
                while at >= len(log):
                    await self._news.wait()
            at += 1
            if _is_shown(log[at - 1]):
                yield log[at - 1], str(self.oldest + at)

    async def tell(self, thread_key: str, presence: Presence) -> None:
        """Notes what the recipient does."""
        self.told.append((thread_key, presence))

    async def standing(self, thread_key: str) -> Standing:
        """How the thread stands."""
        return self.standings.get(thread_key, Standing())

    async def end(self, thread_key: str) -> None:
        """Tells the attendants."""
        for attendant in self.attendants(thread_key):
            attendant.ended()

    @asynccontextmanager
    async def attended(self, thread_key: str, attendant: Attendant) -> AsyncIterator[None]:
        """The recipient is here while the block lasts."""
        self._attending.setdefault(thread_key, []).append(attendant)
        try:
            yield
        finally:
            self._attending[thread_key].remove(attendant)

    def typing(self, thread_key: str, author: Author) -> None:
        """Somebody of the company types in a thread."""
        for attendant in self.attendants(thread_key):
            attendant.typing(author)

    def stands(self, thread_key: str, standing: Standing) -> None:
        """A thread stands otherwise, and its attendants are told."""
        self.standings[thread_key] = standing
        for attendant in self.attendants(thread_key):
            attendant.changed()

    def attendants(self, thread_key: str) -> tuple[Attendant, ...]:
        """Who hears of a thread."""
        return tuple(self._attending.get(thread_key, ()))

    def _position(self, cursor: str) -> int:
        if not cursor.isdecimal() or int(cursor) < self.oldest:
            raise CursorExpiredError
        return int(cursor) - self.oldest


def _is_shown(message: Message) -> bool:
    return message.direction != "note"
