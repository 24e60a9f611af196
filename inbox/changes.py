"""What edits, deletions, reactions and reports make of a message. Pure, and right in any order of arrival."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from msgspec.structs import replace

from inbox import albums, delivery
from inbox.model import WaitingChanges
from normalizer.outcomes import Change
from normalizer.schema import Author, Message, Part, Reaction, Revision


def changed(message: Message, change: Change) -> Message:
    """The message after the change; doing it twice changes nothing."""
    if change.reaction is not None:
        who = change.author
        identity = f"{who.kind}:{who.value}" if who else None
        author = Author(type="customer", name=who.name if who else None, identity_id=identity)
        told = Reaction(emoji=change.reaction, author=author, at=change.at)
        return reacted(message, told, removed=change.reaction_removed)
    if change.deleted:
        return _deleted(message, change)
    return _edited(message, change)


def _deleted(message: Message, change: Change) -> Message:
    """One of several items or pieces goes alone; with the last of them the message is deleted, and stays as it was."""
    ids = message.external.ids
    if message.deleted_at is not None or len(ids) < 2:
        return replace(message, deleted_at=message.deleted_at or change.at)
    if change.external_id not in ids:
        return message
    if message.relations.group_id is None:
        left = tuple(one for one in ids if one != change.external_id)
        return replace(message, external=replace(message.external, id=left[0], ids=left))
    left_over = albums.without(message, change.external_id)
    return left_over if left_over.text == message.text else _revised(message, left_over, change.at)


def caught_up(message: Message, waiting: WaitingChanges) -> Message:
    """The message after all that had waited for it."""
    for change in sorted(waiting.changes, key=lambda one: one.at):
        message = changed(message, change)
    for update in waiting.updates:
        if message.delivery is not None:
            message = replace(message, delivery=delivery.updated(message.delivery, update))
    return message


def _edited(message: Message, change: Change) -> Message:
    """The message with another text and other files. What is told of one of several pieces says nothing of the text."""
    if message.relations.group_id is not None and change.external_id:
        return _revised(message, albums.edited(message, change), change.at)
    if len(message.external.ids) > 1 and change.external_id:
        return message
    if _has_place(message.parts) and change.parts and _has_place(change.parts):
        # A live location moves every few seconds for hours: where it was is no revision, or there were thousands.
        if _moved_at(change.parts) < _moved_at(message.parts):
            return message
        return replace(message, text=change.text or message.text, parts=change.parts)
    newest = message.revisions[-1].until if message.revisions else None
    text = message.text if change.text is None else change.text
    html = change.html if change.text is not None else message.html
    if newest is not None and change.at < newest:  # an older edit that comes late is history
        revisions = _with_late(message.revisions, change.at, text, html)
        return message if change.text is None else replace(message, revisions=tuple(revisions))
    known = {one.external_id: one for one in message.attachments if one.external_id}
    given = (known.get(one.external_id or "", one) for one in change.attachments or ())
    attachments = message.attachments if change.attachments is None else tuple(given)
    parts = message.parts if change.parts is None else change.parts
    external = replace(message.external, items=())  # an agent's edit: whose each word was is not known any more
    edited = replace(message, text=text, html=html, attachments=attachments, parts=parts, external=external)
    return _revised(message, edited, change.at)


def _has_place(parts: tuple[Part, ...]) -> bool:
    return any(one.type == "location" for one in parts)


def _moved_at(parts: tuple[Part, ...]) -> int:
    """When a place was the one that is told, in Unix seconds; 0 where it has not moved."""
    times = [one.data.get("moved_at") for one in parts]
    return max([time for time in times if isinstance(time, int)], default=0)


def _revised(before: Message, after: Message, at: datetime) -> Message:
    """The message after an edit, with what it said before. The items of an album may be edited in any order."""
    if after == replace(before, external=after.external):
        return after
    until = max([at, *(one.until for one in before.revisions)])
    revision = Revision(text=before.text, html=before.html, until=until)
    return replace(after, revisions=(*before.revisions, revision))


def _with_late(revisions: tuple[Revision, ...], at: datetime, text: str, html: str | None) -> Iterator[Revision]:
    """What stood at `at` stood only until then, and what the late edit says until the next one."""
    known = any(revision.until == at for revision in revisions)
    for revision in revisions:
        if not known and revision.until > at:
            known = True
            yield replace(revision, until=at)
            yield Revision(text=text, html=html, until=revision.until)
        else:
            yield revision


def reacted(message: Message, reaction: Reaction, *, removed: bool) -> Message:
    """The message with somebody's reaction, or without it."""

    def key(one: Reaction) -> tuple[str, str | None]:
        return one.emoji, one.author.identity_id or one.author.id

    mine = [one for one in message.reactions if key(one) == key(reaction)]
    if any(one.at > reaction.at for one in mine):  # it was put there again since
        return message
    others = tuple(one for one in message.reactions if one not in mine)
    return replace(message, reactions=others if removed else (*others, reaction))
