"""What happens in a Telegram chat and nobody writes: members, pins, payments, a group that moves."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from normalizer.fields import Fields, number, record, records, text
from normalizer.schema import Part
from normalizer.telegram.content import ENVELOPE, amount
from normalizer.telegram.people import name_of, sender
from normalizer.text import one_line, shorten

# As the Bot API names what happened: by a past participle, or an object that is handed over.
_HAPPENED = re.compile(
    r"_(added|allowed|approved|changed|closed|completed|created|declined|deleted|done|edited|ended|failed|gifted|hidden"
    r"|invited|joined|left|paid|refunded|removed|reopened|scheduled|sent|set|shared|started|triggered|unhidden|updated)$"
)
_OTHERS = frozenset(
    ("connected_website", "delete_chat_photo", "gift", "new_chat_photo", "passport_data", "unique_gift")
)


def service(message: Fields) -> Part | None:
    """The event that a service message tells of; None where it is none."""
    for name, read in _READ.items():
        if name in message:
            return Part(type=name, text=read(message))
    for name in message:
        if name not in ENVELOPE and (name in _OTHERS or _HAPPENED.search(name)):
            return Part(type=name, text=one_line(shorten(name, 100).replace("_", " ").capitalize()))
    return None


def migrated(message: Fields) -> tuple[int, int] | None:
    """From and to which chat a group has moved, where this message tells so."""
    here = number(record(message, "chat"), "id")
    to, came = number(message, "migrate_to_chat_id"), number(message, "migrate_from_chat_id")
    if here is None:
        return None
    return (here, to) if to is not None else (came, here) if came is not None else None


def _joined(message: Fields) -> str:
    names = ", ".join(name_of(member) or "somebody" for member in records(message, "new_chat_members"))
    return f"{names or 'Somebody'} joined"


def _left(message: Fields) -> str:
    return f"{name_of(record(message, 'left_chat_member')) or 'Somebody'} left"


def _pinned(message: Fields) -> str:
    pinned = record(message, "pinned_message")
    said = one_line(text(pinned, "text") or text(pinned, "caption"))
    return f"{_who(message)} pinned: {shorten(said, 200)}" if said else f"{_who(message)} pinned a message"


def _titled(message: Fields) -> str:
    return f"{_who(message)} named this chat {one_line(text(message, 'new_chat_title'))}"


def _moved(_: Fields) -> str:
    return "This group became a supergroup"


def _payment(message: Fields) -> str:
    paid = record(message, "successful_payment")
    return f"Paid {amount(number(paid, 'total_amount'), text(paid, 'currency'))}"


def _refund(message: Fields) -> str:
    paid = record(message, "refunded_payment")
    return f"Refunded {amount(number(paid, 'total_amount'), text(paid, 'currency'))}"


def _web_app(message: Fields) -> str:
    return f"Sent by a web app: {shorten(one_line(text(record(message, 'web_app_data'), 'data')), 1000)}"


def _topic(message: Fields) -> str:
    return f"{_who(message)} began the topic {one_line(text(record(message, 'forum_topic_created'), 'name'))}"


def _who(message: Fields) -> str:
    return name_of(sender(message)) or "Somebody"


_READ: Mapping[str, Callable[[Fields], str]] = {
    "new_chat_members": _joined,
    "left_chat_member": _left,
    "pinned_message": _pinned,
    "new_chat_title": _titled,
    "migrate_to_chat_id": _moved,
    "migrate_from_chat_id": _moved,
    "successful_payment": _payment,
    "refunded_payment": _refund,
    "web_app_data": _web_app,
    "forum_topic_created": _topic,
}
