"""From an update to its outcomes: one function for each kind, and a way for those that come after this version."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from normalizer.fields import Fields, decimal, moment, number, parse, record, records, text
from normalizer.outcomes import (
    Change,
    ConversationEvent,
    Draft,
    Ignored,
    Outcome,
    Person,
    Raw,
    Reachability,
)
from normalizer.schema import Author, Delivery, External, Flags, Message, Part, Relations
from normalizer.telegram.channel import TelegramChannel
from normalizer.telegram.content import answered, author_name, content
from normalizer.telegram.people import GROUPS, about, called, customer_of, person, sender, talker, thread_key
from normalizer.telegram.service import migrated, service
from normalizer.text import one_line, shorten, tidy

GONE = ("kicked", "left")

# What concerns no conversation of an inbox, and why it is passed over.
_PASSED_OVER: Mapping[str, str] = {
    "business_connection": "a business account was connected or changed",
    "message_reaction_count": "reactions without their authors",
    "inline_query": "an inline query, which is answered in another chat",
    "chosen_inline_result": "an inline result, chosen in another chat",
    "shipping_query": "a shop's question, and Santral sells nothing",
    "pre_checkout_query": "a shop's question, and Santral sells nothing",
    "purchased_paid_media": "paid media of the bot's own",
    "poll": "the state of a poll",
    "poll_answer": "an answer to a poll",
    "chat_member": "a member of a group changed",
    "chat_join_request": "somebody wants to join a group",
    "chat_boost": "a boost",
    "removed_chat_boost": "a boost",
}


def normalize(raw: Raw, channel: TelegramChannel) -> list[Outcome]:
    """What an update means. What no document foresees is shown as a placeholder, or counted with its reason."""
    update = parse(raw.body)
    if update is None:
        return [Ignored(reason="not a JSON object")]
    for kind, read in _KINDS.items():
        if record(update, kind):
            return list(read(record(update, kind), raw, channel))
    for kind, reason in _PASSED_OVER.items():
        if kind in update:
            return [Ignored(reason=reason)]
    return [_unforeseen(update, raw)]


def _unforeseen(update: Fields, raw: Raw) -> Outcome:
    """A kind of update that came after this version: shown where it names a chat with a person."""
    kind = next((name for name in update if name != "update_id"), "nothing")
    told = record(update, kind)
    chat = record(told, "chat")
    customer = person(chat)
    label = shorten(one_line(kind), 100)
    if customer is None or text(chat, "type") != "private":
        return Ignored(reason=f"an update of a kind that this version does not know: {label}")
    part = Part(type="unknown", text=f"An update that this version cannot show ({label})", data={"kind": label})
    return ConversationEvent(thread_key=thread_key(told), part=part, customer=customer, at=raw.received_at)


def _message(message: Fields, raw: Raw, channel: TelegramChannel) -> Iterator[Outcome]:
    chat, customer = record(message, "chat"), customer_of(message)
    if customer is None or number(message, "message_id") is None:
        yield Ignored(reason="a message without its chat or number")
    elif channel.groups == "ignore" and text(chat, "type") in GROUPS:
        yield Ignored(reason="a message in a group, and the channel ignores groups")
    elif _is_ours(message, channel):
        yield Ignored(reason="our own message")
    else:
        yield _said_or_happened(message, customer, raw)


def _is_ours(message: Fields, channel: TelegramChannel) -> bool:
    """Whether the bot wrote it, also in the name of a connected business."""
    return number(sender(message), "id") == channel.bot or bool(record(message, "sender_business_bot"))


def _said_or_happened(message: Fields, customer: Person, raw: Raw) -> Outcome:
    said = content(message)
    happened = None if said.said else service(message)
    at = moment(number(message, "date")) or raw.received_at
    if happened is not None:
        moved = migrated(message)
        # A group that moved is answered where it is now, wherever that is told.
        key, *others = map(str, reversed(moved)) if moved else (thread_key(message),)
        return ConversationEvent(thread_key=key, part=happened, customer=customer, at=at, keys=tuple(others))
    key = thread_key(message)
    author, writer, delivery = _writer(message, at)
    return Draft(
        message=Message(
            direction="outbound" if delivery else "inbound",
            author=author,
            external=External(id=called(message, number(message, "message_id")), thread_key=key),
            text=said.text,
            html=said.html,
            quoted=said.quoted,
            parts=said.parts,
            attachments=tuple(attachment for attachment, _ in said.files),
            relations=Relations(group_id=text(message, "media_group_id") or None),
            sent_at=at,
            delivery=delivery,
            flags=Flags(auto_submitted=delivery is not None and _automatic(message)),
            channel_data=about(message),
        ),
        customer=customer,
        author=writer,
        keys=(key,),
        answers=answered(message),
        files=tuple(remote for _, remote in said.files),
    )


def _writer(message: Fields, at: datetime) -> tuple[Author, Person | None, Delivery | None]:
    """Who wrote: the customer, a member of the group, a channel, a bot, or who answers in the company's name there.

    That is the owner of a connected business, and whoever answers in the direct messages of a channel.
    """
    chat, who, talking = record(message, "chat"), sender(message), talker(message)
    name = author_name(message)
    kind = text(chat, "type")
    if kind == "channel":
        return Author(type="system", name=name), None, None
    if kind in GROUPS and not talking:
        member = person(who)
        return Author(type="bot" if who.get("is_bot") else "customer", name=name), member, None
    has_owner = talking or text(message, "business_connection_id")
    if has_owner and number(who, "id") != number(talking or chat, "id"):
        automatic = _automatic(message)
        return Author(type="bot" if automatic else "agent", name=name), None, Delivery(state="sent", sent_at=at)
    if who.get("is_bot"):
        return Author(type="bot", name=name), None, None
    return Author(type="customer", name=name), None, None


def _automatic(message: Fields) -> bool:
    """Whether the account sent it by itself: a greeting, an absence, or what somebody scheduled."""
    return message.get("is_from_offline") is True


def _edited(message: Fields, raw: Raw, channel: TelegramChannel) -> Iterator[Outcome]:
    chat, id_ = number(record(message, "chat"), "id"), number(message, "message_id")
    if chat is None or id_ is None:
        yield Ignored(reason="an edit without its chat or number")
    elif channel.groups == "ignore" and text(record(message, "chat"), "type") in GROUPS:
        yield Ignored(reason="an edit in a group, and the channel ignores groups")
    elif _is_ours(message, channel):
        yield Ignored(reason="our own message")
    else:
        said = content(message)
        yield Change(
            external_id=called(message, id_),
            at=moment(number(message, "edit_date")) or raw.received_at,
            text=said.text,
            html=said.html,
            attachments=tuple(attachment for attachment, _ in said.files),
            files=tuple(remote for _, remote in said.files),
            parts=said.parts,
        )


def _deleted(told: Fields, raw: Raw, _: TelegramChannel) -> Iterator[Outcome]:
    chat = number(record(told, "chat"), "id")
    ids = told.get("message_ids")
    for id_ in ids if isinstance(ids, list) else ():
        if isinstance(id_, int) and chat is not None:
            yield Change(external_id=called(told, id_), at=raw.received_at, deleted=True)
    if chat is None or not ids:
        yield Ignored(reason="a deletion that names no message")


def _reacted(told: Fields, raw: Raw, channel: TelegramChannel) -> Iterator[Outcome]:
    if channel.groups == "ignore" and text(record(told, "chat"), "type") in GROUPS:
        yield Ignored(reason="a reaction in a group, and the channel ignores groups")
        return
    chat, id_ = number(record(told, "chat"), "id"), number(told, "message_id")
    author = person(record(told, "user") or record(told, "actor_chat"))
    before = {_emoji(one) for one in records(told, "old_reaction")}
    after = {_emoji(one) for one in records(told, "new_reaction")}
    if chat is None or id_ is None or before == after:
        yield Ignored(reason="a reaction that changes nothing")
        return
    at = moment(number(told, "date")) or raw.received_at
    for emoji in sorted(before ^ after):
        yield Change(
            external_id=called(told, id_),
            at=at,
            reaction=emoji,
            reaction_removed=emoji in before,
            author=author,
        )


def _emoji(reaction: Fields) -> str:
    """An emoji; one of Telegram's own making has none, and is named by its number."""
    return text(reaction, "emoji") or ("⭐" if text(reaction, "type") == "paid" else _custom(reaction))


def _custom(reaction: Fields) -> str:
    return f":{one_line(text(reaction, 'custom_emoji_id'))[:64] or 'unknown'}:"


def _chosen(query: Fields, raw: Raw, channel: TelegramChannel) -> Iterator[Outcome]:
    """A button under a message of ours: what stands on it is what the customer says."""
    under = _pressed(query)
    who = person(record(query, "from"))
    customer = customer_of(under)
    if who is None or customer is None:
        yield Ignored(reason="a button in a chat that is not told")
        return
    in_group = text(record(under, "chat"), "type") in GROUPS
    if in_group and channel.groups == "ignore":
        yield Ignored(reason="a button in a group, and the channel ignores groups")
        return
    value = tidy(text(query, "data"))
    label = _label(under, value) or value or "(a button)"
    key = thread_key(under)
    yield Draft(
        message=Message(
            author=Author(type="customer", name=who.name),
            external=External(thread_key=key),
            text=label,
            parts=(Part(type="choice", text=label, data={"value": value}),),
            sent_at=raw.received_at,
            channel_data={"telegram.callback_query": one_line(text(query, "id"))},
        ),
        customer=customer,
        author=who if in_group and not talker(under) else None,
        keys=(key,),
        answers=called(under, number(under, "message_id")),
        follows=_is_out_of_reach(under),
    )


def _is_out_of_reach(message: Fields) -> bool:
    """Whether it is an `InaccessibleMessage`, of which no topic is told."""
    return number(message, "date") == 0


def _pressed(query: Fields) -> Fields:
    """The message under a button. Of one that bots cannot reach any more Telegram tells the chat and the number alone.

    Whose talk with a channel it stands in tells who presses: Telegram numbers a talk by its person.
    """
    under, user = record(query, "message"), record(query, "from")
    if record(under, "chat").get("is_direct_messages") is not True or "direct_messages_topic" in under:
        return under
    return {**under, "direct_messages_topic": {"topic_id": number(user, "id"), "user": user}}


def _label(under: Fields, value: str) -> str:
    rows = record(under, "reply_markup").get("inline_keyboard")
    for row in rows if isinstance(rows, list) else ():
        for button in row if isinstance(row, list) else ():
            if isinstance(button, dict) and value and text(button, "callback_data") == value:
                return tidy(text(button, "text"))
    return ""


def _membership(told: Fields, raw: Raw, _: TelegramChannel) -> Iterator[Outcome]:
    """The bot was blocked, removed, or let in again."""
    chat = record(told, "chat")
    where = person(chat)
    status = text(record(told, "new_chat_member"), "status")
    if where is None or text(chat, "type") == "channel" or not status:
        yield Ignored(reason="the bot's membership changed")
        return
    private = text(chat, "type") == "private"
    blocked = "blocked the bot" if private else "removed the bot from the group"
    yield Reachability(
        person=where,
        at=moment(decimal(told, "date")) or raw.received_at,
        reason=f"{where.name or 'the customer'} {blocked}" if status in GONE else None,
    )


_KINDS: Mapping[str, Callable[[Fields, Raw, TelegramChannel], Iterator[Outcome]]] = {
    "message": _message,
    "edited_message": _edited,
    "channel_post": _message,
    "edited_channel_post": _edited,
    "business_message": _message,
    "edited_business_message": _edited,
    "deleted_business_messages": _deleted,
    "message_reaction": _reacted,
    "callback_query": _chosen,
    "my_chat_member": _membership,
}
