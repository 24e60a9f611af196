"""What this process has journaled, or taken over, and not applied yet: in the order of its arrival.

It waits in memory. What does not fit there, and what may have been written though nobody heard of it, is read back from
the journal once memory is empty; until then nothing newer is put into memory, which would go before it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable

from connectors.errors import UnavailableError
from inbox.store import JournalEntry
from inbox.store.journal import Journal

APPLY_BATCH = 512
APPLY_BYTES = 4 * 1024 * 1024
HELD_BYTES = 32 * 1024 * 1024  # what may wait in memory; more waits in the journal
RETRY_SECONDS = 0.5
LOOK_SECONDS = 15.0  # how often the journal is asked for what memory does not know of


class Backlog:
    """Entries that `owner` has to apply. One counts as here until it is dropped, also while it is being applied."""

    def __init__(self, journal: Journal, owner: str) -> None:
        self._journal = journal
        self._owner = owner
        self._entries: deque[JournalEntry] = deque()
        self._bytes = 0
        self._here: set[str] = set()
        self._behind = True  # there may be entries of ours in the journal that are not in memory
        self._arriving: list[JournalEntry] | None = None  # what is journaled while the journal is being read
        self._some = asyncio.Event()

    def __len__(self) -> int:
        return len(self._here)

    @property
    def behind(self) -> bool:
        """Whether the journal may hold entries of ours that are not in memory."""
        return self._behind or self._arriving is not None

    def look(self) -> None:
        """Says that the journal may hold entries of ours that are not in memory."""
        self._behind = True
        self._some.set()

    def add(self, entry: JournalEntry) -> None:
        """Puts an entry behind those in memory, unless older ones must be read from the journal before it."""
        full = self._entries and self._bytes + entry.size > HELD_BYTES
        if self._arriving is not None:
            self._arriving.append(entry)
        elif self._behind or full:
            self._behind = True
        else:
            self._keep(entry)
        self._some.set()

    def drop(self, entries: Iterable[JournalEntry]) -> None:
        """They are applied or failed, or another process has them."""
        self._here.difference_update(entry.id for entry in entries)

    async def take(self, most: int) -> list[JournalEntry]:
        """The next ones, so many at the most, and no more than one transaction bears; waits for some."""
        while not self._entries:
            if self._behind:
                await self._read_back()
            else:
                await self._wait()
        batch = [self._entries.popleft()]
        size = batch[0].size
        while self._entries and len(batch) < most and size + self._entries[0].size <= APPLY_BYTES:
            batch.append(self._entries.popleft())
            size += batch[-1].size
        self._bytes -= size
        return batch

    def _keep(self, entry: JournalEntry) -> None:
        if entry.id in self._here:
            return
        self._entries.append(entry)
        self._bytes += entry.size
        self._here.add(entry.id)

    async def _wait(self) -> None:
        self._some.clear()
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._some.wait()
        except TimeoutError:
            self._behind = True

    async def _read_back(self) -> None:
        """Fills memory from the journal."""
        arriving: list[JournalEntry] = []
        self._arriving = arriving
        self._behind = False  # who finds something missing while this reads says so again, and it is read again
        here = frozenset(self._here)  # one that is committed meanwhile is not ours to apply again
        try:
            entries = await self._journal.unapplied(self._owner, APPLY_BATCH + len(self._here))
        except UnavailableError:
            self._behind = True
            await asyncio.sleep(RETRY_SECONDS)
            return
        finally:
            self._arriving = None
        new = [entry for entry in entries if entry.id not in here and entry.id not in self._here]
        for entry in new[:APPLY_BATCH]:
            self._keep(entry)
        if len(new) >= APPLY_BATCH:
            self._behind = True
        for entry in arriving:  # unless we are behind again, there is nothing else between these and those
            self.add(entry)
