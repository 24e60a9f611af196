"""Who writes on Telegram: users, groups and channels as persons."""

from __future__ import annotations

from typing import Any

from normalizer.fields import Fields, number, record, text
from normalizer.outcomes import Person
from normalizer.text import one_line

KIND = "telegram"
GROUPS = ("group", "supergroup")
DIRECT = "direct:"  # before a topic in a thread key


def name_of(who: Fields) -> str | None:
    """A user's or a chat's name."""
    name = text(who, "title") or f"{text(who, 'first_name')} {text(who, 'last_name')}"
    return one_line(name) or one_line(text(who, "username")) or None


def person(who: Fields) -> Person | None:
    """A user or a chat; None where it has no id. Telegram's ids prove themselves."""
    id_ = number(who, "id")
    return None if id_ is None else Person(kind=KIND, value=str(id_), name=name_of(who), verified=True)


def talker(message: Fields) -> Fields:
    """Who talks with a channel, in its direct messages; nothing elsewhere."""
    return record(record(message, "direct_messages_topic"), "user")


def customer_of(message: Fields) -> Person | None:
    """Whose conversation a message stands in: the chat's, or of who talks with a channel there."""
    return person(talker(message)) or person(record(message, "chat"))


def sender(message: Fields) -> Fields:
    """Who wrote a message: the chat in whose name it stands (a channel, an anonymous admin's group), else the user."""
    return record(message, "sender_chat") or record(message, "from")


def about(message: Fields) -> dict[str, Any]:
    """What only Telegram has to say of a message's place and writer."""
    chat, user = record(message, "chat"), sender(message)
    said = {
        "telegram.chat": {name: chat[name] for name in ("id", "type", "title", "username") if name in chat},
        "telegram.from": {name: user[name] for name in ("id", "username", "language_code", "is_bot") if name in user},
        "telegram.message_id": number(message, "message_id"),
        "telegram.topic": topic(message),
        "telegram.direct_messages_topic": direct_topic(message),
        "telegram.business_connection": text(message, "business_connection_id"),
        "telegram.media_group_id": text(message, "media_group_id"),
        "telegram.signature": one_line(text(message, "author_signature")),
    }
    return {name: value for name, value in said.items() if value}


def topic(message: Fields) -> int | None:
    """The forum topic of a message. Outside of forums `message_thread_id` names a mere chain of answers."""
    return number(message, "message_thread_id") if message.get("is_topic_message") is True else None


def direct_topic(message: Fields) -> int | None:
    """Whose talk with a channel a direct message belongs to: all of them stand in one chat."""
    return number(record(message, "direct_messages_topic"), "topic_id")


def thread_key(message: Fields) -> str:
    """`chat`, `chat/topic`, `chat/direct:topic`, or `chat@connection` for the chat of a business that the bot answers.

    Of a channel's direct messages the topic is somebody's talk with it.
    """
    chat = number(record(message, "chat"), "id")
    if connection := text(message, "business_connection_id"):
        return f"{chat}@{connection}"
    if (talk := direct_topic(message)) is not None:
        return f"{chat}/{DIRECT}{talk}"
    place = topic(message)
    return f"{chat}/{place}" if place is not None else str(chat)


def external_id(chat: int | None, message_id: int | None, connection: str = "") -> str:
    """What Telegram calls a message: `chat/number`, or `chat@connection/number` in a chat of a connected business.

    A number is unique within a chat only, and each account numbers its private chats by itself: of one customer the bot
    and two businesses may have a message of the same number.
    """
    return f"{chat}@{connection}/{message_id}" if connection else f"{chat}/{message_id}"


def called(told: Fields, message_id: int | None) -> str:
    """The external id of a message in the chat of which something is told."""
    return external_id(number(record(told, "chat"), "id"), message_id, text(told, "business_connection_id"))


def located(external_id: str) -> tuple[str, int] | None:
    """The chat and the number of a message; None where it bears no name of Telegram's."""
    place, _, message_id = external_id.rpartition("/")
    return (place.partition("@")[0], int(message_id)) if message_id.isdecimal() else None
