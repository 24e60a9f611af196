"""What a Telegram message says: its text, its files, and what only Telegram has, each readable by itself."""

# ruff: noqa: SIM905  (a list of words is read best as prose)

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from normalizer.fields import Fields, decimal, number, record, records, text
from normalizer.outcomes import Remote
from normalizer.rich import to_html
from normalizer.schema import Attachment, Part
from normalizer.telegram import entities
from normalizer.telegram.files import files_of
from normalizer.telegram.people import called, name_of, sender
from normalizer.text import one_line, shorten, tidy

RICH_DEPTH = 40  # levels of a rich message that are read
RICH_LENGTH = 50_000
RICH_TEXTS = frozenset(("text", "caption", "title", "credit", "summary"))  # each one text, in fragments
RICH_GROUPS = frozenset(("blocks", "cells", "items"))
# Of the smallest unit of these a hundred do not make one (https://core.telegram.org/bots/payments/currencies.json).
WHOLE_CURRENCIES = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV".split())

# Fields of a message that say where it belongs, and nothing that its writer said.
ENVELOPE = frozenset(
    "message_id message_thread_id direct_messages_topic from sender_chat sender_boost_count sender_business_bot "
    "sender_tag date business_connection_id chat forward_origin is_topic_message is_automatic_forward reply_to_message "
    "external_reply quote reply_to_story reply_to_checklist_task_id reply_to_poll_option_id via_bot edit_date "
    "has_protected_content is_from_offline is_paid_post media_group_id author_signature paid_star_count entities "
    "link_preview_options suggested_post_info effect_id caption_entities show_caption_above_media has_media_spoiler "
    "reply_markup forward_from forward_from_chat forward_from_message_id forward_signature forward_sender_name "
    "forward_date guest_query_id guest_bot_caller_user guest_bot_caller_chat".split()
)


class Content(Struct, frozen=True, kw_only=True):
    """What a message says; a placeholder, and `said` is False, where nothing in it can be read by this version."""

    text: str
    html: str | None
    quoted: str | None
    parts: tuple[Part, ...]
    files: tuple[tuple[Attachment, Remote | None], ...]
    said: bool


def content(message: Fields) -> Content:
    """What a message says."""
    written, html = _written(message)
    payload = list(_payload(message))
    files = tuple(files_of(message))
    said = bool(written or payload or files)
    if not said:
        payload = [_unknown(message)]
    parts = (*_around(message), *payload)
    fallback = "\n".join(part.text for part in payload)
    return Content(
        text=written or fallback,
        html=html,
        quoted=tidy(text(record(message, "quote"), "text")) or None,
        parts=parts,
        files=files,
        said=said,
    )


def _unknown(message: Fields) -> Part:
    """The placeholder of a message in which nothing can be read by this version."""
    names = ", ".join(sorted(one_line(name) for name in message if name not in ENVELOPE)[:5]) or "nothing"
    return Part(type="unknown", text=f"A message that this version cannot show ({shorten(names, 200)})")


def _written(message: Fields) -> tuple[str, str | None]:
    """The text or the caption, and its HTML where it has any look."""
    name = "text" if "text" in message else "caption"
    raw = text(message, name)
    rich = entities.read(raw, records(message, "entities" if name == "text" else "caption_entities"))
    return raw, to_html(rich) if rich.spans else None


def _around(message: Fields) -> Iterator[Part]:
    """Where a message comes from and what it answers, as far as that is not in this conversation."""
    origin = record(message, "forward_origin")
    if origin:
        who = _writer_of(origin) or "somebody"
        yield Part(type="forward", text=f"Forwarded from {who}", data={"from": who})
    other = record(message, "external_reply")
    if other:
        who = _writer_of(record(other, "origin")) or "another chat"
        yield Part(type="external_reply", text=f"Answers a message of {who}", data={"from": who})
    story = record(message, "reply_to_story")
    if story:
        yield Part(type="story_reply", text=f"Answers a story of {name_of(record(story, 'chat')) or 'somebody'}")
    command, _, payload = text(message, "text").partition(" ")
    if command == "/start" and payload:
        yield Part(type="start", text=f"Came by a link: {one_line(payload)}", data={"payload": one_line(payload)})


def _writer_of(origin: Fields) -> str | None:
    """Who wrote what is forwarded or answered; of users who hide, Telegram tells a name alone."""
    told = (name_of(record(origin, field)) for field in ("sender_user", "sender_chat", "chat"))
    return next(filter(None, told), None) or one_line(text(origin, "sender_user_name")) or None


def answered(message: Fields) -> str | None:
    """The external id of the message that this one answers, where that stands in the same chat.

    In a forum each message "answers" the service message that made its topic.
    """
    other = record(message, "reply_to_message")
    if not other or "forum_topic_created" in other:
        return None
    return called(message, number(other, "message_id"))


def _payload(message: Fields) -> Iterator[Part]:
    for name, read in _PAYLOADS.items():
        if name in message and not (name == "location" and "venue" in message):
            part = read(record(message, name))
            moved = number(message, "edit_date") if name == "location" else None
            yield replace(part, data={**part.data, "moved_at": moved}) if moved else part


def _location(place: Fields) -> Part:
    latitude, longitude = decimal(place, "latitude"), decimal(place, "longitude")
    live = "Live location" if "live_period" in place else "Location"
    link = f"https://www.openstreetmap.org/?mlat={latitude}&mlon={longitude}#map=16/{latitude}/{longitude}"
    data = {"latitude": latitude, "longitude": longitude, "live_period": number(place, "live_period")}
    return Part(type="location", text=f"{live}: {latitude}, {longitude} {link}", data=_known(data))


def _venue(venue: Fields) -> Part:
    place = _location(record(venue, "location"))
    title, address = one_line(text(venue, "title")), one_line(text(venue, "address"))
    data = {**place.data, "title": title, "address": address}
    return Part(type="location", text=f"{title}, {address}. {place.text}", data=data)


def _contact(contact: Fields) -> Part:
    name, phone = name_of(contact), one_line(text(contact, "phone_number"))
    data = {"name": name, "phone": phone, "user_id": number(contact, "user_id"), "vcard": tidy(text(contact, "vcard"))}
    return Part(type="contact", text=f"Contact: {name}, {phone}", data=_known(data))


def _poll(poll: Fields) -> Part:
    question = tidy(text(poll, "question"))
    options = [one_line(text(option, "text")) for option in records(poll, "options")]
    return Part(
        type="poll",
        text="\n".join((f"Poll: {question}", *(f"• {option}" for option in options))),
        data={"question": question, "options": options, "id": text(poll, "id")},
    )


def _dice(dice: Fields) -> Part:
    emoji, value = text(dice, "emoji"), number(dice, "value")
    return Part(type="dice", text=f"{emoji} {value}", data={"emoji": emoji, "value": value})


def _sticker(sticker: Fields) -> Part:
    emoji = text(sticker, "emoji")
    told = _known({"emoji": emoji, "set": text(sticker, "set_name")})
    return Part(type="sticker", text=f"{emoji} (sticker)" if emoji else "(sticker)", data=told)


def _checklist(checklist: Fields) -> Part:
    title = one_line(text(checklist, "title"))
    tasks = [
        {"text": one_line(text(task, "text")), "done": bool(number(task, "completion_date"))}
        for task in records(checklist, "tasks")
    ]
    lines = (f"{'☑' if task['done'] else '☐'} {task['text']}" for task in tasks)
    told = "\n".join((f"Checklist: {title}", *lines))
    return Part(type="checklist", text=told, data={"title": title, "tasks": tasks})


def _invoice(invoice: Fields) -> Part:
    title, currency = one_line(text(invoice, "title")), text(invoice, "currency")
    total = number(invoice, "total_amount")
    data = {"title": title, "currency": currency, "total_amount": total}
    return Part(type="invoice", text=f"Invoice: {title}, {amount(total, currency)}", data=data)


def amount(total: int | None, currency: str) -> str:
    """Money in words: Telegram counts in the smallest unit, of which most currencies have a hundred."""
    if total is None:
        return one_line(currency)
    if currency == "XTR":
        return f"{total} stars"
    return f"{total} {currency}" if currency in WHOLE_CURRENCIES else f"{total / 100:.2f} {one_line(currency)}"


def _rich_message(message: Fields) -> Part:
    """Of blocks, tables and lists the words, a line for each block."""
    lines = (one_line(_words(block, RICH_DEPTH)) for block in records(message, "blocks"))
    return Part(type="rich_message", text=shorten("\n".join(lines), RICH_LENGTH))


def _words(value: Any, depth: int, gap: str = " ") -> str:  # noqa: ANN401 (any JSON value)
    """The words of a block; `gap` stands between those of a list, and nothing between the fragments of a text."""
    if isinstance(value, str):
        return value
    if depth > 0 and isinstance(value, list):
        return gap.join(_words(one, depth - 1, gap) for one in value)
    if depth > 0 and isinstance(value, dict):
        names = (name for name in value if name in RICH_TEXTS or name in RICH_GROUPS)
        return " ".join(_words(value[name], depth - 1, "" if name in RICH_TEXTS else " ") for name in names)
    return ""


def _named(type_: str, title: str, *fields: str) -> Callable[[Fields], Part]:
    """A part that says what it is and shows the first of these fields that has text."""

    def read(found: Fields) -> Part:
        shown = next(filter(None, (one_line(text(found, field)) for field in fields)), "")
        return Part(type=type_, text=f"{title}: {shown}" if shown else title, data={"name": shown} if shown else {})

    return read


def _story(story: Fields) -> Part:
    return Part(type="story", text=f"A story of {name_of(record(story, 'chat')) or 'somebody'}")


def _paid_media(media: Fields) -> Part:
    count = len(records(media, "paid_media"))
    return Part(type="paid_media", text=f"Paid media: {count} for {number(media, 'star_count')} stars")


_PAYLOADS: Mapping[str, Callable[[Fields], Part]] = {
    "location": _location,
    "venue": _venue,
    "contact": _contact,
    "poll": _poll,
    "dice": _dice,
    "sticker": _sticker,
    "checklist": _checklist,
    "invoice": _invoice,
    "story": _story,
    "paid_media": _paid_media,
    "rich_message": _rich_message,
    "game": _named("game", "Game", "title"),
    "giveaway": _named("giveaway", "A giveaway", "prize_description"),
    "giveaway_winners": _named("giveaway", "Winners of a giveaway", "prize_description"),
}


def _known(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if value not in (None, "")}


def author_name(message: Fields) -> str | None:
    """The name under a message: of an anonymous admin or a channel's post, the signature where there is one."""
    return one_line(text(message, "author_signature")) or name_of(sender(message))
