"""An update on its way into the journal: its key, whose it is, and whether somebody waits for a sign."""

from __future__ import annotations

import hashlib
from datetime import datetime

import msgspec
from msgspec import Struct

from normalizer.outcomes import Raw
from normalizer.telegram.people import external_id

CONTENT_TYPE = "application/json"


class _Chat(Struct):
    id: int = 0


class _Placed(Struct):
    """What is told of a message: where it stands."""

    chat: _Chat | None = None
    message_id: int = 0
    business_connection_id: str = ""


class _Query(Struct):
    id: str = ""
    message: _Placed | None = None


class _Update(Struct):
    update_id: int
    message: _Placed | None = None
    edited_message: _Placed | None = None
    channel_post: _Placed | None = None
    edited_channel_post: _Placed | None = None
    business_message: _Placed | None = None
    edited_business_message: _Placed | None = None
    deleted_business_messages: _Placed | None = None
    message_reaction: _Placed | None = None
    my_chat_member: _Placed | None = None
    callback_query: _Query | None = None

    def is_new(self) -> bool:
        """Whether it tells of a message, and not of what became of one."""
        return bool(self.message or self.business_message or self.channel_post)

    def place(self) -> _Placed | None:
        """The message that it is about."""
        return (
            self.message
            or self.edited_message
            or (self.callback_query and self.callback_query.message)
            or self.message_reaction
            or self.business_message
            or self.edited_business_message
            or self.deleted_business_messages
            or self.my_chat_member
            or self.channel_post
            or self.edited_channel_post
        )


class _Numbered(Struct):
    update_id: int


class Arrival(Struct, frozen=True, kw_only=True):
    """An update to be journaled.

    `update_id` is None where it has none; `callback` is the id of a button's press, whose presser sees a clock until
    it is answered.
    """

    raw: Raw
    update_id: int | None = None
    callback: str | None = None


_update = msgspec.json.Decoder(_Update)
_numbered = msgspec.json.Decoder(_Numbered)


def arrival(body: bytes, at: datetime, bot: int) -> Arrival:
    """How an update is kept: a message under its external id, anything else under the update's own number and that.

    Both after the bot's user id: another bot in its place counts updates, and messages in private chats, by itself.
    After a quiet week updates are numbered anew from anywhere (https://core.telegram.org/bots/api#update), and a number
    may meet an old one. What has none is kept under its content.
    """
    try:
        update = _update.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return _poorly_formed(body, at, bot)
    place, sender = update.place(), None
    key = str(update.update_id)
    if place is not None and place.chat is not None:
        sender = str(place.chat.id)
        told = external_id(place.chat.id, place.message_id, place.business_connection_id)
        key = f"message:{told}" if update.is_new() else f"{key}:{told}"
    query = update.callback_query
    raw = Raw(key=f"{bot}:{key}", body=body, content_type=CONTENT_TYPE, received_at=at, sender=sender)
    return Arrival(raw=raw, update_id=update.update_id, callback=query.id if query and query.id else None)


def _poorly_formed(body: bytes, at: datetime, bot: int) -> Arrival:
    digest = hashlib.sha256(body).hexdigest()
    try:
        number: int | None = _numbered.decode(body).update_id
    except (msgspec.DecodeError, RecursionError):
        number = None
    key = digest if number is None else f"{number}:{digest}"
    raw = Raw(key=f"{bot}:{key}", body=body, content_type=CONTENT_TYPE, received_at=at)
    return Arrival(raw=raw, update_id=number)
