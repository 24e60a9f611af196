"""What the inbox keeps beside messages: customers, identities, conversations, events, replies on their way.

Like the message schema, all of it is immutable: a change is a new value, put through `inbox.store.Unit`, which writes
it in one transaction with the event that tells of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct
from uuid_utils import uuid7

from connectors.base import Receipt
from normalizer.outcomes import Change, DeliveryUpdate
from normalizer.schema import Attachment, Author, Direction, Kind, Message, Time

Status = Literal["open", "pending", "snoozed", "resolved"]
Priority = Literal["low", "normal", "high", "urgent"]
EventType = Literal[
    "message.created",
    "message.updated",
    "message.delivery_updated",
    "conversation.created",
    "conversation.updated",
    "conversation.merged",
    "conversation.erased",
    "customer.created",
    "customer.updated",
    "customer.merged",
    "customer.erased",
]
FieldValue = str | int | float | bool | None

PREVIEW_LENGTH = 160


def new_id() -> str:
    """A new id, ordered by time (UUID version 7, RFC 9562 section 5.7)."""
    return str(uuid7())  # not of `uuid_utils.compat`, which takes six times as long (3.1 µs)


def first_id(moment: datetime) -> str:
    """What every id that was made later is greater than (RFC 9562, section 5.7: the first 48 bits are milliseconds)."""
    bits = f"{int(moment.timestamp() * 1000):012x}"
    return f"{bits[:8]}-{bits[8:]}"


def scoped(channel: str, key: str) -> str:
    """The id of what a channel calls `key`: a thread, a message's mark, a message that changes wait for."""
    return f"{channel}|{key}"


class Customer(Struct, frozen=True, kw_only=True):
    """The person who writes. What is known of them by address or platform stands in their identities.

    Attributes:
        fields: what the company notes of them, by names of its own; None hides what a merged one has.
        merged_into: as whom they are known, where two turned out to be one person. All that is theirs stays theirs, so
            that parting them again needs no undoing: only who looks sees them as one.
        merged: who was merged into this one.
    """

    id: str
    name: str | None = None
    avatar: str | None = None
    fields: Mapping[str, FieldValue] = {}
    merged_into: str | None = None
    merged: tuple[str, ...] = ()
    version: int = 1
    created_at: datetime
    updated_at: datetime


class Identity(Struct, frozen=True, kw_only=True):
    """A customer's address on a platform. `id` is `kind:value`, so that one address is one identity for good.

    Attributes:
        claimed: its customer only said that it is theirs: whoever writes from it first is its owner.
        unreachable: why nothing can be written to it any more, by channel; empty where nothing hinders.
    """

    id: str
    kind: str
    value: str
    customer_id: str
    name: str | None = None
    verified: bool = False
    claimed: bool = False
    unreachable: Mapping[str, str] = {}
    created_at: datetime


class CustomerNote(Struct, frozen=True, kw_only=True):
    """What colleagues write of a customer for each other, whatever conversation it is about.

    It stays with the customer on whom it was written, also when they are known as another: so a merge shows the notes
    of both, and parting them parts the notes.

    Attributes:
        author: who wrote it.
        editor: who changed it last, or None.
        version: grows with each change; the `ETag`.
    """

    id: str
    customer_id: str
    author: Author
    editor: Author | None = None
    text: str
    version: int = 1
    created_at: Time
    updated_at: Time


class ThreadKey(Struct, frozen=True, kw_only=True):
    """Which conversation a platform's thread belongs to. `id` is `channel|key`."""

    id: str
    conversation_id: str


class Unique(Struct, frozen=True, kw_only=True):
    """Which message a mark belongs to that only one may bear: a mail's id and body, an agent's `client_id`."""

    id: str
    message_id: str


class Upload(Struct, frozen=True, kw_only=True):
    """A file that no message shows, or not yet: uploaded by its `owner`, who alone may attach it, or edited away."""

    id: str
    owner: str
    attachment: Attachment
    created_at: Time


class WaitingChanges(Struct, frozen=True, kw_only=True):
    """Edits, reactions and delivery reports that came before their message. `id` is `channel|external id`.

    Some wait in vain (a bounce of a mail that was never ours), so they are forgotten some time after `at`.
    """

    id: str
    changes: tuple[Change, ...] = ()
    updates: tuple[DeliveryUpdate, ...] = ()
    at: datetime


class Preview(Struct, frozen=True, kw_only=True):
    """What a list of conversations shows of its last message."""

    id: str
    seq: int
    kind: Kind
    direction: Direction
    channel: str
    author: str | None
    text: str
    at: Time

    @classmethod
    def of(cls, message: Message, at: datetime) -> Preview:
        """The preview of a message that was stored at `at`."""
        return cls(
            id=message.id,
            seq=message.seq,
            kind=message.kind,
            direction=message.direction,
            channel=message.channel,
            author=message.author.name,
            text=" ".join(message.text[: PREVIEW_LENGTH * 4].split())[:PREVIEW_LENGTH],
            at=at,
        )


class Conversation(Struct, frozen=True, kw_only=True):
    """The unit of an agent's work.

    Attributes:
        followers: agents who want to hear of it; that shows them nothing that they do not see.
        last_seq: the highest `seq` given in it.
        inbound: how many messages its customer's side wrote.
        waiting_since: since when the customer waits for an answer, or None.
        opened_at: when it was last opened again after it was resolved, or None.
        answered_at: when an agent first answered since it was created or opened again, or None.
        previous_id: the resolved conversation of the same thread that was too old to be opened again.
        merged_into: where its messages are now; it is empty itself and stands in no list.
        version: grows with each change; the `ETag`.
    """

    id: str
    customer_id: str
    subject: str | None = None
    status: Status = "open"
    assignee: str | None = None
    team: str | None = None
    tags: tuple[str, ...] = ()
    priority: Priority = "normal"
    snoozed_until: datetime | None = None
    followers: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    last_seq: int = 0
    inbound: int = 0
    last_message: Preview | None = None
    waiting_since: datetime | None = None
    opened_at: datetime | None = None
    answered_at: datetime | None = None
    previous_id: str | None = None
    merged_into: str | None = None
    version: int = 1
    created_at: datetime
    updated_at: datetime


class Event(Struct, frozen=True, kw_only=True):
    """What happened, as a complete snapshot, insert-only.

    `id` is its position: events are read in its order, which is the order in which they were committed. `audience` is
    who may be told (`inbox.sight`), None everybody.
    """

    id: int
    type: EventType
    at: datetime
    conversation_id: str | None = None
    message_id: str | None = None
    channel: str | None = None
    thread_key: str | None = None
    audience: tuple[str, ...] | None = None
    data: Mapping[str, Any]


class OutboxItem(Struct, frozen=True, kw_only=True):
    """A reply on its way; gone once it is sent or cancelled.

    Attributes:
        id: the message's.
        lane: `channel|conversation`: within one, replies leave in order of `seq`.
        state: `claimed` and `sending` belong to `owner`; `scheduled` and `parked` (failed or unknown) hold up nobody.
        identity_id: whom it answers.
        receipts: the platform pieces that have left.
        unless_customer_writes: it is held where the customer writes before it has left.
    """

    id: str
    lane: str
    channel: str
    conversation_id: str
    identity_id: str
    thread_key: str | None = None
    seq: int
    state: Literal["scheduled", "queued", "claimed", "sending", "parked"]
    due_at: datetime
    owner: str | None = None
    attempts: int = 0
    receipts: tuple[Receipt, ...] = ()
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    unless_customer_writes: bool = False


class PendingFollowUp(Struct, frozen=True, kw_only=True):
    """Replies that wait to be fetched, and leave by another channel where they still do at `due_at`.

    Attributes:
        id: `channel|conversation|thread`, so that all of one reader leave together.
        thread_key: whose they are to fetch.
        replies: the messages' ids.
    """

    id: str
    channel: str
    conversation_id: str
    thread_key: str
    replies: tuple[str, ...]
    due_at: datetime


class Job(Struct, frozen=True, kw_only=True):
    """Something to ask a platform for, once the event that told of it is stored; gone when it is done.

    Attributes:
        id: `fetch|attachment` or `describe|identity`, so that asking for it twice is asking once.
        owner: the process whose it is while it is `claimed`.
        message_id: whose attachment to fetch.
        ref: what the connector needs to find the file.
        identity_id: whom to describe.
    """

    id: str
    channel: str
    state: Literal["queued", "claimed"] = "queued"
    due_at: datetime
    owner: str | None = None
    attempts: int = 0
    message_id: str | None = None
    attachment_id: str | None = None
    ref: Mapping[str, Any] = {}
    identity_id: str | None = None


class CannedReply(Struct, frozen=True, kw_only=True):
    """A text that is written once and used often; `{{customer.name}}` and other variables are filled where it is used.

    Attributes:
        shortcut: what is typed after `/` to find it, in lower case; no two have the same.
        html: the same for channels that carry HTML, harmless already; null where there is none.
        team: whose it is; null: everybody's.
        version: grows with each change; the `ETag`.
    """

    id: str
    shortcut: str
    title: str
    text: str
    html: str | None = None
    team: str | None = None
    version: int = 1
    created_at: Time
    updated_at: Time


class Shortcut(Struct, frozen=True, kw_only=True):
    """Which canned reply has a shortcut. `id` is the shortcut, so that one shortcut is one reply's."""

    id: str
    canned_reply_id: str


class Draft(Struct, frozen=True, kw_only=True):
    """An answer that its writer has not sent. `id` is `conversation|principal`."""

    id: str
    conversation_id: str
    principal_id: str
    text: str
    html: str | None = None
    attachments: tuple[str, ...] = ()
    direction: Literal["outbound", "note"] = "outbound"
    channel: str | None = None
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    reply_to: str | None = None
    updated_at: Time
