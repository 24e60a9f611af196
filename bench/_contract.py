"""What the connector contract costs: a connector that receives from memory, beside calling ingest directly.

`python -m bench._contract URL SECONDS ROUNDS` prints the ratios of the rounds, as JSON.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import msgspec
import uvloop
from prometheus_client import CollectorRegistry

from connectors import Capabilities, Channel, Connector, Context, Options, Receipt, Reply
from connectors.supervisor import Seat
from inbox.activity import Activity
from inbox.addressing import Addressing
from inbox.attachments import Attachments
from inbox.context import ChannelContext
from inbox.events import Hub
from inbox.faces import Faces
from inbox.feed import ChannelFeed
from inbox.ingest import Ingest, Intake, Policy, Reading
from inbox.metrics import Metrics
from inbox.recipients import Recipients
from inbox.signals import Signals
from inbox.store import Store
from normalizer.outcomes import Ignored, Outcome, Raw

CHANNEL = "memory"
AT_ONCE = 64
BODY = b'{"text":"The parcel that was promised for Tuesday has not arrived."}'

Receive = Callable[[Raw], Awaitable[Any]]


class Memory(Connector[Options]):
    """Its platform is a function that is handed what the inbox would be told by."""

    name: ClassVar[str] = "memory"
    identity_kind: ClassVar[str] = "nobody"
    options_model: ClassVar[type[Options]] = Options
    capabilities: ClassVar[Capabilities] = Capabilities()

    def __init__(self, platform: Callable[[Receive], Awaitable[None]]) -> None:
        super().__init__(Options(), Channel(id=CHANNEL, public_url="http://127.0.0.1"))
        self._platform = platform

    async def start(self, context: Context) -> None:
        context.ready()
        await self._platform(context.receive)

    def normalize(self, raw: Raw) -> Sequence[Outcome]:  # noqa: ARG002 (it means nothing)
        return [Ignored(reason="a benchmark")]

    def send(self, reply: Reply, done: Sequence[Receipt]) -> AsyncGenerator[Receipt, None]:
        raise NotImplementedError


async def _rate(run: Callable[[Callable[[Receive], Awaitable[None]]], Awaitable[None]], seconds: float) -> float:
    """Events kept a second, by as many at once as the other benchmarks have connections."""
    numbers = itertools.count()
    kept = 0

    async def platform(receive: Receive) -> None:
        deadline = time.monotonic() + seconds
        began = time.time_ns()

        async def one() -> None:
            nonlocal kept
            while time.monotonic() < deadline:
                key = f"{began}-{next(numbers)}"
                now = datetime.now(UTC)
                await receive(Raw(key=key, body=BODY, content_type="application/json", received_at=now))
                kept += 1

        await asyncio.gather(*[one() for _ in range(AT_ONCE)])

    began = time.monotonic()
    await run(platform)
    return kept / (time.monotonic() - began)


async def measure(url: str, seconds: float, rounds: int) -> list[float]:
    """The share of the direct rate that a connector reaches, for each round. Nothing is applied meanwhile."""
    store = await Store.open(url)
    intake = Intake(
        connector="memory",
        normalize=lambda _: [Ignored(reason="a benchmark")],
        policy=Policy(reopen_within=timedelta(days=1)),
    )
    metrics = Metrics(CollectorRegistry(), Activity(), [CHANNEL])
    ingest = Ingest(store, "bench", {CHANNEL: intake}, Reading(dict), metrics)
    hub = Hub(store.events, metrics, Signals(store))

    async def directly(platform: Callable[[Receive], Awaitable[None]]) -> None:
        await platform(lambda raw: ingest.receive(CHANNEL, raw))

    async def by_connector(platform: Callable[[Receive], Awaitable[None]]) -> None:
        connector = Memory(platform)
        signals = Signals(store)
        context = ChannelContext(
            connector.channel,
            Seat(),
            store=store,
            owner="bench",
            ingest=ingest,
            feed=ChannelFeed(store, hub, signals, Recipients(store, Addressing({}), signals), CHANNEL),
            files=Attachments(store),
            faces=Faces(store, Attachments(store)),
            metrics=metrics,
        )
        await connector.start(context)

    await _rate(directly, 0.5)
    shares = []
    for number in range(rounds):
        pair = [directly, by_connector] if number % 2 == 0 else [by_connector, directly]
        rates = {way: await _rate(way, seconds) for way in pair}
        shares.append(rates[by_connector] / rates[directly])
    await store.close()
    return shares


if __name__ == "__main__":
    address, length, times = sys.argv[1:]
    print(msgspec.json.encode(uvloop.run(measure(address, float(length), int(times)))).decode())
