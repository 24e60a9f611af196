"""From an event of Slack to its outcomes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from msgspec import Struct

from normalizer.fields import Fields, moment, record, text
from normalizer.outcomes import Change, ConversationEvent, Draft, Ignored, Outcome, Person, Raw, Remote
from normalizer.rich import to_html
from normalizer.schema import Attachment, Author, External, Message, Part
from normalizer.slack import mrkdwn
from normalizer.slack.channel import SlackChannel
from normalizer.slack.emoji import character
from normalizer.slack.files import files_of, links_of
from normalizer.slack.people import about, external_id, is_direct, is_ours, is_place, person, placed, thread_key
from normalizer.slack.saying import said, unshown
from normalizer.text import one_line, shorten

# Subtypes of messages that people or programs write. All others tell that something happened.
_WRITTEN = frozenset(
    ("", "file_share", "thread_broadcast", "me_message", "bot_message", "reply_broadcast", "file_comment")
)


class Told(Struct, frozen=True, kw_only=True):
    """What a request tells: the whole of it, when it came, and the names that were known then, by id."""

    outer: Fields
    raw: Raw
    channel: SlackChannel
    names: Mapping[str, str]


def understood(event: Fields, told: Told) -> Iterator[Outcome]:
    """What an event means."""
    match text(event, "type"):
        case "message":
            yield from _message(event, told)
        case "app_mention":  # the same post comes as a message, where the app hears those
            yield from _written(placed(event, told.names), told)
        case "reaction_added" | "reaction_removed":
            yield _reaction(event, told)
        case "":
            yield Ignored(reason="an event without a type")
        case kind:
            yield Ignored(reason=f"an event of Slack that concerns no conversation: {shorten(one_line(kind), 100)}")


def _message(event: Fields, told: Told) -> Iterator[Outcome]:
    subtype = text(event, "subtype")
    if subtype == "message_changed":
        yield _changed(event, told)
    elif subtype == "message_deleted":
        yield _deleted(event, told)
    elif subtype in _WRITTEN:
        yield from _written(event, told)
    else:
        yield _happened(event, subtype, told)


def _written(event: Fields, told: Told) -> Iterator[Outcome]:
    channel, ts = text(event, "channel"), text(event, "ts")
    bot = text(event, "bot_id")
    name = text(event, "username") or text(record(event, "bot_profile"), "name")
    writer = person(text(event, "user"), name) or person(bot, name)
    if not is_place(channel, ts) or writer is None:
        yield Ignored(reason="a message without its channel, its time or its writer")
    elif is_ours(event, told.outer):
        yield Ignored(reason="our own message")
    else:
        yield _draft(event, told, writer, is_bot=bool(bot) or text(event, "subtype") == "bot_message")


def _draft(event: Fields, told: Told, writer: Person, *, is_bot: bool) -> Outcome:
    rich, (attachments, remotes) = said(event, told.names), _split(event)
    parts = (*links_of(event), *unshown(event))
    content = rich.text or "\n".join(part.text for part in parts)
    if not content and not attachments:
        unknown = Part(type="unknown", text="A message that this version cannot show")
        content, parts = unknown.text, (unknown,)
    key, direct = thread_key(event), is_direct(event)
    parent = None if direct else person(text(event, "parent_user_id"))
    thread, ts = text(event, "thread_ts"), text(event, "ts")
    answers = external_id(text(event, "channel"), thread) if thread and thread != ts else None
    id_ = external_id(text(event, "channel"), ts)
    return Draft(
        message=Message(
            author=Author(type="bot" if is_bot else "customer", name=writer.name),
            external=External(id=id_, thread_key=key),
            text=content,
            html=to_html(rich) if rich.spans else None,
            parts=parts,
            attachments=attachments,
            sent_at=_at(ts, told),
            channel_data=about(event, told.outer),
        ),
        customer=parent or writer,
        author=writer if parent is not None and parent != writer else None,
        keys=(key, writer.value) if text(event, "channel_type") == "im" else (key,),  # theirs are commands too
        answers=answers,
        files=remotes,
        reopens=not is_bot,
        silence=told.channel.silence if direct else None,
    )


def _split(message: Fields) -> tuple[tuple[Attachment, ...], tuple[Remote | None, ...]]:
    found = files_of(message)
    return tuple(attachment for attachment, _ in found), tuple(remote for _, remote in found)


def _changed(event: Fields, told: Told) -> Outcome:
    message, before = record(event, "message"), record(event, "previous_message")
    channel, ts = text(event, "channel"), text(message, "ts")
    if not is_place(channel, ts):
        return Ignored(reason="an edit without its channel or time")
    at = _at(text(record(message, "edited"), "ts") or text(event, "ts"), told)
    if text(message, "subtype") == "tombstone":
        return Change(external_id=external_id(channel, ts), at=at, deleted=True)
    if is_ours(message, told.outer):
        return Ignored(reason="our own message")
    rich, (attachments, remotes) = said(message, told.names), _split(message)
    if before and message.get("files") == before.get("files") and rich == said(before, told.names):
        return Ignored(reason="a preview of a link, or the count of a thread")
    return Change(
        external_id=external_id(channel, ts),
        at=at,
        text=rich.text,
        html=to_html(rich) if rich.spans else None,
        attachments=attachments,
        files=remotes,
        parts=(*links_of(message), *unshown(message)),
    )


def _deleted(event: Fields, told: Told) -> Outcome:
    channel, ts = text(event, "channel"), text(event, "deleted_ts") or text(record(event, "previous_message"), "ts")
    if not is_place(channel, ts):
        return Ignored(reason="a deletion without its channel or time")
    return Change(external_id=external_id(channel, ts), at=_at(text(event, "ts"), told), deleted=True)


def _reaction(event: Fields, told: Told) -> Outcome:
    item = record(event, "item")
    channel, ts = text(item, "channel"), text(item, "ts")
    who, name = person(text(event, "user")), text(event, "reaction")
    if not is_place(channel, ts) or who is None or not name:
        return Ignored(reason="a reaction that is to no message")
    if is_ours(event, told.outer):  # it stands with the agent who gave it
        return Ignored(reason="our own reaction")
    return Change(
        external_id=external_id(channel, ts),
        at=_at(text(event, "event_ts"), told),
        reaction=character(one_line(name)[:100]),
        reaction_removed=text(event, "type") == "reaction_removed",
        author=who,
    )


def _happened(event: Fields, subtype: str, told: Told) -> Outcome:
    """Somebody came, went, renamed: told in the direct conversation where it was; channels are no conversations."""
    who = person(text(event, "user"))
    label = shorten(one_line(subtype), 100)
    if not is_direct(event) or who is None or not is_place(text(event, "channel"), text(event, "ts")):
        return Ignored(reason=f"what happened in a channel: {label}")
    words = mrkdwn.read(text(event, "text"), told.names).text
    part = Part(type=label, text=words or label.replace("_", " ").capitalize())
    return ConversationEvent(
        thread_key=text(event, "channel"), part=part, customer=who, at=_at(text(event, "ts"), told)
    )


def _at(ts: str, told: Told) -> datetime:
    """Slack's time: seconds since 1970 with a fraction that makes it unique."""
    try:
        found = moment(float(ts))
    except ValueError:
        found = None
    return found or told.raw.received_at
