"""The way in: journal, understand, apply.

A process applies what it journaled itself, straight from memory; entries that did not fit there, or that a dead process
left behind, are read from the journal. Understanding the next batch goes on while the last one is being committed.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog

from connectors.context import Received
from connectors.errors import UnavailableError
from connectors.tasks import together
from inbox.group_commit import GroupCommit
from inbox.ingest.apply import apply
from inbox.ingest.backlog import APPLY_BATCH, APPLY_BYTES, RETRY_SECONDS, Backlog
from inbox.ingest.entries import Understood, new_entry
from inbox.ingest.reading import Reading, UnreadableError
from inbox.ingest.understand import Intake, Understanding
from inbox.logs import in_own_words
from inbox.metrics import Metrics
from inbox.pressure import look
from inbox.store import JournalEntry, NotOwnerError, Store, Unit
from inbox.store.journal import INLINE_BYTES
from normalizer.codec import clean_text
from normalizer.outcomes import DeliveryUpdate, Ignored, Raw

SMALLEST = 4 * 1024  # bytes that an entry counts for at the least
JOURNAL_BATCH = 128 * SMALLEST  # bytes in one journal write
JOURNAL_BACKLOG = 64 * 1024 * 1024  # bytes that may wait to be journaled
JOURNAL_SECONDS = 10.0  # after which a platform is told to try again: many give up waiting soon after
ORIGINAL_SECONDS = 30.0  # likewise, for a large one; what was written of it is swept
LONGEST_ERROR = 20_000  # characters of a traceback that are kept: the last
BACKLOG = 32  # events in a batch that show that more come than are applied
LONGEST_REST = 12.0  # times as long as a batch took, the next one waits for those who want an acknowledgement
TURN_SECONDS = 0.25  # how soon what had to let others of its sender go first is tried again


class Ingest:
    """Receives, and applies what was received while `run` runs.

    Args:
        store: where everything is kept.
        owner: this process.
        intakes: what is to be known of each channel.
        reading: understands their large events.
        metrics: count what becomes of them.
        alone: this is the only process on its database.
    """

    def __init__(
        self,
        store: Store,
        owner: str,
        intakes: Mapping[str, Intake],
        reading: Reading,
        metrics: Metrics,
        *,
        alone: bool = False,
    ) -> None:
        self._store = store
        self._owner = owner
        self._alone = alone
        self._connectors = {channel: intake.connector for channel, intake in intakes.items()}
        self._understanding = Understanding(store, intakes, reading)
        self._metrics = metrics
        self._policies = {channel: intake.policy for channel, intake in intakes.items()}
        self._journal: GroupCommit[JournalEntry, JournalEntry] = GroupCommit(
            self._add, batch=JOURNAL_BATCH, backlog=JOURNAL_BACKLOG, patience=JOURNAL_SECONDS
        )
        self._backlog = Backlog(store.journal, owner)
        self._turn: asyncio.TimerHandle | None = None
        self._understood: deque[Understood] = deque()  # what waits to be applied
        self._ready = asyncio.Event()  # something waits
        self._room = asyncio.Event()  # it is not too much
        self._logger: Any = structlog.get_logger("santral.ingest")

    async def receive(self, channel: str, raw: Raw) -> Received:
        """Journals an event; returns when it cannot be lost any more.

        Raises:
            UnavailableError: it could not be journaled, or nobody knows whether it was.
        """
        began = time.perf_counter()
        self._metrics.received(channel)
        try:
            received = await self._kept(channel, raw)
        except Exception:
            self._metrics.refused(channel)
            raise
        self._metrics.kept(channel, time.perf_counter() - began)
        return received

    async def _kept(self, channel: str, raw: Raw) -> Received:
        large = len(raw.body) > INLINE_BYTES
        entry = new_entry(channel, self._connectors[channel], raw, self._owner, inline=not large)
        if large:
            await self._save_original(entry, raw.body)
        standing = await self._journal.submit(entry, max(len(entry.body or b""), SMALLEST))
        duplicate = standing.message_id != entry.message_id
        if duplicate and large:
            await self._store.journal.drop_original(entry.message_id)
        return Received(message_id=standing.message_id, received_at=standing.received_at, duplicate=duplicate)

    async def _save_original(self, entry: JournalEntry, body: bytes) -> None:
        try:
            async with asyncio.timeout(ORIGINAL_SECONDS) as patience:
                await self._store.journal.save_original(entry.id, entry.message_id, body)
        except TimeoutError as error:
            if not patience.expired():
                raise
            raise UnavailableError("the database is too slow to store a large event now") from error

    async def replay(self, entry_ids: Sequence[str] | None) -> int:
        """Applies failed entries again (all, where None); returns how many there were."""
        count = await self._store.journal.replay(self._owner, entry_ids)
        self._backlog.look()
        return count

    @property
    def waiting(self) -> int:
        """How many journaled events are in memory and not applied yet."""
        return len(self._backlog)

    @property
    def behind(self) -> bool:
        """Whether the journal may hold events of ours that are not in memory."""
        return self._backlog.behind

    async def recover(self, alive: list[str]) -> None:
        """Takes up what dead processes left."""
        if await self._store.journal.take_over(self._owner, alive):
            self._backlog.look()

    async def run(self) -> None:
        """Applies what is received and what was left behind, until cancelled."""
        try:
            await together(self._understand_all(), self._apply_all())
        finally:
            await self._understanding.close()

    async def drain(self) -> None:
        """Takes no more, and returns when what was taken is journaled. What is not applied yet is applied later."""
        await self._journal.close()

    async def _add(self, entries: Sequence[JournalEntry]) -> Sequence[JournalEntry | Exception]:
        """Journals a batch and hands over what is new in it, also where nobody waits for it any more."""
        try:
            outcomes = await self._store.journal.add(entries)
        except UnavailableError:
            self._backlog.look()  # they may have been written all the same
            raise
        new: dict[str, list[JournalEntry]] = {}
        for entry, standing in zip(entries, outcomes, strict=True):
            if not isinstance(standing, JournalEntry):
                continue
            if standing.message_id == entry.message_id:
                new.setdefault(entry.channel, []).append(entry)
                self._backlog.add(entry)
            else:
                self._metrics.duplicate(entry.channel)
        for channel, kept in new.items():
            self._metrics.journaled(channel, len(kept), kept[-1].received_at)
        return outcomes

    async def _understand_all(self) -> None:
        while True:
            room = APPLY_BATCH - len(self._understood)
            if room <= 0:
                self._room.clear()
                await self._room.wait()
            elif understood := await self._understand(await self._backlog.take(room)):
                self._understood += understood
                self._ready.set()

    async def _understand(self, batch: list[JournalEntry]) -> list[Understood]:
        understood = []
        for entry in batch:
            try:
                understood.append(Understood(entry=entry, outcomes=await self._understanding.outcomes(entry)))
            except Exception as error:  # noqa: BLE001 (whatever a plugin does, the entry alone fails)
                await self._fail(entry, error)
        return understood

    async def _apply_all(self) -> None:
        while True:
            await self._ready.wait()
            batch: list[Understood] = []
            began = time.monotonic()
            await self._apply(batch, more=True)
            if len(batch) >= BACKLOG:
                await self._rest(time.monotonic() - began)

    async def _rest(self, took: float) -> None:
        """After a batch that took so many seconds: who waits for an acknowledgement goes first, for a backlog is safe.

        Applying gets of this process what they leave, and a thirteenth of it whatever they need.
        """
        used = free = 0.0
        while (rested := used + free) < LONGEST_REST * took:
            acknowledged = self._journal.taken
            moment = await look()
            used, free = used + moment.used, free + moment.free
            if self._journal.taken == acknowledged or took / (took + rested) <= free / (used + free):
                return

    def _fill(self, batch: list[Understood]) -> None:
        """Adds what is understood by now: while others had their turn, there has come more."""
        size = sum(one.entry.size for one in batch)
        while self._understood and len(batch) < APPLY_BATCH:
            size += self._understood[0].entry.size
            if batch and size > APPLY_BYTES:
                break
            batch.append(self._understood.popleft())
        self._room.set()
        if not self._understood:
            self._ready.clear()

    async def _apply(self, batch: list[Understood], *, more: bool = False) -> None:
        """Applies a batch; with `more` it is filled when its transaction begins, for which others may be waited for."""

        async def change(unit: Unit) -> Sequence[Understood]:
            if more:
                self._fill(batch)
            return await apply(unit, batch, self._policies, self._owner, alone=self._alone)

        while True:
            try:
                applied = await self._store.write(change, weight=max(len(self._understood), len(batch), 1))
            except UnavailableError:
                await asyncio.sleep(RETRY_SECONDS)
            except NotOwnerError:
                await self._leave_out(batch)
                if not batch:
                    break
            except Exception as error:  # noqa: BLE001 (the poisonous one must be found, whatever it raises)
                await self._apply_apart(batch, error)
                break
            else:
                self._count(applied)
                await self._wait_for_turn(len(batch) - len(applied), len(batch))
                break
        self._backlog.drop([one.entry for one in batch])

    async def _leave_out(self, batch: list[Understood]) -> None:
        """Takes out what is not ours to apply: a commit that nobody heard of did it, or another process has it.

        The rest must stay where it is. What came later is understood by now, and would go before it.
        """
        try:
            ours = await self._store.journal.still_new(self._owner, [one.entry.id for one in batch])
        except UnavailableError:
            ours = {one.entry.id for one in batch}
        left = [one for one in batch if one.entry.id not in ours]
        if not left:
            await asyncio.sleep(RETRY_SECONDS)
            return
        self._logger.warning("entries were applied before, or taken over by another process", entries=len(left))
        self._backlog.drop([one.entry for one in left])
        batch[:] = [one for one in batch if one.entry.id in ours]

    async def _wait_for_turn(self, waiting: int, tried: int) -> None:
        """What was not applied stays in the journal, and is soon read back from there."""
        loop = asyncio.get_running_loop()
        if waiting and (self._turn is None or self._turn.when() <= loop.time()):
            self._turn = loop.call_later(TURN_SECONDS, self._backlog.look)
        if waiting == tried and self._backlog.behind:  # there is more, which may be no better
            await asyncio.sleep(TURN_SECONDS)

    def _count(self, applied: Sequence[Understood]) -> None:
        now = datetime.now(UTC)
        for one in applied:
            entry = one.entry
            seconds = None if entry.replayed else (now - entry.received_at).total_seconds()
            self._metrics.applied(entry.channel, seconds)
            for outcome in one.outcomes:
                if isinstance(outcome, Ignored):
                    self._metrics.ignored(entry.channel, outcome.reason)
                if isinstance(outcome, DeliveryUpdate):
                    self._metrics.reported(entry.channel, outcome.state)

    async def _apply_apart(self, batch: list[Understood], error: Exception) -> None:
        if len(batch) == 1:
            await self._fail(batch[0].entry, error)
            return
        for one in batch:
            await self._apply([one])

    async def _fail(self, entry: JournalEntry, error: Exception) -> None:
        told = "".join(traceback.format_exception(error))
        told = clean_text(told.strip()[-LONGEST_ERROR:])  # it may quote what could not be understood
        words = error.words if isinstance(error, UnreadableError) else in_own_words(error)
        self._logger.error("event failed", message=entry.message_id, channel=entry.channel, error=words)
        self._metrics.event_failed(entry.channel)
        while True:
            try:
                await self._store.journal.fail(entry.id, self._owner, told)
            except UnavailableError:
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self._backlog.drop([entry])
                return
