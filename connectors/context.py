"""What the inbox gives a running channel: all of it, and nothing else to reach for.

The inbox implements these protocols; `connectors.testing` does so without an inbox.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Literal, NoReturn, Protocol

from aiohttp import web
from msgspec import Struct

from connectors.hours import OfficeHours
from normalizer.outcomes import Raw
from normalizer.schema import Attachment, Author, Message


class Channel(Struct, frozen=True, kw_only=True):
    """The configured instance a connector serves.

    `public_url` is where the world reaches Santral's HTTP, no slash. `hours` is when the office is open; None: always.
    """

    id: str
    public_url: str
    inbox_name: str = "Santral"
    locale: str = "en"
    hours: OfficeHours | None = None


class Received(Struct, frozen=True, kw_only=True):
    """The journal's word that an event is kept: `message_id` is the id of the message that it becomes.

    The same event again gives the same answer, with `duplicate` set.
    """

    message_id: str
    received_at: datetime
    duplicate: bool = False


Presence = Literal["here", "gone", "typing"]


class FeedPage(Struct, frozen=True, kw_only=True):
    """Messages of one thread, oldest first, and the cursor after the last of them.

    `conversation_id` is that of the newest conversation of the thread, or None before the first message.
    """

    messages: tuple[Message, ...]
    cursor: str
    conversation_id: str | None = None


class Standing(Struct, frozen=True, kw_only=True):
    """How a thread's newest conversation stands, as far as its recipient may know.

    Attributes:
        conversation_id: None before the first message.
        agent: who has taken it, or None.
        read: the newest of the recipient's messages in it that somebody of the company has seen, or None.
        resolved: whether it was answered and is resolved.
        rated: whether the recipient has said how it was since it was last opened.
        ahead: how many wait longer on this channel for somebody to take their conversation; None where this one does
            not wait.
        wait_seconds: how long others waited for a first answer lately; None where nobody knows, or it does not wait.
    """

    conversation_id: str | None = None
    agent: Author | None = None
    read: str | None = None
    resolved: bool = False
    rated: bool = False
    ahead: int | None = None
    wait_seconds: float | None = None


class Attendant(Protocol):
    """Who hears of a thread while its recipient is here. None of it may raise or wait."""

    def typing(self, author: Author) -> None:
        """Somebody of the company types."""

    def changed(self) -> None:
        """The thread may stand otherwise (`Feed.standing`)."""

    def ended(self) -> None:
        """The recipient has ended the thread for all who follow it (`Feed.end`)."""


class CursorExpiredError(Exception):
    """The cursor is older than the event log, or not one of ours: load the history again."""


class Feed(Protocol):
    """What a recipient who fetches replies may see of one thread key of this channel: no notes, no other thread.

    Messages come as complete snapshots; an edit or a deletion is the same message again.
    """

    async def history(self, thread_key: str, *, limit: int = 100) -> FeedPage:
        """The newest `limit` messages, and the cursor of this moment."""

    async def since(self, thread_key: str, cursor: str) -> FeedPage:
        """The messages and changes after `cursor` (a page of them), and the cursor from which `follow` goes on.

        Raises:
            CursorExpiredError: the cursor cannot be honoured.
        """

    def follow(self, thread_key: str, cursor: str) -> AsyncGenerator[tuple[Message, str], None]:
        """Every message and change after `cursor`, without gap or repeat, then live until closed.

        Raises:
            CursorExpiredError: the cursor cannot be honoured.
        """

    async def tell(self, thread_key: str, presence: Presence) -> None:
        """Tells agents that the recipient is `here`, is `typing` or is `gone`. Nothing of it is kept.

        Raises:
            UnavailableError: the database is away; it need not be said again.
        """

    async def standing(self, thread_key: str) -> Standing:
        """How the thread's newest conversation stands.

        Raises:
            UnavailableError: the database is away.
        """

    async def end(self, thread_key: str) -> None:
        """Tells all attendants of a thread, in all processes, that its recipient has ended it.

        Raises:
            UnavailableError: the database is away.
        """

    def attended(self, thread_key: str, attendant: Attendant) -> AbstractAsyncContextManager[None]:
        """The recipient is here while the block lasts, and `attendant` hears of the thread."""


class Files(Protocol):
    """Attachments, streamed."""

    def open(self, attachment_id: str) -> AsyncIterator[bytes]:
        """The bytes of a stored attachment in pieces. Raises LookupError where there is none."""

    async def save(self, content: AsyncIterator[bytes], *, filename: str, owner: str, limit: int) -> Attachment:
        """Stores what somebody uploads; the type is sniffed, never believed.

        Args:
            content: the bytes, in pieces.
            filename: as the uploader calls it.
            owner: who may attach it to a message: a thread key.
            limit: the most bytes to take.

        Raises:
            PermanentError: larger than `limit`.
        """

    async def find(self, attachment_id: str, *, owner: str) -> Attachment | None:
        """An attachment that `owner` uploaded, or that stands in a message of the thread `owner`."""


class Picture(Struct, frozen=True, kw_only=True):
    """A picture that any browser shows, and in which nothing runs."""

    content_type: str
    content: bytes


class Faces(Protocol):
    """The pictures of agents, for channels that show who writes. They are no secret: who is answered may see them."""

    async def find(self, agent_id: str) -> str | None:
        """The id of an agent's picture, as of some seconds ago; None where they have none.

        Args:
            agent_id: `Author.id` of what they wrote.

        Raises:
            UnavailableError: the database is away.
        """

    async def open(self, picture_id: str) -> Picture | None:
        """A picture, or None where no agent has it. What an id stands for never changes.

        Raises:
            UnavailableError: the database is away.
        """


class Keys(Protocol):
    """Signing keys of the channel, kept in the database and the same in every process, and whose tokens are revoked."""

    async def current(self) -> tuple[str, bytes]:
        """The key to sign with: its `kid` and its 32 bytes."""

    async def find(self, kid: str) -> bytes | None:
        """The key of that `kid`, or None."""

    async def revoke(self, subject: str, until: datetime) -> None:
        """Revokes what was signed for `subject`; forgotten after `until`, when nothing of it is valid any more.

        Raises:
            UnavailableError: the database is away.
        """

    async def is_revoked(self, subject: str) -> bool:
        """Whether what was signed for `subject` is revoked."""


class Lease(Protocol):
    """What the only owner over all processes holds, and how far it has read its platform.

    Attributes:
        token: grows with each owner: a platform that takes a fencing token can refuse an earlier owner's late call.
    """

    token: int

    async def load_cursor(self) -> bytes | None:
        """What the last owner that saved a cursor had read; None at the first time."""

    async def save_cursor(self, cursor: bytes) -> None:
        """Keeps how far the platform has been read. The events before it must have been received.

        Raises:
            LeaseLostError: another process is the owner by now; its cursor stands.
            UnavailableError: the database is away; what came after the last cursor will come again.
        """


Handler = Callable[[web.Request, str], Awaitable[web.StreamResponse]]


class Context(Protocol):
    """What the inbox gives a running channel. There is nothing else to reach for."""

    @property
    def channel(self) -> Channel:
        """The configured instance."""

    @property
    def feed(self) -> Feed:
        """The threads of this channel, for recipients who fetch their replies."""

    @property
    def files(self) -> Files:
        """Attachments."""

    @property
    def faces(self) -> Faces:
        """The pictures of agents."""

    @property
    def keys(self) -> Keys:
        """Signing keys."""

    @property
    def log(self) -> Any:  # noqa: ANN401 (structlog's bound logger)
        """A logger that names the channel. Never give it a secret or a message's text."""

    async def receive(self, raw: Raw) -> Received:
        """Journals an event; returns when it cannot be lost any more.

        Raises:
            UnavailableError: it could not be stored; the platform must be told to try again.
        """

    def now(self) -> datetime:
        """The time, aware, in UTC."""

    def lease(self, name: str) -> AbstractAsyncContextManager[Lease]:
        """Waits to become the only owner of `name` on this channel over all processes, for as long as the block lasts.

        A channel that waits is shown as `standby`, unless it takes messages meanwhile: after `ready` or `mount`.

        Raises:
            LeaseLostError: inside the block, which is cancelled: this process stood still, or the database was away,
                for so long that another may be the owner.
        """

    def heard(self) -> None:
        """Says that the platform has answered, also when it had nothing to say. To be called after every poll.

        A poller that called it and falls silent for far longer than it used to is shown as `silent`.
        """

    async def share(self, name: str, spent: Mapping[str, float]) -> Mapping[str, float]:
        """Adds what each key has spent here, in seconds of its rate, to what it owes in all processes.

        Args:
            name: of the rate; keys of different rates do not meet.
            spent: by key, since it was last shared.

        Returns:
            For each key, after how many seconds from now it owes nothing any more.

        Raises:
            UnavailableError: the database is away; to be shared later.
        """

    def turned_away(self, reason: str) -> None:
        """Counts a request that is not the platform's: a wrong secret, a forged signature. `reason` is a fixed word."""

    def ready(self) -> None:
        """Says that the channel takes messages now. `mount` says so too; a silent one is believed after 5 seconds."""

    def mount(self, prefix: Literal["hooks", "chat"], handler: Handler) -> None:
        """Answers HTTP under `/{prefix}/{channel}`; the handler gets the rest of the path, without a leading slash."""

    def fail(self, reason: str) -> NoReturn:
        """Stops this channel for good and says why; an admin must act."""
