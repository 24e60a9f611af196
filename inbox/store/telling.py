"""What a change is told as: an event, made from what was and what is."""

from __future__ import annotations

from datetime import datetime

import msgspec

from inbox.model import Conversation, Customer, Event, EventType
from inbox.sight import Audience, audience
from inbox.store.documents import Stored
from normalizer.codec import to_builtins
from normalizer.schema import Message


def event_of(
    value: Message | Conversation | Customer,
    position: int,
    now: datetime,
    customers: dict[str, Customer],
    *,
    before: Stored | None,
    told: Audience | None,
) -> Event:
    """That something is new, or changed; `before` is as it was, `told` who may hear of it."""
    if isinstance(value, Message):
        return Event(
            id=position,
            type=_message_event(value, before),
            at=now,
            conversation_id=value.conversation_id,
            message_id=value.id,
            channel=value.channel,
            thread_key=value.external.thread_key if value.direction != "note" else None,
            audience=told,
            data={"message": to_builtins(value)},
        )
    if isinstance(value, Conversation):
        kind: EventType = "conversation.updated" if before else "conversation.created"
        if value.merged_into:
            kind = "conversation.merged"
        snapshot = {**to_builtins(value), "customer": _brief(customers.get(value.customer_id))}
        return Event(
            id=position,
            type=kind,
            at=now,
            conversation_id=value.id,
            audience=told,
            data={"conversation": snapshot},
        )
    kind = "customer.updated" if before else "customer.created"
    if value.merged_into and not (isinstance(before, Customer) and before.merged_into):
        kind = "customer.merged"
    return Event(id=position, type=kind, at=now, data={"customer": to_builtins(value)})


def erasure_of(value: Conversation | Customer, position: int, now: datetime) -> Event:
    """That something is gone, and nothing more of it."""
    if isinstance(value, Customer):
        return Event(id=position, type="customer.erased", at=now, data={"customer": {"id": value.id}})
    return Event(
        id=position,
        type="conversation.erased",
        at=now,
        conversation_id=value.id,
        audience=audience(value),
        data={"conversation": {"id": value.id}},
    )


def _message_event(message: Message, before: Stored | None) -> EventType:
    """Whether a message is new, says something new, or has only come further on its way."""
    if not isinstance(before, Message):
        return "message.created"
    said_the_same = msgspec.structs.replace(
        before, delivery=message.delivery, external=message.external, sent_at=message.sent_at
    )
    return "message.delivery_updated" if said_the_same == message else "message.updated"


def _brief(customer: Customer | None) -> dict[str, str | None] | None:
    return {"id": customer.id, "name": customer.name, "avatar": customer.avatar} if customer else None
