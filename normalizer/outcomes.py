"""What goes into `normalize` and what comes out of it: a raw event, and what that event means.

Every raw event ends as one or more of these. Nothing ends as nothing: what needs no place in a conversation is
`Ignored`, with a reason that is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from normalizer.schema import Attachment, Author, DeliveryError, DeliveryState, Message, Part


class Raw(Struct, frozen=True, kw_only=True):
    """A raw event as the journal keeps it: bytes, never parsed before they are safe.

    `key` is the platform's own mark of this event: the same event again has the same key. `envelope` is what the
    transport said beside the bytes (a mail's MAIL FROM, the visitor's id); small, and JSON. `sender` is whose it is, as
    far as that is known before it is understood: what one sender wrote is applied in the order in which it came, also
    where several processes took it in and one of them died.
    """

    key: str
    body: bytes
    content_type: str
    received_at: datetime
    envelope: Mapping[str, Any] = {}
    sender: str | None = None


class Person(Struct, frozen=True, kw_only=True):
    """An identity as a platform tells it: `kind` (`email`, `visitor`, …) and `value` name it for good.

    `verified` says that the platform proves it: an address typed into a form, or a mail nobody authenticated, is not.
    `email` is a mail address beside it, of which the same holds. One that is not verified is theirs as long as nobody
    else has it; its owner has it as soon as they write from it.
    """

    kind: str
    value: str
    name: str | None = None
    verified: bool = False
    email: str | None = None


class Remote(Struct, frozen=True, kw_only=True):
    """A file that stays on the platform until the inbox fetches it, after the event is stored.

    `ref` is whatever `Connector.fetch` needs to find it (a file id, a link); small, and JSON. It is kept beside the
    message and never shown, for a platform's link may hold a secret.
    """

    ref: Mapping[str, Any]


Files = tuple[bytes | Remote | None, ...]
"""What a message's attachments hold, in their order: bytes, a file to fetch, or None where there is nothing to get."""


AVATAR_BYTES = 1024 * 1024  # a larger picture of a person is not kept


class Profile(Struct, frozen=True, kw_only=True):
    """What a platform knows of a person. `avatar` is a picture's bytes; None for what it does not tell.

    `verified` says that the platform proves `email`: where it is a person's own claim, it is not.
    """

    name: str | None = None
    avatar: bytes | None = None
    email: str | None = None
    verified: bool = False


class Draft(Struct, frozen=True, kw_only=True):
    """A new message, before the inbox gives it an id, a conversation, a customer and a `seq`.

    Attributes:
        message: what it says. `message.external.thread_key` is the platform's own thread.
        customer: whose conversation this is when it begins one.
        author: who wrote, where that is not the customer.
        keys: the thread keys by which it finds its conversation and later ones find it: its own first, then those that
            it names, nearest last. Conversations that share a key are one.
        unique: what tells that another event is this same message over again (a mail's id and body); None where the
            event key alone tells it.
        answers: what the platform calls the message that it answers, where the inbox may have that.
        follows: whether it stands in the thread of what it answers, where the inbox has that, and not in its own: the
            platform has not told its thread.
        files: the contents of `message.attachments`, in their order. Those to fetch are shown at once, as `pending`.
        reopens: whether it opens a snoozed or resolved conversation again. A machine's mail does not.
        silence: after so much of it in its conversation, it begins a new one; None: never.
    """

    message: Message
    customer: Person
    author: Person | None = None
    keys: tuple[str, ...] = ()
    unique: str | None = None
    answers: str | None = None
    follows: bool = False
    files: Files = ()
    reopens: bool = True
    silence: timedelta | None = None


class Change(Struct, frozen=True, kw_only=True):
    """An edit, a deletion or a reaction: what became of a message that the platform calls `external_id`.

    Fields that are None stay as they are. One that comes before its message waits for it. `files` belong to
    `attachments` as in a `Draft`; a file that the message has already (by its `external_id`) stays as it is.
    """

    external_id: str
    at: datetime
    text: str | None = None
    html: str | None = None
    attachments: tuple[Attachment, ...] | None = None
    files: Files = ()
    parts: tuple[Part, ...] | None = None
    deleted: bool = False
    reaction: str | None = None
    reaction_removed: bool = False
    author: Person | None = None


class ConversationEvent(Struct, frozen=True, kw_only=True):
    """Something that happened in a conversation and that nobody wrote: a rating, a join, a call-back request.

    It is shown as a message of `kind: event` by the `system`, with `part` as its content. `keys` are further thread
    keys under which its conversation is found from then on: a group that moved has two.
    """

    thread_key: str
    part: Part
    customer: Person
    at: datetime
    author: Author = Author(type="system")
    keys: tuple[str, ...] = ()


class DeliveryUpdate(Struct, frozen=True, kw_only=True):
    """What the platform says became of a reply: found by our `message_id`, else by its `external_id`.

    One that is quicker than the platform's answer to the send itself waits for that. `sent` with an `error` is a delay:
    whoever has it now goes on trying.
    """

    state: DeliveryState
    at: datetime
    message_id: str | None = None
    external_id: str | None = None
    recipient: str | None = None
    error: DeliveryError | None = None


class Reachability(Struct, frozen=True, kw_only=True):
    """A person cannot be written to any more, for a `reason` that agents read; or can be again, where that is None.

    Whoever writes shows by it that they can be reached.
    """

    person: Person
    at: datetime
    reason: str | None = None


class Ignored(Struct, frozen=True, kw_only=True):
    """An event that needs no place in a conversation.

    `reason` is counted, for the admin to see; what differs from event to event stands after a colon, and is not.
    """

    reason: str


Outcome = Draft | Change | ConversationEvent | DeliveryUpdate | Reachability | Ignored
