"""A request of Slack on its way into the journal: its key, and whose it is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from normalizer.fields import Fields, record, text
from normalizer.outcomes import Raw
from normalizer.slack.event import is_written
from normalizer.slack.people import is_place
from normalizer.slack.request import read


class Arrival(Struct, frozen=True, kw_only=True):
    """A request to be journaled, and what it tells; None where it is none."""

    raw: Raw
    told: Fields | None


def arrival(
    body: bytes, content_type: str, at: datetime, names: Mapping[str, str], told: Fields | None = None
) -> Arrival:
    """How a request is kept: under the platform's own mark, else under its content's."""
    if told is None:
        told = read(body, content_type)
    event = record(told or {}, "event")
    key = _key(told or {}, event) or hashlib.sha256(body).hexdigest()
    envelope: dict[str, Any] = {"names": dict(names)} if names else {}
    sender = _sender(told or {}, event)
    raw = Raw(key=key, body=body, content_type=content_type, received_at=at, envelope=envelope, sender=sender)
    return Arrival(raw=raw, told=told)


def _key(told: Fields, event: Fields) -> str:
    """The platform's own mark: of a post its channel and time, whichever event tells of it, and the history too.

    Other events have an `event_id`, one over all their tries; what people press has a `trigger_id`.
    """
    if not event:
        return text(told, "trigger_id")
    channel, ts = text(event, "channel"), text(event, "ts")
    if is_written(event) and is_place(channel, ts):
        return f"message:{channel}/{ts}"
    return text(told, "event_id")


def _sender(told: Fields, event: Fields) -> str | None:
    """The channel: what is said there is understood in its order."""
    item = record(event, "item")
    return text(event, "channel") or text(item, "channel") or text(told, "channel_id") or None
