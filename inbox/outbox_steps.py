"""The steps of a reply on its way out, each as it is written: inside a transaction, and only by who has claimed it.

`inbox.outbox` says what the policy is, and takes them.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

from msgspec.structs import replace

from connectors.base import Connector, Receipt, Reply
from connectors.context import Files
from connectors.errors import ConnectorError, PermanentError, TemporaryError, UncertainError, UnreachableError
from inbox import changes, delivery, follow_ups
from inbox.identity import with_reach
from inbox.model import Conversation, Identity, OutboxItem, ThreadKey, WaitingChanges, scoped
from inbox.pacing import Pacer
from inbox.store import NotOwnerError, Unit
from normalizer.codec import clean_structure
from normalizer.outcomes import Person
from normalizer.schema import Delivery, DeliveryError, Message, Recipient

REFERENCES = 30

NotSent = Literal["queued", "failed", "unknown"]  # what becomes of a reply that a try did not send


class Steps:
    """What one process writes of replies.

    Each step raises NotOwnerError where the reply is another's by now, but `due` and `abandoned`, which find nothing
    to do then.
    """

    def __init__(self, owner: str, connectors: Mapping[str, Connector[Any]], files: Files, pacer: Pacer) -> None:
        self._owner = owner
        self._connectors = connectors
        self._files = files
        self._pacer = pacer

    async def due(self, unit: Unit, scheduled: OutboxItem) -> None:
        """The hour of a scheduled reply has come: it is queued, or waits for who fetches it."""
        item = await unit.one(OutboxItem, scheduled.id)
        message = await unit.one(Message, scheduled.id)
        if item is None or message is None or message.delivery is None or item.state != "scheduled":
            return
        connector = self._connectors.get(item.channel)
        if connector is not None and connector.capabilities.pull:
            unit.remove(OutboxItem, item.id)
            message = _put(unit, replace(message, sent_at=unit.now), state="waiting", next_attempt_at=None)
            await follow_ups.remember(unit, message, connector)
        else:
            unit.put(replace(item, state="queued"))
            _put(unit, message, state="queued", next_attempt_at=None)

    async def begin(self, unit: Unit, claimed: OutboxItem) -> tuple[Reply, OutboxItem]:
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
            picture=f"{connector.channel.public_url}/pictures/{agent.picture}" if agent and agent.picture else None,
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

    async def not_begun(self, unit: Unit, claimed: OutboxItem) -> None:
        """Queues it again: nobody knows whether `sending` was written, but the platform was not asked."""
        item, message, _ = await self._mine(unit, claimed, "claimed", "sending")
        unit.put(replace(item, state="queued", owner=None))
        _put(unit, message, state="queued")

    async def left(self, unit: Unit, sending: OutboxItem, receipt: Receipt) -> OutboxItem:
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
        answered_in = receipt.thread_key
        if answered_in is None and self._connectors[item.channel].capabilities.threads:
            answered_in = receipt.external_id
        if answered_in is not None and await unit.one(ThreadKey, scoped(item.channel, answered_in)) is None:
            unit.put(ThreadKey(id=scoped(item.channel, answered_in), conversation_id=item.conversation_id))
        known = receipt in item.receipts  # it was stored, and only the answer was lost
        return item if known else unit.put(replace(item, receipts=(*item.receipts, receipt)))

    async def sent(self, unit: Unit, sending: OutboxItem) -> None:
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

    async def failure(self, unit: Unit, tried: OutboxItem, error: Exception) -> NotSent:
        """What becomes of a reply whose try ended with this error."""
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
        """Remembers that a person cannot be written to by this channel: the next reply is not written in vain."""
        identity = await unit.one(Identity, item.identity_id)
        if identity is not None:
            unit.put(clean_structure(with_reach(identity, item.channel, error.reason)))

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

    async def abandoned(self, unit: Unit, left: OutboxItem) -> NotSent | None:
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
