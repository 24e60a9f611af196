"""A worker: claims what is due and works on it, a bounded number at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Generic, TypeVar

import structlog

from connectors.errors import UnavailableError
from connectors.tasks import end

LOOK_SECONDS = 1.0  # how often what others left, and what waits for its hour, is looked for

Item = TypeVar("Item")
T = TypeVar("T")


class Worker(Generic[Item]):
    """Runs `work` on what `claim` gives.

    Args:
        claim: takes up to so many items that are due, and makes them this process's own.
        work: does one; it must not raise, for then the item would be nobody's.
        at_once: how many are worked on at the same time.
    """

    def __init__(
        self,
        claim: Callable[[int], Awaitable[Sequence[Item]]],
        work: Callable[[Item], Coroutine[Any, Any, None]],
        *,
        at_once: int,
    ) -> None:
        self._claim = claim
        self._work = work
        self._at_once = at_once
        self._some = asyncio.Event()
        self._working: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Says that there may be something to do."""
        self._some.set()

    async def run(self) -> None:
        """Claims and works until cancelled; what was claimed then goes on, and `drain` awaits it."""
        while True:
            self._some.clear()  # before looking: what comes while we look is then not slept over
            claimed: Sequence[Item] = ()
            if free := self._at_once - len(self._working):
                with contextlib.suppress(UnavailableError):
                    claimed = await self._claim(free)
            for item in claimed:
                task = asyncio.create_task(self._work(item))
                self._working.add(task)
                task.add_done_callback(self._done)
            if not claimed:
                await self._wait()

    async def drain(self, seconds: float) -> None:
        """Returns when what was claimed is done, or after that time; then it is cut off."""
        if self._working:
            _, late = await asyncio.wait(self._working, timeout=seconds)
            await end(*late)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        self.wake()  # there is a place again, and what it held up may go on

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._some.wait()
        except TimeoutError:
            return


async def insist(write: Callable[[], Awaitable[T]]) -> T:
    """Writes what we alone know, however long the database is away."""
    while True:
        try:
            return await write()
        except UnavailableError as error:
            structlog.get_logger("santral.worker").warning("database away", reason=error.reason)
            await asyncio.sleep(LOOK_SECONDS)
