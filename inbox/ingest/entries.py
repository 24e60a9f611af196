"""Journal entries on their way to being applied: how they begin, what they mean, and whose turn it is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import timedelta

import msgspec

from inbox.model import new_id
from inbox.store import JournalEntry, Unit
from normalizer.codec import clean, to_milliseconds
from normalizer.outcomes import Outcome, Raw

LONGEST_KEY = 300


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How a channel's conversations are kept.

    Attributes:
        reopen_within: how long a resolved one is opened again.
        edits: changes of a message may have come before it.
        profiles: the platform is asked about whoever is new.
        address: the form in which a mail address that somebody names is kept; None where it can be none of theirs.
    """

    reopen_within: timedelta
    edits: bool = False
    profiles: bool = False
    address: Callable[[str], str | None] = str.lower


class Understood(msgspec.Struct, frozen=True, kw_only=True):
    """A journal entry and what it means."""

    entry: JournalEntry
    outcomes: tuple[Outcome, ...]


def new_entry(channel: str, connector: str, raw: Raw, owner: str, *, inline: bool) -> JournalEntry:
    """The entry of an event that `owner` is to apply; `inline` says that its bytes stand in it."""
    return JournalEntry(
        id=f"{channel}|{_short(raw.key)}",
        channel=channel,
        connector=connector,
        message_id=new_id(),
        content_type=raw.content_type,
        envelope=clean(dict(raw.envelope)) if raw.envelope else {},
        sender=f"{channel}|{_short(raw.sender)}" if raw.sender else None,
        size=len(raw.body),
        body=raw.body if inline else None,
        received_at=to_milliseconds(raw.received_at),
        owner=owner,
    )


def message_id(entry: JournalEntry, number: int) -> str:
    """The id of an entry's message: fixed by the journal; further ones follow it."""
    return entry.message_id if number == 0 else f"{entry.message_id}-{number}"


async def in_turn(unit: Unit, batch: Sequence[Understood]) -> Sequence[Understood]:
    """Those whose turn it is. What a sender said earlier may be in the hands of another process, or of a dead one."""
    entries = [understood.entry for understood in batch]
    senders = list({entry.sender for entry in entries if entry.sender is not None})
    if not senders:
        return batch
    until = max(entry.message_id for entry in entries)
    first = await unit.unapplied_of(senders, {entry.id for entry in entries}, until)
    late: set[str] = set()  # senders one of whose entries waits: those behind it do, too
    for entry in entries:
        if entry.sender in first and first[entry.sender] < entry.message_id:
            late.add(entry.sender)
    if not late:
        return batch
    return [one for one in batch if one.entry.sender not in late or one.entry.message_id < first[one.entry.sender]]


def _short(key: str) -> str:
    """The key itself, or its digest where it would make a poor `_id`."""
    if len(key) <= LONGEST_KEY and key.isprintable():
        return key
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
