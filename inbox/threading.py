"""Which conversation a message belongs to: pure decisions over looked-up candidates.

A message names threads by keys: its own first, then those it answers, nearest last. On a channel with threads (mail)
the nearest known one is its home. Keys are remembered before their message comes, so a reply that arrives before its
parent waits under the parent's key; a late parent then finds its own key taken, and two conversations may turn out to
be one.

Joining moves messages, so it asks for more than a reference, which anyone can write who saw an id: both conversations
must be the same customer's. Else whoever knows an id could have another's messages moved to where answers go to him.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from inbox.model import Conversation, Preview, Status
from normalizer.schema import Message


class Placement(Struct, frozen=True, kw_only=True):
    """Where a message goes: into `home`, or a new conversation where that is None.

    `emptied` are conversations that turn out to be `home`'s; `previous` is named by a new conversation as the earlier
    one of its thread.
    """

    home: Conversation | None = None
    emptied: tuple[Conversation, ...] = ()
    previous: Conversation | None = None


def place(
    own: Conversation | None,
    named: Sequence[Conversation],
    *,
    reopen_within: timedelta,
    reopens: bool,
    now: datetime,
    silence: timedelta | None = None,
) -> Placement:
    """Decides where a message goes.

    Args:
        own: the conversation that waits under the message's own key.
        named: those of the threads it answers, nearest last.
        reopen_within: how long a resolved conversation is opened again.
        reopens: whether this message may open one.
        now: when it is stored.
        silence: after how much of it a new conversation begins; None: after none.
    """
    nearest = named[-1] if named else own
    if nearest is None:
        return Placement()

    def over(conversation: Conversation) -> bool:
        said = conversation.last_message.at if conversation.last_message else conversation.updated_at
        forgotten = silence is not None and now - said > silence
        return forgotten or (conversation.status == "resolved" and now - said > reopen_within)

    if reopens and over(nearest):
        return Placement(previous=nearest)
    others = {one.id: one for one in (*named, own) if one is not None and one.id != nearest.id}
    joined = [one for one in others.values() if not over(one) and _one_story(one, nearest)]
    home, *emptied = sorted([nearest, *joined], key=lambda one: (one.created_at, one.id))
    return Placement(home=home, emptied=tuple(emptied))


def _one_story(one: Conversation, nearest: Conversation) -> bool:
    follows = one.id == nearest.previous_id or nearest.id == one.previous_id
    return not follows and one.customer_id == nearest.customer_id


def status_after(status: Status, *, reopens: bool) -> Status:
    """What a customer's message makes of a conversation's status. One that waits for its bot stays with it."""
    return "open" if reopens and status in ("snoozed", "resolved") else status


def followed_by(conversation: Conversation, message: Message, at: datetime) -> Conversation:
    """The conversation once a message of the company's was stored behind all others, at `at`."""
    return replace(
        conversation,
        last_seq=message.seq,
        last_message=Preview.of(message, at),
        channels=tuple(dict.fromkeys((*conversation.channels, message.channel))),
        updated_at=at,
    )
