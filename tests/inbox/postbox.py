"""A channel for tests: its platform is an object of the test, its raw events say plainly what they mean."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import msgspec
from prometheus_client import CollectorRegistry
from pymongo.asynchronous.database import AsyncDatabase

from connectors.base import Capabilities, Connector, Options, Receipt, Reply
from connectors.context import Channel, Context
from connectors.supervisor import Supervisor
from connectors.tasks import end
from inbox.activity import Activity
from inbox.addressing import Addressing
from inbox.channels import Channels
from inbox.events import Hub
from inbox.feed import ChannelFeed
from inbox.housekeeping import Heir, Housekeeping
from inbox.ingest import Ingest, Intake, Policy, Reading
from inbox.jobs import JobWorker
from inbox.metrics import Metrics
from inbox.outbox import OutboxWorker
from inbox.recipients import Recipients
from inbox.roster import PARTS, Roster
from inbox.signals import Signals
from inbox.store import JournalEntry, Store
from normalizer.outcomes import (
    Change,
    ConversationEvent,
    DeliveryUpdate,
    Draft,
    Ignored,
    Outcome,
    Person,
    Profile,
    Raw,
    Remote,
)
from normalizer.schema import Attachment, Author, External, Message, Part

CHANNEL = "post"
AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
POLICY = Policy(reopen_within=timedelta(days=14), edits=True)
ASKING = Policy(reopen_within=timedelta(days=14), edits=True, profiles=True)


def normalize(raw: Raw) -> Sequence[Outcome]:
    """The body is a list of what happened, as JSON."""
    return [_outcome(dict(item)) for item in json.loads(raw.body)]


def _outcome(item: dict[str, Any]) -> Outcome:
    match item.pop("is"):
        case "said":
            return _said(item)
        case "change":
            return _changed(item)
        case "event":
            part = Part(type="rating", text="Rated 5", data=item.get("data", {}))
            return ConversationEvent(thread_key=item["thread"], part=part, customer=_person(item["from"]), at=_at(0))
        case "report":
            return DeliveryUpdate(at=_at(item.pop("at", 0)), **item)
        case "nothing":
            return Ignored(reason="nothing")
        case other:
            raise ValueError(f"nobody can read this: {other}")


def _changed(item: dict[str, Any]) -> Change:
    names = item.pop("files", None)
    if names is not None:
        item["attachments"] = tuple(map(_attachment, names))
        item["files"] = tuple(Remote(ref={"file": name}) for name in names)
    return Change(at=_at(item.pop("at", 0)), external_id=item.pop("of"), **item)


def _attachment(name: str) -> Attachment:
    return Attachment(id="", filename=name, content_type="text/plain")


def _said(item: dict[str, Any]) -> Draft:
    id_ = item.get("id")
    message = Message(
        author=Author(type="customer", name=item.get("name")),
        external=External(id=id_, thread_key=item.get("thread")),
        text=item["text"] * item.get("times", 1),
        attachments=tuple(map(_attachment, item.get("files", ()))),
        channel_data=item.get("data", {}),
    )
    own = item.get("thread") or id_
    return Draft(
        message=message,
        customer=_person(item["from"], item.get("name")),
        keys=(*([own] if own else []), *item.get("refers", ())),
        unique=item.get("unique"),
        files=tuple(Remote(ref={"file": name}) for name in item.get("files", ())),
        reopens=item.get("reopens", True),
    )


def _person(value: str, name: str | None = None) -> Person:
    return Person(kind="post", value=value, name=name)


def _at(minutes: int) -> datetime:
    return AT + timedelta(minutes=minutes)


def said(text: str = "hello", *, sender: str = "ada", **more: Any) -> dict[str, Any]:
    """A message that somebody wrote."""
    return {"is": "said", "text": text, "from": sender, **more}


def raw(key: str, *items: dict[str, Any], **fields: Any) -> Raw:
    """A raw event."""
    made = {"body": json.dumps(items).encode(), "content_type": "application/json", "received_at": datetime.now(UTC)}
    return Raw(key=key, **(made | fields))


class NoOptions(Options):
    """There is nothing to choose."""


class Platform:
    """What the other end of a `Postbox` remembers, and how it behaves next.

    Attributes:
        pieces: of each reply, by its message's id, how many pieces it takes.
        taken: the pieces that were delivered, as (message id, number).
        trouble: raised, one after another, instead of taking the next piece.
        door: closed while the platform keeps everybody waiting.
        files: what can be fetched; a piece a line.
        people: whom it can describe.
        asked: what was fetched and who was asked about, each time.
    """

    def __init__(self) -> None:
        self.pieces = 1
        self.taken: list[tuple[str, int]] = []
        self.replies: list[Reply] = []
        self.trouble: list[BaseException] = []
        self.door = asyncio.Event()
        self.door.set()
        self.files: dict[str, bytes] = {}
        self.people: dict[str, Profile] = {}
        self.asked: list[str] = []

    async def take(self, reply: Reply, number: int) -> str:
        await self.door.wait()
        if self.trouble:
            raise self.trouble.pop(0)
        self.taken.append((reply.message.id, number))
        return f"{reply.message.id}/{number}"


class Postbox(Connector[NoOptions]):
    """Sends replies to a `Platform`, a piece at a time."""

    name = "postbox"
    identity_kind = "post"
    options_model = NoOptions
    capabilities: ClassVar[Capabilities] = Capabilities(
        threads=True,
        begins=True,
        recipients=True,
        quotes=True,
        subject=True,
        text_limit=100_000,
        attachment_limit=1 << 20,
        fetch_limit=1 << 20,
    )

    def __init__(self, platform: Platform, channel: str = CHANNEL) -> None:
        super().__init__(NoOptions(), Channel(id=channel, public_url="http://127.0.0.1"))
        self.platform = platform

    async def start(self, context: Context) -> None:
        await asyncio.Event().wait()

    def normalize(self, raw: Raw) -> Sequence[Outcome]:
        return normalize(raw)

    async def send(self, reply: Reply, done: Sequence[Receipt]) -> AsyncIterator[Receipt]:
        self.platform.replies.append(reply)
        sent = {receipt.piece for receipt in done}
        for number in range(self.platform.pieces):
            if str(number) not in sent:
                await reply.pace()
                yield Receipt(external_id=await self.platform.take(reply, number), piece=str(number))

    async def fetch(self, remote: Remote) -> AsyncIterator[bytes]:
        name = remote.ref["file"]
        self.platform.asked.append(name)
        await self.platform.door.wait()
        if self.platform.trouble:
            raise self.platform.trouble.pop(0)
        for line in self.platform.files[name].splitlines(keepends=True):
            yield line

    async def describe(self, person: Person) -> Profile:
        self.platform.asked.append(person.value)
        if self.platform.trouble:
            raise self.platform.trouble.pop(0)
        return self.platform.people[person.value]


class SurePostbox(Postbox):
    """Its platform knows a reply that comes twice."""

    capabilities = msgspec.structs.replace(Postbox.capabilities, idempotent_send=True)


class PulledPostbox(Postbox):
    """Its recipients fetch their replies; the recipient is the thread."""

    capabilities = msgspec.structs.replace(Postbox.capabilities, pull=True, threads=False)


def intake(**fields: Any) -> Intake:
    """What ingest knows of the channel."""
    return Intake(**({"connector": "postbox", "normalize": normalize, "policy": POLICY} | fields))


def metrics() -> Metrics:
    """Metrics that nobody looks at."""
    return Metrics(CollectorRegistry(), Activity())


def feed_of(store: Store, hub: Hub, channel: str) -> ChannelFeed:
    """The feed of a channel, which hears no signals."""
    signals = Signals(store)
    return ChannelFeed(store, hub, signals, Recipients(store, Addressing({}), signals), channel)


def ingest(store: Store, owner: str = "me", *, alone: bool = False, **channels: Intake) -> Ingest:
    """An ingest that knows the channel `post`, unless it is told of others."""
    channels = channels or {CHANNEL: intake()}
    reading = Reading(functools.partial(dict, {channel: one.normalize for channel, one in channels.items()}))
    return Ingest(store, owner, channels, reading, metrics(), alone=alone)


def roster(store: Store, owner: str, supervisor: Supervisor | None = None) -> Roster:
    """One that knows no channels, unless its supervisor runs some."""
    none = Channels(order=(), connectors={}, policies={}, refused={})
    return Roster(store, owner, PARTS, none, supervisor or Supervisor({}, {}, lambda _channel, _seat: None))  # type: ignore[arg-type,return-value]


def housekeeping(store: Store, owner: str, *heirs: Heir) -> Housekeeping:
    """That of one process among others."""
    return Housekeeping(store, owner, heirs, Activity(), alone=False, roster=roster(store, owner))


@contextlib.asynccontextmanager
async def running(one: Ingest | OutboxWorker | JobWorker) -> AsyncIterator[None]:
    """Lets it run meanwhile; it must not end by itself."""
    task = asyncio.create_task(one.run())
    try:
        yield
        assert not task.done(), "it ended"
    finally:
        await end(task)


@contextlib.asynccontextmanager
async def working(worker: OutboxWorker | JobWorker) -> AsyncIterator[None]:
    """Lets a worker work meanwhile, and what it has begun end."""
    try:
        async with running(worker):
            yield
    finally:
        await worker.drain(0.1)


@contextlib.asynccontextmanager
async def profiled(documents: AsyncDatabase[dict[str, Any]]) -> AsyncIterator[None]:
    """The database notes in `system.profile` whatever it is asked meanwhile.

    By itself it would keep a megabyte, and the longer a test waits, the more of that is what it asked while it did.
    """
    await documents.create_collection("system.profile", capped=True, size=64 << 20)
    await documents.command("profile", 2)
    try:
        yield
    finally:
        await documents.command("profile", 0)


def entry(id_: str, message_id: str | None = None) -> JournalEntry:
    """A journal entry of the channel, which nobody received."""
    return JournalEntry(
        id=id_,
        channel=CHANNEL,
        connector="postbox",
        message_id=message_id or id_,
        content_type="text/plain",
        envelope={},
        size=1,
        body=b"x",
        received_at=datetime.now(UTC),
        owner="me",
    )
