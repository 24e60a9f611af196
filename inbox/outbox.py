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
"""

from __future__ import annotations

import asyncio
import functools
import random
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeVar

import structlog
from msgspec.structs import replace

from connectors.base import Connector, Receipt, Reply
from connectors.context import Files
from connectors.errors import (
    ConnectorError,
    PermanentError,
    TemporaryError,
    UnavailableError,
    UncertainError,
    UnreachableError,
)
from inbox import changes, delivery
from inbox.metrics import Metrics
from inbox.model import Conversation, Identity, OutboxItem, ThreadKey, WaitingChanges, scoped
from inbox.pacing import Pacer
from inbox.store import NotOwnerError, Store, Unit
from inbox.store.writer import Change
from inbox.worker import Worker, insist
from normalizer.codec import clean_structure
from normalizer.outcomes import Person
from normalizer.schema import Delivery, DeliveryError, Message, Recipient

AT_ONCE = 16  # replies that one process sends at the same time
OF_ONE_CHANNEL = 8  # of them: a platform that is slow must not hold up the others
PIECE_SECONDS = 600.0  # how long a connector may take for one piece; longer than any platform's own time-out
REFERENCES = 30

NotSent = Literal["queued", "failed", "unknown"]  # what becomes of a reply that a try did not send

T = TypeVar("T")


class OutboxWorker:
    """Sends what is due, while `run` runs."""

    def __init__(
        self, store: Store, owner: str, connectors: Mapping[str, Connector[Any]], files: Files, metrics: Metrics
    ) -> None:
        self._store = store
        self._owner = owner
        self._connectors = connectors
        self._files = files
        self._metrics = metrics
        self._sending: Counter[str] = Counter()  # how many of each channel
        self._pacer = Pacer(store)
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

            async def change(unit: Unit, id_: str = due.id) -> None:
                item = await unit.one(OutboxItem, id_)
                message = await unit.one(Message, id_)
                if item is None or message is None or message.delivery is None or item.state != "scheduled":
                    return
                connector = self._connectors.get(item.channel)
                if connector is not None and connector.capabilities.pull:
                    unit.remove(OutboxItem, id_)
                    _put(unit, replace(message, sent_at=unit.now), state="waiting", next_attempt_at=None)
                else:
                    unit.put(replace(item, state="queued"))
                    _put(unit, message, state="queued", next_attempt_at=None)

            await self._store.write(change)

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
            reply, item = await self._store.write(lambda unit: self._begin(unit, item))
        except UnavailableError:  # nobody knows whether that was written, but the platform was not asked
            await self._record(lambda unit: self._not_begun(unit, item))
            return
        try:
            async with aclosing(_pieces(connector, reply, item.receipts)) as receipts:
                async for receipt in receipts:
                    item = await self._record(lambda unit, item=item, r=receipt: self._left(unit, item, r))  # type: ignore[misc]
        except NotOwnerError:
            raise
        except Exception as error:
            if not isinstance(error, ConnectorError):
                self._logger.exception("connector raised", channel=item.channel, message=item.id)
            await self._failed(item, error)
        else:
            await self._record(lambda unit: self._sent(unit, item))
            # At the first try it is due since its creation, or since its hour.
            since = reply.message.created_at if item.attempts > 1 else None
            self._metrics.sent(item.channel, datetime.now(UTC), since or item.due_at)
            self._logger.info("reply left", message=item.id, channel=item.channel, attempts=item.attempts)

    async def _begin(self, unit: Unit, claimed: OutboxItem) -> tuple[Reply, OutboxItem]:
        """Writes `sending`, and gathers what the connector needs."""
        item, message, state = await self._mine(unit, claimed, "claimed")
        identity = await unit.one(Identity, item.identity_id)
        conversation = await unit.one(Conversation, item.conversation_id)
        assert identity is not None  # identities are never deleted while a reply to them is on its way
        connector = self._connectors[item.channel]
        item = unit.put(replace(item, state="sending", attempts=item.attempts + 1))
        message = _put(unit, message, state="sending", attempts=state.attempts + 1, next_attempt_at=None)
        earlier = await unit.references(item.conversation_id, item.channel, item.seq, REFERENCES)
        agent = await unit.agent(message.author.id) if message.author.id else None
        reply = Reply(
            message=message,
            answered=await _answered(unit, item, message, quotes=connector.capabilities.quotes),
            signature=agent.signature if agent else None,
            person=Person(kind=identity.kind, value=identity.value, name=identity.name, verified=identity.verified),
            files=self._files,
            thread_key=item.thread_key,
            references=tuple(earlier),
            subject=message.subject or (conversation.subject if conversation else None),
            to=item.to,
            cc=item.cc,
            bcc=item.bcc,
            pace=functools.partial(
                self._pacer.wait,
                item.channel,
                connector.paced_by(item.thread_key),
                connector.rates(item.thread_key),
            ),
        )
        return reply, item

    async def _not_begun(self, unit: Unit, claimed: OutboxItem) -> None:
        item, message, _ = await self._mine(unit, claimed, "claimed", "sending")
        unit.put(replace(item, state="queued", owner=None))
        _put(unit, message, state="queued")

    async def _left(self, unit: Unit, sending: OutboxItem, receipt: Receipt) -> OutboxItem:
        """A piece has left: remembers it, and the thread key under which answers to it will come."""
        item, message, _ = await self._mine(unit, sending, "sending")
        receipt = clean_structure(receipt)
        ids = tuple(dict.fromkeys((*message.external.ids, receipt.external_id, *receipt.others)))
        external = replace(message.external, id=message.external.id or receipt.external_id, ids=ids)
        message = replace(message, external=external)
        if receipt.recipient is not None:
            message = _with_recipient(message, receipt.recipient)
        key = scoped(item.channel, receipt.external_id)
        waiting = await unit.one(WaitingChanges, key)
        if waiting is not None:  # the platform told of its fate before it told us its id
            unit.remove(WaitingChanges, key)
            message = changes.caught_up(message, waiting)
        unit.put(message)
        thread = scoped(item.channel, receipt.thread_key or receipt.external_id)
        if self._connectors[item.channel].capabilities.threads and await unit.one(ThreadKey, thread) is None:
            unit.put(ThreadKey(id=thread, conversation_id=item.conversation_id))
        known = receipt in item.receipts  # it was stored, and only the answer was lost
        return item if known else unit.put(replace(item, receipts=(*item.receipts, receipt)))

    async def _sent(self, unit: Unit, sending: OutboxItem) -> None:
        """All pieces have left."""
        item, message, state = await self._mine(unit, sending, "sending")
        unit.remove(OutboxItem, item.id)
        recipients = tuple(
            replace(one, state="sent") if one.state in ("queued", "sending") else one for one in state.recipients
        )
        message = replace(message, sent_at=message.sent_at or unit.now)
        if state.state == "sending":
            _put(unit, message, state="sent", error=None, sent_at=unit.now, recipients=recipients)
        else:  # the platform's report of its fate was quicker than its answer
            _put(unit, message, sent_at=state.sent_at or unit.now)

    async def _failed(self, item: OutboxItem, error: Exception) -> None:
        code = error.code if isinstance(error, ConnectorError) else None
        self._not_sent(item, await self._record(lambda unit: self._failure(unit, item, error)), code=code)

    async def _take_up(self, item: OutboxItem) -> None:
        state = await self._store.write(lambda unit: self._abandoned(unit, item))
        if state is not None:
            self._not_sent(item, state, code=None)

    def _not_sent(self, item: OutboxItem, state: NotSent, *, code: str | None) -> None:
        self._metrics.not_sent(item.channel, state)
        self._logger.warning("reply did not leave", message=item.id, channel=item.channel, state=state, code=code)

    async def _failure(self, unit: Unit, tried: OutboxItem, error: Exception) -> NotSent:
        item, message, _ = await self._mine(unit, tried, "claimed", "sending")
        if item.state == "claimed":  # it failed before `_begin` could count it
            item = replace(item, attempts=item.attempts + 1)
        known = error if isinstance(error, ConnectorError) else TemporaryError("the connector failed unexpectedly")
        for recipient in known.recipients:
            message = _with_recipient(message, clean_structure(recipient))
        connector = self._connectors.get(item.channel)
        if isinstance(known, UncertainError) and not (connector and connector.capabilities.idempotent_send):
            return self._park(unit, item, message, "unknown", known, temporary=False)
        if isinstance(known, UnreachableError):
            await self._shut_out(unit, item, known)
        if isinstance(known, PermanentError):
            return self._park(unit, item, message, "failed", known, temporary=False)
        if item.attempts >= delivery.MAX_ATTEMPTS:
            return self._park(unit, item, message, "failed", known, temporary=True)
        return self._later(unit, item, message, known)

    async def _shut_out(self, unit: Unit, item: OutboxItem, error: UnreachableError) -> None:
        """Remembers that a person cannot be written to, so that the next reply is not written in vain."""
        identity = await unit.one(Identity, item.identity_id)
        if identity is not None:
            unit.put(clean_structure(replace(identity, unreachable=error.reason)))

    def _park(
        self,
        unit: Unit,
        item: OutboxItem,
        message: Message,
        state: Literal["failed", "unknown"],
        error: ConnectorError,
        *,
        temporary: bool,
    ) -> NotSent:
        unit.put(replace(item, state="parked", owner=None))
        told = clean_structure(DeliveryError(code=error.code, text=error.reason, temporary=temporary))
        _put(unit, message, state=state, error=told, next_attempt_at=None)
        return state

    def _later(self, unit: Unit, item: OutboxItem, message: Message, error: ConnectorError) -> NotSent:
        asked = error.retry_after if isinstance(error, TemporaryError) else None
        wait = timedelta(seconds=asked) if asked is not None else delivery.pause(item.attempts, random.random())  # noqa: S311
        due = unit.now + wait
        unit.put(replace(item, state="queued", owner=None, due_at=due))
        told = clean_structure(DeliveryError(code=error.code, text=error.reason, temporary=True))
        _put(unit, message, state="queued", error=told, next_attempt_at=due)
        return "queued"

    async def _abandoned(self, unit: Unit, left: OutboxItem) -> NotSent | None:
        """What becomes of a reply whose worker is gone: nobody knows whether a send was done."""
        item = await unit.one(OutboxItem, left.id)
        message = await unit.one(Message, left.id)
        if item is None or message is None or item.owner != left.owner or item.state not in ("claimed", "sending"):
            return None
        connector = self._connectors.get(item.channel)
        if item.state == "claimed" or (connector is not None and connector.capabilities.idempotent_send):
            unit.put(replace(item, state="queued", owner=None))
            _put(unit, message, state="queued")
            return "queued"
        lost = UncertainError("the process that sent it was lost; it may have left")
        return self._park(unit, item, message, "unknown", lost, temporary=False)

    async def _mine(
        self, unit: Unit, expected: OutboxItem, *states: Literal["claimed", "sending"]
    ) -> tuple[OutboxItem, Message, Delivery]:
        item = await unit.one(OutboxItem, expected.id)
        message = await unit.one(Message, expected.id)
        if item is None or message is None or message.delivery is None:
            raise NotOwnerError(f"reply {expected.id} is gone")
        if item.owner != self._owner or item.state not in states:
            raise NotOwnerError(f"reply {expected.id} is another's")
        return item, message, message.delivery


async def _answered(unit: Unit, item: OutboxItem, message: Message, *, quotes: bool) -> Message | None:
    """What a reply answers: what its writer named, else the last that its reader wrote before it. Never a note."""
    named = message.relations.reply_to
    if not named and not quotes:
        return None
    found = await (unit.one(Message, named) if named else unit.written_before(item))
    return found if found and found.direction != "note" and found.deleted_at is None else None


def _put(unit: Unit, message: Message, **changes: Any) -> Message:  # noqa: ANN401 (fields of Delivery)
    assert message.delivery is not None  # only replies have a place in the outbox
    return unit.put(replace(message, delivery=replace(message.delivery, **changes)))


def _with_recipient(message: Message, recipient: Recipient) -> Message:
    assert message.delivery is not None  # only replies have a place in the outbox
    others = tuple(one for one in message.delivery.recipients if one.address.lower() != recipient.address.lower())
    return replace(message, delivery=replace(message.delivery, recipients=(*others, recipient)))


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
