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
from datetime import timedelta
from typing import Annotated, ClassVar, Generic, Literal, TypeVar

from msgspec import Struct
from pydantic import BaseModel, BeforeValidator, ConfigDict, SecretStr

from connectors.context import Channel, Context, Files
from connectors.errors import PermanentError
from normalizer.outcomes import Outcome, Person, Profile, Raw, Remote
from normalizer.schema import Message, Recipient


class FollowUp(Struct, frozen=True, kw_only=True):
    """Replies that nobody fetched leave by another channel, where the recipient has a proved address on it.

    Attributes:
        channel: the id of that channel, which must be able to begin.
        after: how long they wait for that, counted from the last of them.
        option: where the options name the channel, so that a mistake is told on its line.
    """

    channel: str
    after: timedelta
    option: tuple[str, ...]


class Options(BaseModel):
    """Base of every connector's options. Unknown keys are mistakes, and `santral check` names their lines."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @property
    def follow_up(self) -> FollowUp | None:
        """What becomes of replies that nobody fetches, on a channel with `pull`; None: they wait."""
        return None


def _several(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value,)


Secrets = Annotated[tuple[SecretStr, ...], BeforeValidator(_several)]
"""A secret, or a list of them while it changes: the new one first."""


OptionsT = TypeVar("OptionsT", bound=Options)


class Rate(Struct, frozen=True, kw_only=True):
    """At most `count` pieces in `seconds`, of the whole channel or of each thread of it (a chat, a Slack channel)."""

    count: int
    seconds: float
    per: Literal["channel", "thread"] = "channel"


class Capabilities(Struct, frozen=True, kw_only=True):
    """What the platform can do, declared so that nobody has to ask a connector for its name.

    Attributes:
        threads: conversations follow the platform's threads and are joined by them; else one customer, one chat.
        begins: the company can write first.
        amends: which messages can be changed there: replies by `edit` and `delete`, any by `react` and `unreact`.
        shows_typing: the platform shows that somebody types.
        edits: the platform tells of edits, deletions or reactions (`Change`), in any order with their messages.
        pull: the recipient fetches replies through `Context.feed`; the outbox leaves them `waiting` until a
            `DeliveryUpdate` says `delivered`, and never calls `send`.
        idempotent_send: sending a message twice under the same id shows it once, so a worker's death is no doubt.
        html: replies may carry HTML.
        subject: replies have a subject.
        recipients: replies may name `to`, `cc` and `bcc`.
        quotes: replies may repeat what they answer (`Reply.answered`), also where their writer named nothing.
        profiles: `describe` tells of people; the inbox asks once for each new identity.
        text_limit: characters in one reply; None for no limit. A reply beyond it is refused before it is stored.
        attachment_limit: bytes of one file; 0 where files cannot be sent. Likewise.
        fetch_limit: bytes of one file that `fetch` may bring; a larger one is shown as `too_large`.
        rates: what the platform bears. `Reply.pace` keeps to them before the platform has to say so.
        reopen_within: how long after its last message a resolved conversation is opened again by the next one.
    """

    threads: bool = False
    begins: bool = False
    amends: tuple[Literal["edit", "delete", "react", "unreact"], ...] = ()
    shows_typing: bool = False
    edits: bool = False
    pull: bool = False
    idempotent_send: bool = False
    html: bool = False
    subject: bool = False
    recipients: bool = False
    quotes: bool = False
    profiles: bool = False
    text_limit: int | None = None
    attachment_limit: int = 0
    fetch_limit: int = 50 * 1024 * 1024
    rates: tuple[Rate, ...] = ()
    reopen_within: timedelta = timedelta(hours=24)


class Receipt(Struct, frozen=True, kw_only=True):
    """One platform piece that left. `piece` names it over tries; `recipient` is set where one address is one piece.

    `others` are further ids of the same piece, where one call makes several messages there: an album. `thread_key` is
    the thread in which answers to it come, where neither its external id nor `Reply.thread_key` is that thread.
    """

    external_id: str
    others: tuple[str, ...] = ()
    thread_key: str | None = None
    piece: str = ""
    recipient: Recipient | None = None


async def _at_once() -> None:
    """The pace of a platform without rates."""


class Reply(Struct, frozen=True, kw_only=True):
    """A message on its way out.

    Attributes:
        message: what to send; `message.id` is the same on every try, and so must be what is made from it.
        person: the identity to answer.
        files: where the bytes of `message.attachments` are read.
        thread_key: the platform's thread to answer in.
        references: external ids of the conversation's earlier messages on this channel, oldest first.
        subject: the conversation's subject, where the message has none of its own.
        answered: the message that its writer named; else, for channels with `quotes`, the last one of its reader.
        signature: what the agent writes under replies, in place of the channel's; None where they have none.
        picture: where anybody finds the picture of the agent who writes, below the channel's `public_url`; None where
            they have none.
        to: addresses that the agent chose instead of the person's own, for channels with `recipients`.
        cc: addresses in open copy, likewise.
        bcc: addresses in hidden copy, likewise.
        pace: waits until the platform bears one more piece (`Capabilities.rates`), over all processes: to be awaited
            before each piece. Without rates it returns at once.
    """

    message: Message
    person: Person
    files: Files
    thread_key: str | None = None
    references: tuple[str, ...] = ()
    subject: str | None = None
    answered: Message | None = None
    signature: str | None = None
    picture: str | None = None
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    pace: Callable[[], Awaitable[None]] = _at_once


Amends = Literal["edit", "delete", "react", "unreact"]


class Amendment(Struct, frozen=True, kw_only=True):
    """What an agent changes of a message that stands on the platform.

    Attributes:
        kind: another text for a reply, its deletion, an emoji put under a message or taken away.
        message: as it is to be, with the reactions that then stand there; `external` says what the platform calls it,
            and `external.ids` its pieces.
        before: as it is.
        emoji: the reaction that comes or goes. Of several agents' a bot may have one place there: `message.reactions`.
        pace: as in `Reply`.
    """

    kind: Amends
    message: Message
    before: Message
    emoji: str | None = None
    pace: Callable[[], Awaitable[None]] = _at_once


class Connector(ABC, Generic[OptionsT]):
    """Plugin code for one platform; one object serves one channel."""

    name: ClassVar[str]
    identity_kind: ClassVar[str]  # the kind of the identities that it can answer: `email`, `visitor`, …
    options_model: ClassVar[type[Options]]
    capabilities: ClassVar[Capabilities]

    @property
    def part(self) -> Literal["web", "channels"]:
        """Which part of Santral runs `start`: `web` where this channel answers HTTP by `mount`.

        All processes of that part run it side by side, so that each can answer; a poller takes a lease.
        """
        return "channels"

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

    def owns(self, value: str) -> bool:  # noqa: ARG002 (for those who can)
        """Whether an identity's value is the channel's own address, so that nobody is answered there. Pure."""
        return False

    def others(self, message: Message) -> Sequence[str]:  # noqa: ARG002 (likewise)
        """Who else was openly written to by a message that came in. Pure, and only asked with `recipients`.

        They have the answer in copy where its writer does not say otherwise, but for those whom a channel `owns`.
        """
        return ()

    def rates(self, thread_key: str | None) -> Sequence[Rate]:  # noqa: ARG002 (for those where threads differ)
        """What the platform bears in that thread: those of `capabilities` that hold there. Pure."""
        return self.capabilities.rates

    def paced_by(self, thread_key: str | None) -> str | None:
        """What rates `per="thread"` count by, where that is more than one thread: Slack's channel. Pure."""
        return thread_key

    @abstractmethod
    async def start(self, context: Context) -> None:
        """Receives until cancelled.

        It may raise: the supervisor starts it again after growing pauses, or after `retry_after` where that is longer.
        """

    @abstractmethod
    def normalize(self, raw: Raw) -> Sequence[Outcome]:
        """What a raw event means. Pure: same input, same output, no I/O, no clock, nothing remembered.

        It may be asked in another process, of a connector that was never started, and is cut off after some seconds.
        """

    @abstractmethod
    def send(self, reply: Reply, done: Sequence[Receipt]) -> AsyncGenerator[Receipt, None]:
        """Sends a reply and yields a receipt for each piece that left, but for those already in `done`.

        Raises:
            TemporaryError: try again later.
            PermanentError: it can never leave like this.
            UncertainError: it may have left.
        """

    def fetch(self, remote: Remote) -> AsyncIterator[bytes]:  # noqa: ARG002 (for those who can)
        """The bytes of a file that `normalize` left on the platform, in pieces. It may be asked for more than once.

        Raises:
            TemporaryError: try again later.
            PermanentError: it cannot be had; `code` is the attachment's state then, where it is one, else `expired`.
        """
        raise PermanentError(f"{self.name} fetches no files")

    async def describe(self, person: Person) -> Profile:  # noqa: ARG002 (likewise)
        """What the platform knows of a person.

        Raises:
            TemporaryError: try again later.
            PermanentError: it tells nothing of them.
        """
        raise PermanentError(f"{self.name} describes nobody")

    async def amend(self, amendment: Amendment) -> None:  # noqa: ARG002 (likewise)
        """Changes a message that stands on the platform, as `Capabilities.amends` declares; doing it twice is once.

        Raises:
            TemporaryError: try again later.
            PermanentError: the platform does not.
            UncertainError: it may have done it.
        """
        raise PermanentError(f"{self.name} changes nothing that was sent")

    async def show_typing(self, thread_key: str) -> None:
        """Shows for some seconds that somebody types in a thread; nothing that it raises is told to anybody."""

    async def examine(self) -> Sequence[str]:
        """What its platform says is missing, a sentence each with what to do; for `santral check --online`.

        Nothing is received or changed by it, and it may be asked while the channel runs elsewhere.

        Raises:
            ConnectorError: the platform cannot be asked.
        """
        return ()

    async def close(self) -> None:
        """Lets go what the calls above keep open between them. Called once, when nothing calls them any more."""
