"""A channel for tests: its platform is an object of the test, its raw events say plainly what they mean."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import msgspec
from prometheus_client import CollectorRegistry

from connectors.base import Capabilities, Channel, Connector, Context, Options, Receipt, Reply
from inbox.activity import Activity
from inbox.ingest import Ingest, Intake, Policy
from inbox.metrics import Metrics
from inbox.store import Store
from normalizer.outcomes import Change, ConversationEvent, DeliveryUpdate, Draft, Ignored, Outcome, Person, Raw
from normalizer.schema import Author, External, Message, Part

CHANNEL = "post"
AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
POLICY = Policy(reopen_within=timedelta(days=14), edits=True)


def normalize(raw: Raw) -> Sequence[Outcome]:
    """The body is a list of what happened, as JSON."""
    return [_outcome(dict(item)) for item in json.loads(raw.body)]


def _outcome(item: dict[str, Any]) -> Outcome:
    match item.pop("is"):
        case "said":
            return _said(item)
        case "change":
            return Change(at=_at(item.pop("at", 0)), external_id=item.pop("of"), **item)
        case "event":
            part = Part(type="rating", text="Rated 5", data=item.get("data", {}))
            return ConversationEvent(thread_key=item["thread"], part=part, customer=_person(item["from"]), at=_at(0))
        case "report":
            return DeliveryUpdate(at=_at(item.pop("at", 0)), **item)
        case "nothing":
            return Ignored(reason="nothing")
        case other:
            raise ValueError(f"nobody can read this: {other}")


def _said(item: dict[str, Any]) -> Draft:
    id_ = item.get("id")
    message = Message(
        author=Author(type="customer", name=item.get("name")),
        external=External(id=id_, thread_key=item.get("thread")),
        text=item["text"] * item.get("times", 1),
        channel_data=item.get("data", {}),
    )
    own = item.get("thread") or id_
    return Draft(
        message=message,
        customer=_person(item["from"], item.get("name")),
        keys=(*([own] if own else []), *item.get("refers", ())),
        unique=item.get("unique"),
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
    """

    def __init__(self) -> None:
        self.pieces = 1
        self.taken: list[tuple[str, int]] = []
        self.replies: list[Reply] = []
        self.trouble: list[BaseException] = []
        self.door = asyncio.Event()
        self.door.set()

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
        threads=True, begins=True, recipients=True, subject=True, text_limit=100_000, attachment_limit=1 << 20
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
                yield Receipt(external_id=await self.platform.take(reply, number), piece=str(number))


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


def ingest(store: Store, owner: str = "me", **channels: Intake) -> Ingest:
    """An ingest that knows the channel `post`, unless it is told of others."""
    return Ingest(store, owner, channels or {CHANNEL: intake()}, metrics())
