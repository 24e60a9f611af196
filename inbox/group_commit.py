"""Group commit: many callers, one write at a time.

While one batch is being written the next one forms, so nobody lingers and the price of a durable write is shared. Each
caller awaits its own outcome: a cancelled caller takes nothing from its neighbours, and its item is written all the
same. A batch that fails as a whole is tried again one by one, so that one bad item hurts itself alone; only when the
database is away do all of them hear it at once.

Nobody waits for ever: when a batch takes too long, all who wait are told so, and so is whoever comes until it is done.
What was in it may be written all the same; what had not begun is not.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from connectors.errors import UnavailableError

Item = TypeVar("Item")
Result = TypeVar("Result")


class GroupCommit(Generic[Item, Result]):
    """Collects items and hands them to `commit` in batches.

    Args:
        commit: writes a batch and returns an outcome for each item, in order: a result, or the exception that the
            item's caller shall see.
        batch: the most weight in one batch.
        backlog: the most weight that may wait; more is refused with `UnavailableError`.
        patience: seconds that a batch may take.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[Item]], Awaitable[Sequence[Result | Exception]]],
        *,
        batch: int,
        backlog: int,
        patience: float,
    ) -> None:
        self._commit = commit
        self._batch = batch
        self._backlog = backlog
        self._patience = patience
        self._waiting: deque[tuple[Item, int, asyncio.Future[Result]]] = deque()
        self._weight = 0
        self._flusher: asyncio.Task[None] | None = None
        self._closed = False
        self._stuck = False
        self.taken = 0  # items, ever

    async def submit(self, item: Item, weight: int = 1) -> Result:
        """Returns what became of the item once it is durably written.

        Raises:
            UnavailableError: too much is waiting, or the database is away or too slow.
            Exception: what `commit` says of this item.
        """
        if self._stuck:
            raise _too_slow()
        if self._closed or (self._weight + weight > self._backlog and self._waiting):
            raise UnavailableError("too much is waiting to be stored")
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, weight, future))
        self._weight += weight
        self.taken += 1
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush())
        return await future

    async def close(self) -> None:
        """Takes no more, and returns when all that was taken is written or refused."""
        self._closed = True
        if self._flusher is not None:
            await asyncio.shield(self._flusher)

    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                taken = self._take()
                alarm = loop.call_later(self._patience, self._tell_all, [future for _, future in taken])
                try:
                    outcomes = await self._outcomes([item for item, _ in taken])
                finally:
                    alarm.cancel()
                    self._stuck = False
                for (_, future), outcome in zip(taken, outcomes, strict=True):
                    _settle(future, outcome)
        finally:
            self._flusher = None

    def _tell_all(self, begun: Sequence[asyncio.Future[Result]]) -> None:
        """The batch takes too long: its callers and those behind it shall try again later."""
        self._stuck = True
        for future in (*begun, *(future for _, _, future in self._waiting)):
            _settle(future, _too_slow())
        self._waiting.clear()
        self._weight = 0

    def _take(self) -> list[tuple[Item, asyncio.Future[Result]]]:
        taken: list[tuple[Item, asyncio.Future[Result]]] = []
        weight = 0
        while self._waiting and (not taken or weight + self._waiting[0][1] <= self._batch):
            item, own, future = self._waiting.popleft()
            weight += own
            taken.append((item, future))
        self._weight -= weight
        return taken

    async def _outcomes(self, items: Sequence[Item]) -> Sequence[Result | Exception]:
        try:
            return await self._commit(items)
        except UnavailableError as error:
            return [error] * len(items)
        except Exception as error:  # noqa: BLE001 (whatever it is, each item must hear of it)
            if len(items) == 1:
                return [error]
        return [outcome for item in items for outcome in await self._outcomes([item])]


def _too_slow() -> UnavailableError:
    return UnavailableError("the database is too slow to store more now")


def _settle(future: asyncio.Future[Result], outcome: Result | Exception) -> None:
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
        future.exception()  # a caller that went away must not make the loop complain
    else:
        future.set_result(outcome)
