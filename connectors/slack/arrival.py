"""A request of Slack on its way into the journal: its key, whose it is, and what must be known of it at once.

All of them are read here before they are acknowledged, so no more is decoded than is asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

import msgspec
from msgspec import Struct

from normalizer.fields import record, text
from normalizer.outcomes import Raw
from normalizer.slack.mrkdwn import mentioned
from normalizer.slack.people import is_place
from normalizer.slack.request import read

_ABOUT_ANOTHER = ("message_changed", "message_deleted")  # subtypes of events that change what stands already


class _Item(Struct, frozen=True):
    channel: str = ""


class _Event(Struct, frozen=True):
    type: str = ""
    subtype: str = ""
    channel: str = ""
    ts: str = ""
    item: _Item = _Item()


class _Request(Struct, frozen=True):
    type: str = ""
    challenge: str = ""
    event_id: str = ""
    trigger_id: str = ""
    channel_id: str = ""
    command: str = ""
    event: msgspec.Raw = msgspec.Raw()


class Arrival(Struct, frozen=True, kw_only=True):
    """A request to be journaled.

    Attributes:
        key: the platform's own mark, else that of its content.
        body: what came.
        content_type: its type.
        sender: the channel: what is said there is understood in its order.
        event: the type of the event that it tells of, or its own where it tells of none.
        command: the slash command that it is; empty where it is none.
        challenge: what Slack wants to hear back, where it asks whether the hook is ours.
        mentions: the ids of users and channels that it names by them alone.
    """

    key: str
    body: bytes
    content_type: str
    sender: str | None
    event: str
    command: str
    challenge: str | None
    mentions: tuple[str, ...]

    def raw(self, at: datetime, names: Mapping[str, str]) -> Raw:
        """As it is journaled: what came at that time, and the names of whom it mentions."""
        return Raw(
            key=self.key,
            body=self.body,
            content_type=self.content_type,
            received_at=at,
            envelope={"names": names} if names else {},
            sender=self.sender,
        )


_request = msgspec.json.Decoder(_Request).decode
_event = msgspec.json.Decoder(_Event).decode


def arrival(body: bytes, content_type: str) -> Arrival:
    """What a request is kept under, and what is to be known of it at once."""
    try:
        request = _request(body)
        event = _event(request.event) if request.event else None
    except (msgspec.DecodeError, RecursionError):  # a form, a field of another type, or nothing of Slack's
        request, event = _leniently(body, content_type)
    return Arrival(
        key=_key(request, event) or hashlib.sha256(body).hexdigest(),
        body=body,
        content_type=content_type,
        sender=((event.channel or event.item.channel) if event else "") or request.channel_id or None,
        event=event.type if event else request.type,
        command=request.command,
        challenge=request.challenge if request.type == "url_verification" else None,
        mentions=(*_unsaid(event), *mentioned(bytes(request.event))),
    )


def _leniently(body: bytes, content_type: str) -> tuple[_Request, _Event | None]:
    """The same of whatever came: a field of another type is as if absent."""
    told = read(body, content_type) or {}
    plain = {name: text(told, name) for name in _Request.__struct_fields__ if name != "event"}
    request = _Request(**plain, event=msgspec.Raw(body))  # mentions are looked for in all of it
    event = record(told, "event")
    if not event:
        return request, None
    item = _Item(channel=text(record(event, "item"), "channel"))
    return request, _Event(**{name: text(event, name) for name in ("type", "subtype", "channel", "ts")}, item=item)


def _unsaid(event: _Event | None) -> tuple[str, ...]:
    """The channel of a mention, which does not say of what kind it is: its name tells that of a few people's."""
    if event is None or event.type != "app_mention" or not is_place(event.channel, event.ts):
        return ()
    return (event.channel,)


def _key(request: _Request, event: _Event | None) -> str:
    """The platform's own mark: of what stands in a channel its place, whichever event tells of it, the history too.

    Other events have an `event_id`, one over all their tries; what people press has a `trigger_id`.
    """
    if event is None:
        return request.trigger_id
    stands = event.type in ("message", "app_mention") and event.subtype not in _ABOUT_ANOTHER
    if stands and is_place(event.channel, event.ts):
        return f"message:{event.channel}/{event.ts}"
    return request.event_id
