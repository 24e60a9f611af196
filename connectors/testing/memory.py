"""A `Context` in memory: what the inbox gives a running channel, without an inbox and without a database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NoReturn, Self

from msgspec.structs import replace

from connectors.context import Channel, Handler, Picture, Received
from connectors.errors import PermanentError
from connectors.supervisor import ChannelFailedError
from connectors.testing.feed import MemoryFeed
from connectors.testing.leases import MemoryLeases
from connectors.testing.site import MemorySite
from normalizer.outcomes import ConversationEvent, DeliveryUpdate, Draft, Outcome, Raw
from normalizer.schema import Attachment, Author, Delivery, DeliveryState, Direction, Message


class MemoryFiles:
    """Attachments. `kept` holds, by id, the attachment, its bytes, and whose it is."""

    def __init__(self, **contents: bytes) -> None:
        """`contents` are there from the start, by attachment id."""
        self.kept: dict[str, tuple[Attachment, bytes, str]] = {}
        for id_, content in contents.items():
            self.put(id_, content)

    def put(self, id_: str, content: bytes, *, filename: str = "file", owner: str = "") -> Attachment:
        """Keeps a file under an id of the test's own."""
        made = Attachment(id=id_, filename=filename, content_type=_sniffed(content), size=len(content), sha256="0" * 64)
        self.kept[id_] = (made, content, owner)
        return made

    async def open(self, attachment_id: str) -> AsyncIterator[bytes]:
        """The bytes, in pieces. Raises LookupError where there are none."""
        content = self.kept[attachment_id][1]
        for start in range(0, len(content), 65536):
            yield content[start : start + 65536]

    async def save(self, content: AsyncIterator[bytes], *, filename: str, owner: str, limit: int) -> Attachment:
        """Stores an upload.

        Raises:
            PermanentError: larger than `limit`.
        """
        body = bytearray()
        async for chunk in content:
            body += chunk
            if len(body) > limit:
                raise PermanentError(f"larger than {limit} bytes")
        return self.put(f"file-{len(self.kept) + 1}", bytes(body), filename=filename, owner=owner)

    async def find(self, attachment_id: str, *, owner: str) -> Attachment | None:
        """The file, where it is `owner`'s."""
        file, _, whose = self.kept.get(attachment_id, (None, b"", ""))
        return file if whose == owner else None


def _sniffed(content: bytes) -> str:
    if content.startswith(b"\x89PNG"):
        return "image/png"
    return "text/html" if b"<" in content[:1024] else "text/plain"


class MemoryFaces:
    """Agents' pictures: `of` holds the id of each agent's, `pictures` what they are."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}
        self.pictures: dict[str, Picture] = {}

    async def find(self, agent_id: str) -> str | None:
        """The id of an agent's picture."""
        return self.of.get(agent_id)

    async def open(self, picture_id: str) -> Picture | None:
        """A picture."""
        return self.pictures.get(picture_id)


class MemoryKeys:
    """Signing keys; the last of `keys` is the current one."""

    def __init__(self) -> None:
        self.keys = {"k1": b"1" * 32}
        self.revoked: dict[str, datetime] = {}

    async def current(self) -> tuple[str, bytes]:
        """The key to sign with."""
        return next(reversed(self.keys.items()))

    async def find(self, kid: str) -> bytes | None:
        """The key of that `kid`."""
        return self.keys.get(kid)

    async def revoke(self, subject: str, until: datetime) -> None:
        """Revokes what was signed for `subject`."""
        self.revoked[subject] = until

    async def is_revoked(self, subject: str) -> bool:
        """Whether it is."""
        return subject in self.revoked


class MemoryLog:
    """A logger that keeps what it is told, so that a test can look for what must not stand there."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def bind(self, **_: object) -> Self:
        """The same logger."""
        return self

    def debug(self, event: str, *words: object, **fields: object) -> None:
        """Keeps a line, as all levels do."""
        self.lines.append(" ".join((event, *map(str, words), *(f"{key}={value}" for key, value in fields.items()))))

    info = warning = error = exception = critical = debug


class MemoryContext:
    """One channel's context.

    Attributes:
        journal: what was received, by event key: the event, and what was answered.
        door: cleared while the journal is slow: `receive` waits for it.
        trouble: what `receive` raises instead of keeping the event.
        entered: how often `receive` was called.
        events: the `ConversationEvent`s that were applied.
        is_ready: whether the channel said so, or mounted something.
        owed: until when keys owe, by the rate's name and the key, in seconds of the event loop's clock.
        beats: how often it said that its platform was heard.
        away: why requests were turned away.
        failed: why it stopped for good.
    """

    def __init__(
        self,
        channel: Channel,
        *,
        site: MemorySite | None = None,
        normalize: Callable[[Raw], Sequence[Outcome]] | None = None,
    ) -> None:
        """`site` serves what is mounted; with `normalize`, what is received is applied to the feed at once."""
        self.channel = channel
        self.feed = MemoryFeed()
        self.files = MemoryFiles()
        self.faces = MemoryFaces()
        self.keys = MemoryKeys()
        self.log: Any = MemoryLog()
        self.leases = MemoryLeases()
        self.journal: dict[str, tuple[Raw, Received]] = {}
        self.events: list[ConversationEvent] = []
        self.handlers: dict[str, Handler] = {}
        self.trouble: Exception | None = None
        self.door = asyncio.Event()
        self.door.set()
        self.entered = 0
        self.is_ready = False
        self.owed: dict[tuple[str, str], float] = {}
        self.beats = 0
        self.away: list[str] = []
        self.failed: str | None = None
        self._site = site
        self._normalize = normalize

    @property
    def received(self) -> list[Raw]:
        """The events of the journal, in their order."""
        return [raw for raw, _ in self.journal.values()]

    async def receive(self, raw: Raw) -> Received:
        """Keeps an event, unless there is `trouble`."""
        self.entered += 1
        await self.door.wait()
        await asyncio.sleep(0)
        if self.trouble is not None:
            raise self.trouble
        if raw.key in self.journal:
            return replace(self.journal[raw.key][1], duplicate=True)
        received = Received(message_id=f"message-{len(self.journal) + 1}", received_at=raw.received_at)
        self.journal[raw.key] = (raw, received)
        if self._normalize is not None:
            for outcome in self._normalize(raw):
                await self._apply(outcome, received)
        return received

    def now(self) -> datetime:
        """The time."""
        return datetime.now(UTC)

    def lease(self, name: str) -> Any:  # noqa: ANN401 (AbstractAsyncContextManager[Lease])
        """Waits to become the holder of `name`."""
        return self.leases.hold(name)

    def heard(self) -> None:
        """Counts."""
        self.beats += 1
        self.is_ready = True

    async def share(self, name: str, spent: Mapping[str, float]) -> Mapping[str, float]:
        """Adds it to `owed`: there are no other processes, but those that a test plays."""
        now = asyncio.get_running_loop().time()
        for key, seconds in spent.items():
            self.owed[name, key] = max(self.owed.get((name, key), now), now) + seconds
        return {key: self.owed[name, key] - now for key in spent}

    def turned_away(self, reason: str) -> None:
        """Keeps the reason."""
        self.away.append(reason)

    def ready(self) -> None:
        """Sets `is_ready`."""
        self.is_ready = True

    def mount(self, prefix: Literal["hooks", "chat"], handler: Handler) -> None:
        """Answers HTTP under `/{prefix}/{channel}` of the site."""
        self.handlers[prefix] = handler
        self.is_ready = True
        if self._site is not None:
            self._site.mount(prefix, self.channel.id, handler)

    def fail(self, reason: str) -> NoReturn:
        """Keeps the reason, and raises what the supervisor's own does."""
        self.failed = reason
        raise ChannelFailedError(reason)

    async def reply(
        self,
        thread_key: str,
        text: str,
        *,
        direction: Direction = "outbound",
        state: DeliveryState = "waiting",
        **fields: Any,  # noqa: ANN401 (fields of Message)
    ) -> Message:
        """Puts an agent's reply (or a note) into a thread of the feed."""
        number = sum(map(len, self.feed.logs.values())) + 1
        message = Message(
            id=f"reply-{number}",
            author=Author(type="agent", id="secret-agent", name="Ayşe"),
            direction=direction,
            text=text,
            delivery=Delivery(state=state) if direction == "outbound" else None,
            channel_data={"secret": "data"},
            received_at=self.now(),
            **_OF_INBOX,
            **fields,
        )
        await self.feed.add(thread_key, message)
        return message

    async def change(self, thread_key: str, message_id: str, **fields: Any) -> Message:  # noqa: ANN401 (fields of Message)
        """Changes a message of the feed, and tells so."""
        message = replace(self.feed.newest(thread_key)[message_id], **fields)
        await self.feed.add(thread_key, message)
        return message

    def state(self, thread_key: str, message_id: str) -> str:
        """What became of a reply of the feed."""
        delivery = self.feed.newest(thread_key)[message_id].delivery
        if delivery is None:
            raise LookupError(f"{message_id} is no reply")
        return delivery.state

    async def _apply(self, outcome: Outcome, received: Received) -> None:
        if isinstance(outcome, Draft):
            key = outcome.keys[0] if outcome.keys else outcome.customer.value
            await self.feed.add(key, _stored(outcome.message, received))
        elif isinstance(outcome, DeliveryUpdate):
            await self._deliver(outcome)
        elif isinstance(outcome, ConversationEvent):
            self.events.append(outcome)
            event = Message(kind="event", author=outcome.author, text=outcome.part.text, parts=(outcome.part,))
            await self.feed.add(outcome.thread_key, _stored(event, received))

    async def _deliver(self, update: DeliveryUpdate) -> None:
        for thread_key in list(self.feed.logs):
            message = self.feed.newest(thread_key).get(update.message_id or "")
            if message is not None and message.delivery is not None:
                await self.change(thread_key, message.id, delivery=replace(message.delivery, state=update.state))


# What recipients must never see of a message: a test looks for it.
_OF_INBOX: dict[str, Any] = {"conversation_id": "conversation-1", "customer_id": "secret-customer"}


def _stored(message: Message, received: Received) -> Message:
    return replace(message, id=received.message_id, received_at=received.received_at, **_OF_INBOX)
