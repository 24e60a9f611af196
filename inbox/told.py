"""How an event is told: by request, over a stream, and to webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from inbox.events import to_cursor
from inbox.model import Event, EventType
from normalizer.codec import to_json
from normalizer.schema import Time

KEPT = 500  # written events; all streams are told of one at about the same time


class EventView(Struct, frozen=True, kw_only=True):
    """Something that happened; `id` is the cursor after it."""

    id: str
    type: EventType
    at: Time
    conversation_id: str | None
    message_id: str | None
    data: Mapping[str, Any]


def event_view(event: Event) -> EventView:
    """An event of the log."""
    return EventView(
        id=to_cursor(event.id),
        type=event.type,
        at=event.at,
        conversation_id=event.conversation_id,
        message_id=event.message_id,
        data=event.data,
    )


class Teller:
    """Writes each event once, however many hear of it: two hundred streams would write it two hundred times."""

    def __init__(self) -> None:
        self._written: dict[int, bytes] = {}

    def json(self, event: Event) -> bytes:
        """The event as JSON."""
        written = self._written.get(event.id)
        if written is None:
            if len(self._written) >= KEPT:
                self._written = {}
            written = self._written[event.id] = to_json(event_view(event))
        return written
