"""Scheduled replies that are held: the customer wrote first, and what was to be said may not fit any more.

A held reply is `cancelled`, for it leaves by itself no more, with an error that says why. It keeps its place in the
outbox, so that it can be sent all the same to those whom it was for.

This happens in the transaction that applies the customer's message, and sending begins in one of its own. All
transactions come one after another, so a reply either began to leave before that message was there, or is held.
"""

from __future__ import annotations

from collections.abc import Collection

from msgspec.structs import replace

from inbox.model import Conversation
from inbox.store import Unit
from normalizer.schema import Delivery, DeliveryError, Message

CODE = "customer_wrote"
WAITING = ("scheduled", "queued", "claimed")  # the platform has not been asked


async def hold(unit: Unit, conversation_ids: Collection[str]) -> None:
    """Holds what was to leave in these conversations unless their customers write, which they did."""
    written = await unit.get(Conversation, conversation_ids)
    homes = {one.merged_into or one.id for one in written.values()}
    for item in await unit.replies_unless(homes | set(conversation_ids)):
        message = await unit.one(Message, item.id)
        if message is None or message.delivery is None or item.state not in WAITING or item.attempts:
            continue
        unit.put(replace(item, state="parked", owner=None, unless_customer_writes=False))
        told = DeliveryError(code=CODE, text="the customer wrote first", temporary=False)
        held = replace(message.delivery, state="cancelled", error=told, next_attempt_at=None)
        unit.put(replace(message, delivery=held))


def is_held(delivery: Delivery) -> bool:
    """Whether a reply waits for somebody to say whether it is to leave all the same."""
    return delivery.state == "cancelled" and delivery.error is not None and delivery.error.code == CODE
