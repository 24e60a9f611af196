"""What edits, deletions, reactions and reports make of a message. Pure, and right in any order of arrival."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from msgspec.structs import replace

from inbox import delivery
from inbox.model import WaitingChanges
from normalizer.outcomes import Change
from normalizer.schema import Attachment, Author, Message, Reaction, Revision


def changed(message: Message, change: Change) -> Message:
    """The message after the change; doing it twice changes nothing."""
    if change.reaction is not None:
        who = change.author
        identity = f"{who.kind}:{who.value}" if who else None
        author = Author(type="customer", name=who.name if who else None, identity_id=identity)
        told = Reaction(emoji=change.reaction, author=author, at=change.at)
        return reacted(message, told, removed=change.reaction_removed)
    if change.deleted:
        return replace(message, deleted_at=message.deleted_at or change.at)
    return _edited(message, change)


def grown(message: Message, item: Message, external_id: str) -> Message:
    """A message that came in several pieces (an album), with one more of them; doing it twice changes nothing.

    Files stand in the order of their pieces' ids, whatever order they come in; a text is added to the text.
    """
    ids = message.external.ids or (message.external.id or "",)
    if external_id in ids:
        return message
    files = dict(zip(ids, message.attachments, strict=False))
    files.update(zip((external_id,), item.attachments, strict=False))
    ordered = sorted((*ids, external_id), key=lambda one: (len(one), one))
    text = "\n".join(filter(None, (message.text, item.text)))
    html = item.html if not message.text else message.html if not item.text else None
    return replace(
        message,
        text=text,
        html=html,
        parts=message.parts or item.parts,
        attachments=tuple(files[one] for one in ordered if one in files),
        external=replace(message.external, ids=tuple(ordered)),
    )


def caught_up(message: Message, waiting: WaitingChanges) -> Message:
    """The message after all that had waited for it."""
    for change in sorted(waiting.changes, key=lambda one: one.at):
        message = changed(message, change)
    for update in waiting.updates:
        if message.delivery is not None:
            message = replace(message, delivery=delivery.updated(message.delivery, update))
    return message


def _edited(message: Message, change: Change) -> Message:
    newest = message.revisions[-1].until if message.revisions else None
    text = message.text if change.text is None else change.text
    html = change.html if change.text is not None else message.html
    if newest is not None and change.at < newest:  # an older edit that comes late is history
        revisions = _with_late(message.revisions, change.at, text, html)
        return message if change.text is None else replace(message, revisions=tuple(revisions))
    attachments = message.attachments if change.attachments is None else _files(message, change)
    parts = message.parts if change.parts is None else change.parts
    edited = replace(message, text=text, html=html, attachments=attachments, parts=parts)
    if edited == message:
        return message
    before = Revision(text=message.text, html=message.html, until=change.at)
    return replace(edited, revisions=(*message.revisions, before))


def _files(message: Message, change: Change) -> tuple[Attachment, ...]:
    """The message's files after an edit: one that it has already stays as it is, and an album keeps its others."""
    known = {one.external_id: one for one in message.attachments if one.external_id}
    given = tuple(known.get(one.external_id or "", one) for one in change.attachments or ())
    ids = message.external.ids
    if message.relations.group_id is None or change.external_id not in ids or len(ids) != len(message.attachments):
        return given
    at = ids.index(change.external_id)
    return (*message.attachments[:at], *given, *message.attachments[at + 1 :])


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
