"""The way out: replies on their way, and what becomes of them.

The policy:

- Within a lane (one conversation on one channel) replies leave in order; lanes do not wait for each other.
- A worker claims a reply, writes `sending` just before it calls the platform, and stores the receipt of each platform
  piece before it asks for the next, so a later try goes on where this one ended.
- A temporary error waits: as long as the platform asked, else doubling from 5 seconds to 2 hours, `MAX_ATTEMPTS` times.
  It holds up its lane. What the connector did not foresee counts as temporary.
- A permanent error, and too many temporary ones, are `failed`, with a reason that an agent reads and can retry.
- Where nobody knows whether the platform did it, it is `unknown`, unless sending it twice would show it once.
- Failed, unknown and scheduled replies hold up nobody.
- A database that goes away meanwhile is waited for: what the platform answered is not forgotten.
- A dead worker's replies: claimed ones are queued again; of those being sent nobody knows whether the platform did it.

Here replies are claimed and sent; what of it is written, and when, is in `inbox.outbox_steps`.
"""

from __future__ import annotations

import asyncio
import functools
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any, TypeVar

import structlog
from msgspec.structs import replace

from connectors.base import Connector, Receipt, Reply
from connectors.context import Files
from connectors.errors import ConnectorError, PermanentError, UnavailableError, UncertainError
from inbox.metrics import Metrics
from inbox.model import OutboxItem
from inbox.outbox_steps import NotSent, Steps
from inbox.pacing import Pacer
from inbox.store import NotOwnerError, Store, Unit
from inbox.store.writer import Change
from inbox.worker import Worker, insist

AT_ONCE = 16  # replies that one process sends at the same time
OF_ONE_CHANNEL = 8  # of them: a platform that is slow must not hold up the others
PIECE_SECONDS = 600.0  # how long a connector may take for one piece; longer than any platform's own time-out

T = TypeVar("T")


class OutboxWorker:
    """Sends what is due, while `run` runs."""

    def __init__(
        self, store: Store, owner: str, connectors: Mapping[str, Connector[Any]], files: Files, metrics: Metrics
    ) -> None:
        self._store = store
        self._owner = owner
        self._connectors = connectors
        self._metrics = metrics
        self._sending: Counter[str] = Counter()  # how many of each channel
        self._steps = Steps(owner, connectors, files, Pacer(store))
        self._worker = Worker(self._claim, self._send_one, at_once=AT_ONCE)
        self._logger: Any = structlog.get_logger("santral.outbox")

    def wake(self) -> None:
        """Says that there may be something to send."""
        self._worker.wake()

    async def run(self) -> None:
        """Claims and sends until cancelled; what is being sent then goes on, and `drain` awaits it."""
        await self._worker.run()

    async def drain(self, seconds: float) -> None:
        """Returns when what is being sent has left, or after that time; then it is cut off."""
        await self._worker.drain(seconds)

    async def recover(self, alive: list[str]) -> None:
        """Takes up what dead processes left."""
        for item in await self._store.outbox.abandoned(alive):
            await self._take_up(item)
            self.wake()

    async def _wake_scheduled(self) -> None:
        """Queues the scheduled replies whose hour has come."""
        for due in await self._store.outbox.scheduled(datetime.now(UTC)):
            await self._store.write(functools.partial(self._steps.due, scheduled=due))

    async def _claim(self, most: int) -> list[OutboxItem]:
        await self._wake_scheduled()
        busy = [channel for channel, count in self._sending.items() if count >= OF_ONE_CHANNEL]
        ready = await self._store.outbox.ready(datetime.now(UTC), most, busy=busy)
        if not ready:
            return []

        async def change(unit: Unit) -> list[OutboxItem]:
            items = await unit.get(OutboxItem, [item.id for item in ready])  # as they stand now, not when asked for
            return [
                unit.put(replace(item, state="claimed", owner=self._owner))
                for item in self._within_share(items.values())
                if item.state == "queued" and item.due_at <= unit.now
            ]

        return await self._store.write(change)

    def _within_share(self, items: Iterable[OutboxItem]) -> Iterator[OutboxItem]:
        """Those for which their channel still has a place."""
        sending = Counter(self._sending)
        for item in items:
            sending[item.channel] += 1
            if sending[item.channel] <= OF_ONE_CHANNEL:
                yield item

    async def _send_one(self, item: OutboxItem) -> None:
        """Sends a claimed reply and stores what became of it. Never raises: the item would be nobody's."""
        self._sending[item.channel] += 1
        try:
            await self._try_safely(item)
        except NotOwnerError:
            self._logger.warning("reply taken over by another process", message=item.id, channel=item.channel)
        finally:
            self._sending[item.channel] -= 1

    async def _record(self, change: Change[T]) -> T:
        """Stores what we alone know of a reply."""
        return await insist(lambda: self._store.write(change))

    async def _try_safely(self, item: OutboxItem) -> None:
        """A mistake of ours counts as a failed try, so that it is told, and capped."""
        try:
            await self._try(item)
        except NotOwnerError:
            raise
        except Exception as error:
            self._logger.exception("reply failed unexpectedly", message=item.id, channel=item.channel)
            await self._failed(item, error)

    async def _try(self, item: OutboxItem) -> None:
        connector = self._connectors.get(item.channel)
        if connector is None:
            gone = PermanentError(f'channel "{item.channel}" is not in the configuration any more', code="channel-gone")
            await self._failed(item, gone)
            return
        try:
            reply, item = await self._store.write(lambda unit: self._steps.begin(unit, item))
        except UnavailableError:  # nobody knows whether that was written, but the platform was not asked
            await self._record(lambda unit: self._steps.not_begun(unit, item))
            return
        try:
            async with aclosing(_pieces(connector, reply, item.receipts)) as receipts:
                async for receipt in receipts:
                    item = await self._record(lambda unit, item=item, r=receipt: self._steps.left(unit, item, r))  # type: ignore[misc]
        except NotOwnerError:
            raise
        except Exception as error:
            if not isinstance(error, ConnectorError):
                self._logger.exception("connector raised", channel=item.channel, message=item.id)
            await self._failed(item, error)
        else:
            await self._record(lambda unit: self._steps.sent(unit, item))
            # At the first try it is due since its creation, or since its hour.
            since = reply.message.created_at if item.attempts > 1 else None
            self._metrics.sent(item.channel, datetime.now(UTC), since or item.due_at)
            self._logger.info("reply left", message=item.id, channel=item.channel, attempts=item.attempts)

    async def _failed(self, item: OutboxItem, error: Exception) -> None:
        code = error.code if isinstance(error, ConnectorError) else None
        self._not_sent(item, await self._record(lambda unit: self._steps.failure(unit, item, error)), code=code)

    async def _take_up(self, item: OutboxItem) -> None:
        state = await self._store.write(lambda unit: self._steps.abandoned(unit, item))
        if state is not None:
            self._not_sent(item, state, code=None)

    def _not_sent(self, item: OutboxItem, state: NotSent, *, code: str | None) -> None:
        self._metrics.not_sent(item.channel, state)
        self._logger.warning("reply did not leave", message=item.id, channel=item.channel, state=state, code=code)


async def _pieces(connector: Connector[Any], reply: Reply, done: Sequence[Receipt]) -> AsyncGenerator[Receipt, None]:
    """The receipts of a send, none of which is waited for without end."""
    async with aclosing(connector.send(reply, done)) as receipts:
        while True:
            try:
                async with asyncio.timeout(PIECE_SECONDS) as patience:
                    receipt = await anext(receipts)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                if not patience.expired():
                    raise
                raise UncertainError("the connector did not come back; it may have left") from error
            yield receipt
