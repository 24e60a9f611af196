"""The end of a visitor's thread, followed from a cursor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from connectors.base import Feed
from normalizer.schema import Message

Entry = tuple[Message, str]

PAUSE = 0.02
MOST_AT_ONCE = 500


class Tail:
    """`Feed.follow`, with a way to ask what is there already. It must be closed."""

    def __init__(self, feed: Feed, visitor: str, cursor: str) -> None:
        """Nothing is read before the first entry is asked for."""
        self._entries = feed.follow(visitor, cursor)
        self._next: asyncio.Task[Entry] | None = None

    async def waiting(self, seconds: float) -> list[Entry]:
        """What came after the cursor: the first within `seconds`, the others with no pause between them.

        Raises:
            CursorExpiredError: the cursor cannot be honoured.
        """
        entries: list[Entry] = []
        patience = seconds
        while len(entries) < MOST_AT_ONCE and (entry := await self._within(patience)):
            entries.append(entry)
            patience = PAUSE
        return entries

    async def _within(self, seconds: float) -> Entry | None:
        # The wait may end but not the read: cancelling it would close the feed's iterator.
        self._next = self._next or asyncio.create_task(self._read())
        await asyncio.wait({self._next}, timeout=seconds)
        return await self._taken() if self._next.done() else None

    async def _read(self) -> Entry:
        return await anext(self._entries)

    async def _taken(self) -> Entry:
        assert self._next is not None
        entry = await self._next
        self._next = None
        return entry

    async def live(self) -> AsyncIterator[Entry]:
        """Everything that follows, until closed."""
        if self._next is not None:
            yield await self._taken()
        async for entry in self._entries:
            yield entry

    async def close(self) -> None:
        """Ends the feed's iterator, whatever it is doing."""
        if self._next is not None:
            self._next.cancel()
            await asyncio.gather(self._next, return_exceptions=True)
        if isinstance(self._entries, AsyncGenerator):
            await self._entries.aclose()
