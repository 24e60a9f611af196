"""What each process does beside its work: show that it lives, and take up what dead ones left."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import structlog

from connectors.errors import UnavailableError
from inbox.activity import Activity
from inbox.roster import Roster
from inbox.store import Store
from inbox.store.processes import BEAT_SECONDS, DEAD_AFTER_SECONDS

LISTEN_EVERY = timedelta(minutes=1)
SWEEP_EVERY = timedelta(hours=1)
HEIRS_SECONDS = 2.0  # that taking over may take at once
GOOD_BYE_SECONDS = 5.0
UPLOADS_WAIT = timedelta(days=2)  # how long an uploaded file waits for the message that shows it


class Heir(Protocol):
    """Whoever takes up work that dead processes left."""

    async def recover(self, alive: list[str]) -> None:
        """Takes up what belongs to none of `alive`."""


class Housekeeping:
    """Runs in every process.

    Args:
        heirs: who takes up the work of dead processes.
        roster: tells what this process does, and listens to its channels.
        alone: this is the only process on its database, so whoever was there before is dead.
    """

    def __init__(
        self,
        store: Store,
        owner: str,
        heirs: Sequence[Heir],
        activity: Activity,
        *,
        alone: bool,
        roster: Roster,
    ) -> None:
        self._store = store
        self._owner = owner
        self._heirs = heirs
        self._activity = activity
        self._alone = alone
        self._roster = roster
        self._shown = asyncio.get_running_loop().time()
        self._patient_until = 0.0
        self.beaten_at = datetime.now(UTC)  # when the others last saw that we live
        self._logger: Any = structlog.get_logger("santral.housekeeping")

    async def begin(self) -> None:
        """Shows itself for the first time; done before anything is received."""
        await self._beat()
        await self._take_over()

    async def run(self) -> None:
        """Goes on until cancelled."""
        swept = listened = datetime.now(UTC)
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                await self._beat()
                await self._take_over()
                await self._activity.share(self._store)
                if datetime.now(UTC) - listened > LISTEN_EVERY:
                    listened = datetime.now(UTC)
                    await self._roster.listen_for_silence(self._activity, listened)
                if datetime.now(UTC) - swept > SWEEP_EVERY:
                    swept = datetime.now(UTC)
                    await self._store.files.sweep(swept - UPLOADS_WAIT)
                    await self._store.journal.sweep(swept - UPLOADS_WAIT)
            except UnavailableError as error:
                self._logger.warning("database away", reason=str(error))

    async def end(self) -> None:
        """Says good-bye, so that others need not wait for the silence to grow long."""
        with contextlib.suppress(UnavailableError, TimeoutError):  # then they do have to wait
            async with asyncio.timeout(GOOD_BYE_SECONDS):
                await self._store.processes.leave(self._owner)

    async def _beat(self) -> None:
        await self._store.processes.beat(self._owner, self._store.session_id, self._roster.workplace())
        now = asyncio.get_running_loop().time()
        if now - self._shown > DEAD_AFTER_SECONDS:
            self._patient_until = now + DEAD_AFTER_SECONDS
        self._shown = now
        self.beaten_at = datetime.now(UTC)

    async def _take_over(self) -> None:
        """Buries who is silent, but not when we were it too: the database was away, and nobody could show himself."""
        if asyncio.get_running_loop().time() >= self._patient_until:
            await self._store.processes.bury(all_but=self._owner if self._alone else None)
        alive = await self._store.processes.alive()
        # Who died inside a transaction holds up every write until it is buried in its turn, and without our beats we
        # would be taken for dead ourselves: what is not taken up now is after the next beat.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HEIRS_SECONDS):
                for heir in self._heirs:
                    await heir.recover(alive)
