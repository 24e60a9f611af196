"""The connector contract: all that a platform's plugin and the inbox must know of each other.

Three promises, and the rest follows from them:

1. **Persist, then acknowledge.** `Context.receive` returns once the raw event is journaled on a majority of the
   database. Only then does a connector tell its platform so; when it raises, the platform must be told *try again*.
2. **Understanding is pure.** `Connector.normalize` gets the bytes back later, maybe twice, maybe in another process,
   and says what they mean without I/O, clock or state. What it cannot read must become a readable placeholder.
3. **A send never lies.** Each platform piece that left is one `Receipt`, stored before the next piece is asked for. A
   failure is temporary, permanent or uncertain (`connectors.errors`), never a quiet return.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Generic, Literal, NoReturn, Protocol, TypeVar

from aiohttp import web
from msgspec import Struct
from pydantic import BaseModel, BeforeValidator, ConfigDict, SecretStr

from normalizer.outcomes import Outcome, Person, Raw
from normalizer.schema import Attachment, Message, Recipient


class Options(BaseModel):
    """Base of every connector's options. Unknown keys are mistakes, and `santral check` names their lines."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _several(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value,)


Secrets = Annotated[tuple[SecretStr, ...], BeforeValidator(_several)]
"""A secret, or a list of them while it changes: the new one first."""


OptionsT = TypeVar("OptionsT", bound=Options)


class Capabilities(Struct, frozen=True, kw_only=True):
    """What the platform can do, declared so that nobody has to ask a connector for its name.

    Attributes:
        threads: conversations follow the platform's threads and are joined by them; else one customer, one chat.
        begins: the company can write first.
        edits: the platform tells of edits, deletions or reactions (`Change`), in any order with their messages.
        pull: the recipient fetches replies through `Context.feed`; the outbox leaves them `waiting` until a
            `DeliveryUpdate` says `delivered`, and never calls `send`.
        idempotent_send: sending a message twice under the same id shows it once, so a worker's death is no doubt.
        html: replies may carry HTML.
        subject: replies have a subject.
        recipients: replies may name `to`, `cc` and `bcc`.
        text_limit: characters in one reply; None for no limit.
        attachment_limit: bytes of one file; 0 where files cannot be sent.
        reopen_within: how long after its last message a resolved conversation is opened again by the next one.
    """

    threads: bool = False
    begins: bool = False
    edits: bool = False
    pull: bool = False
    idempotent_send: bool = False
    html: bool = False
    subject: bool = False
    recipients: bool = False
    text_limit: int | None = None
    attachment_limit: int = 0
    reopen_within: timedelta = timedelta(hours=24)


class Channel(Struct, frozen=True, kw_only=True):
    """The configured instance a connector serves. `public_url` is where the world reaches Santral's HTTP, no slash."""

    id: str
    public_url: str
    inbox_name: str = "Santral"
    locale: str = "en"


class Received(Struct, frozen=True, kw_only=True):
    """The journal's word that an event is kept: `message_id` is the id of the message that it becomes.

    The same event again gives the same answer, with `duplicate` set.
    """

    message_id: str
    received_at: datetime
    duplicate: bool = False


class Receipt(Struct, frozen=True, kw_only=True):
    """One platform piece that left. `piece` names it over tries; `recipient` is set where one address is one piece."""

    external_id: str
    piece: str = ""
    recipient: Recipient | None = None


class FeedPage(Struct, frozen=True, kw_only=True):
    """Messages of one thread, oldest first, and the cursor after the last of them.

    `conversation_id` is that of the newest conversation of the thread, or None before the first message.
    """

    messages: tuple[Message, ...]
    cursor: str
    conversation_id: str | None = None


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


class Reply(Struct, frozen=True, kw_only=True):
    """A message on its way out.

    Attributes:
        message: what to send; `message.id` is the same on every try, and so must be what is made from it.
        person: the identity to answer.
        files: where the bytes of `message.attachments` are read.
        thread_key: the platform's thread to answer in.
        references: external ids of the conversation's earlier messages on this channel, oldest first.
        subject: the conversation's subject, where the message has none of its own.
        to: addresses that the agent chose instead of the person's own, for channels with `recipients`.
        cc: addresses in open copy, likewise.
        bcc: addresses in hidden copy, likewise.
    """

    message: Message
    person: Person
    files: Files
    thread_key: str | None = None
    references: tuple[str, ...] = ()
    subject: str | None = None
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()


class Keys(Protocol):
    """Signing keys of the channel, kept in the database and the same in every process."""

    async def current(self) -> tuple[str, bytes]:
        """The key to sign with: its `kid` and its 32 bytes."""

    async def find(self, kid: str) -> bytes | None:
        """The key of that `kid`, or None."""


class Lease(Protocol):
    """One owner over all processes. `token` grows with each owner, so that a late write of an earlier one is seen."""

    token: int

    def lost(self) -> bool:
        """Whether another may be the owner by now; checked before each write that only the owner may do."""


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

    async def load_cursor(self) -> bytes | None:
        """What `save_cursor` kept last."""

    async def save_cursor(self, cursor: bytes) -> None:
        """Keeps how far the platform has been read; the events before it must have been received."""

    def lease(self, name: str) -> AbstractAsyncContextManager[Lease]:
        """Waits to become the only holder of `name` on this channel over all processes."""

    def ready(self) -> None:
        """Says that the channel takes messages now. `mount` says so too; a silent one is believed after 5 seconds."""

    def mount(self, prefix: Literal["hooks", "chat"], handler: Handler) -> None:
        """Answers HTTP under `/{prefix}/{channel}`; the handler gets the rest of the path, without a leading slash."""

    def fail(self, reason: str) -> NoReturn:
        """Stops this channel for good and says why; an admin must act."""


class Connector(ABC, Generic[OptionsT]):
    """Plugin code for one platform; one object serves one channel."""

    name: ClassVar[str]
    identity_kind: ClassVar[str]  # the kind of the identities that it can answer: `email`, `visitor`, …
    options_model: ClassVar[type[Options]]
    capabilities: ClassVar[Capabilities]

    def __init__(self, options: OptionsT, channel: Channel) -> None:
        """Keeps what it is given. No I/O: that is `start`'s."""
        self.options = options
        self.channel = channel

    @classmethod
    def canonical(cls, value: str) -> str | None:
        """The value under which an identity of the platform is kept, or None where it can be none.

        Pure; `normalize` gives identities in this form. Here: any text on one line.
        """
        return value if value and value.isprintable() else None

    @abstractmethod
    async def start(self, context: Context) -> None:
        """Receives until cancelled. It may raise: the supervisor starts it again with growing pauses."""

    @abstractmethod
    def normalize(self, raw: Raw) -> Sequence[Outcome]:
        """What a raw event means. Pure: same input, same output, no I/O, no clock, nothing remembered."""

    @abstractmethod
    def send(self, reply: Reply, done: Sequence[Receipt]) -> AsyncGenerator[Receipt, None]:
        """Sends a reply and yields a receipt for each piece that left, but for those already in `done`.

        Raises:
            TemporaryError: try again later.
            PermanentError: it can never leave like this.
            UncertainError: it may have left.
        """
