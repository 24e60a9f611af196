"""How a reply's delivery goes on: the states, and what a platform's word about one changes. Pure."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from normalizer.outcomes import DeliveryUpdate
from normalizer.schema import Delivery, DeliveryState, Recipient

# How far a reply has come; a report that is older than what is known changes nothing.
PROGRESS: dict[DeliveryState, int] = {
    "scheduled": 0,
    "queued": 1,
    "waiting": 2,
    "sending": 3,
    "unknown": 4,
    "sent": 5,
    "delivered": 6,
    "read": 7,
}
RETRYABLE: frozenset[DeliveryState] = frozenset({"failed", "unknown"})
CANCELLABLE: frozenset[DeliveryState] = frozenset({"queued", "scheduled", "waiting"})

MAX_ATTEMPTS = 12
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=2)


def lane(channel: str, conversation_id: str) -> str:
    """Replies of one lane leave in order."""
    return f"{channel}|{conversation_id}"


def pause(attempts: int, jitter: float) -> timedelta:
    """How long to wait after that many failed attempts: doubling, with `jitter` (0 to 1) spreading it by half."""
    doubled: timedelta = FIRST_PAUSE * 2 ** min(attempts - 1, 20)
    return min(doubled, LONGEST_PAUSE) * (0.75 + jitter / 2)


def updated(delivery: Delivery, update: DeliveryUpdate) -> Delivery:
    """The delivery after the platform's report."""
    recipients = tuple(_recipient(one, update) for one in delivery.recipients)
    if delivery.state == "cancelled":
        return delivery
    if update.state == "failed":
        others_reached = any(one.state != "failed" for one in recipients)
        state = delivery.state if others_reached else "failed"
        return replace(delivery, state=state, error=update.error or delivery.error, recipients=recipients)
    hides = delivery.state == "sent" and delivery.error is not None and not delivery.error.temporary
    if not _is_news(delivery.state, update) or (_is_delay(update) and hides):
        return replace(delivery, recipients=recipients)
    return replace(
        delivery,
        state=update.state,
        error=update.error,
        next_attempt_at=None,
        sent_at=delivery.sent_at or update.at,
        delivered_at=delivery.delivered_at or (update.at if update.state in ("delivered", "read") else None),
        read_at=update.at if update.state == "read" else delivery.read_at,
        recipients=recipients,
    )


def _is_delay(update: DeliveryUpdate) -> bool:
    """It has left, and whoever has it now goes on trying."""
    return update.state == "sent" and update.error is not None


def _is_news(state: DeliveryState, update: DeliveryUpdate) -> bool:
    """Whether a report goes beyond what is known; a delay is older than a failure, whenever it comes."""
    if update.state == "failed":
        return True
    if _is_delay(update) and state in ("sent", "failed"):
        return state == "sent"
    return PROGRESS.get(update.state, 0) > PROGRESS.get(state, -1)


def _recipient(recipient: Recipient, update: DeliveryUpdate) -> Recipient:
    """A report that names nobody is about everybody; one that is older than what is known changes nothing."""
    if update.recipient is not None and update.recipient.lower() != recipient.address.lower():
        return recipient
    if not _is_news(recipient.state, update):
        return recipient
    error = update.error
    return replace(
        recipient,
        state=update.state,
        code=error.code if error else recipient.code,
        text=error.text if error else recipient.text,
    )
