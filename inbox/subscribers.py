"""Who is told of events by HTTP, and what is on its way to them."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from inbox.model import EventType
from normalizer.schema import Time


class WebhookSecret(Struct, frozen=True, kw_only=True):
    """What a subscriber knows our calls by; an earlier one signs beside the new one until its time is over."""

    value: str
    until: Time | None = None


class Webhook(Struct, frozen=True, kw_only=True):
    """A subscriber who is told of events by HTTP.

    Attributes:
        events: the types that they want; none is all.
        position: up to which event they have been served.
        failing_since: since when nothing has come through.
        reason: why it was switched off, where Santral did that.
    """

    id: str
    name: str
    url: str
    events: tuple[EventType, ...] = ()
    active: bool = True
    position: int
    secrets: tuple[WebhookSecret, ...]
    failing_since: Time | None = None
    reason: str | None = None
    created_at: Time


class WebhookDelivery(Struct, frozen=True, kw_only=True):
    """An event on its way to a subscriber. `id` is `webhook|position`, so that it is one however often it is made.

    Attributes:
        event_id: the event's cursor.
        state: `pending` until it has come through, or was given up.
        due_at: when it is tried next; while somebody tries it, when it is another's to try.
        status: what the subscriber answered last; `error` in words where it was no good answer.
    """

    id: str
    webhook_id: str
    event_id: str
    type: str
    state: Literal["pending", "delivered", "failed"] = "pending"
    attempts: int = 0
    due_at: Time
    status: int | None = None
    error: str | None = None
    body: bytes
    conversation_id: str | None = None
    customer_id: str | None = None
    created_at: Time
