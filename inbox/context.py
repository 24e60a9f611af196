"""What a running channel is given: implements `connectors.base.Context`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Literal, NoReturn

import structlog
from aiohttp import web

from connectors.context import Channel, Handler, Lease, Received
from connectors.supervisor import Seat
from inbox import leases
from inbox.attachments import Attachments
from inbox.clock import utc_now
from inbox.faces import Faces
from inbox.feed import ChannelFeed
from inbox.ingest import Ingest
from inbox.metrics import Metrics
from inbox.model import scoped
from inbox.store import Store
from normalizer.outcomes import Raw


class ChannelKeys:
    """Implements `connectors.base.Keys`."""

    def __init__(self, store: Store, channel: str) -> None:
        self._keys = store.keys
        self._channel = channel

    async def current(self) -> tuple[str, bytes]:
        """The key to sign with: its `kid` and its 32 bytes."""
        return await self._keys.signing_key(self._channel, datetime.now(UTC))

    async def find(self, kid: str) -> bytes | None:
        """The key of that `kid`, or None."""
        return await self._keys.key(self._channel, kid)

    async def revoke(self, subject: str, until: datetime) -> None:
        """Revokes what was signed for `subject`; forgotten after `until`."""
        await self._keys.revoke(self._channel, subject, until)

    async def is_revoked(self, subject: str) -> bool:
        """Whether what was signed for `subject` is revoked."""
        return await self._keys.is_revoked(self._channel, subject)


class ChannelContext:
    """One channel's way to the inbox."""

    def __init__(
        self,
        channel: Channel,
        seat: Seat,
        *,
        store: Store,
        owner: str,
        ingest: Ingest,
        feed: ChannelFeed,
        files: Attachments,
        faces: Faces,
        metrics: Metrics,
    ) -> None:
        self.channel = channel
        self.feed = feed
        self.files = files
        self.faces = faces
        self.keys = ChannelKeys(store, channel.id)
        self.log: Any = structlog.get_logger("santral.channel").bind(channel=channel.id)
        self._seat = seat
        self._store = store
        self._owner = owner
        self._ingest = ingest
        self._metrics = metrics

    async def receive(self, raw: Raw) -> Received:
        """Journals an event; returns when it cannot be lost any more.

        Raises:
            UnavailableError: it could not be stored; the platform must be told to try again.
        """
        return await self._ingest.receive(self.channel.id, raw)

    def now(self) -> datetime:
        """The time, aware, in UTC."""
        return utc_now()

    @asynccontextmanager
    async def lease(self, name: str) -> AsyncIterator[Lease]:
        """Waits to become the only owner of `name` on this channel over all processes, while the block lasts.

        Raises:
            LeaseLostError: inside the block: another may be the owner.
        """
        full = f"{self.channel.id}|{name}"
        self._metrics.wants(full)
        async with AsyncExitStack() as stack:
            with self._seat.standing_by(name):
                lease = await stack.enter_async_context(leases.hold(self._store, self._owner, full))
            with self._metrics.holding(full, lease):
                yield lease

    async def share(self, name: str, spent: Mapping[str, float]) -> Mapping[str, float]:
        """Adds what each key has spent here to what it owes in all processes; says after how many seconds nothing."""
        prefix = scoped(self.channel.id, name)
        owed = await self._store.budgets.owe({scoped(prefix, key): seconds for key, seconds in spent.items()})
        return {key: owed[scoped(prefix, key)] for key in spent}

    def heard(self) -> None:
        """Says that the platform has answered, also when it had nothing to say."""
        self._seat.heard()

    def turned_away(self, reason: str) -> None:
        """Counts a request that is not the platform's."""
        self._metrics.turned_away(self.channel.id, reason)

    def ready(self) -> None:
        """Says that the channel takes messages now."""
        self._seat.serve()

    def mount(self, prefix: Literal["hooks", "chat"], handler: Handler) -> None:
        """Answers HTTP under `/{prefix}/{channel}`."""
        self._seat.mount(prefix, self._counting(handler) if prefix == "hooks" else handler)

    def _counting(self, handler: Handler) -> Handler:
        """What no hook reads to its end is none of a platform's either."""

        async def handle(request: web.Request, tail: str) -> web.StreamResponse:
            try:
                return await handler(request, tail)
            except web.HTTPRequestEntityTooLarge:
                self.turned_away("size")
                raise

        return handle

    def fail(self, reason: str) -> NoReturn:
        """Stops this channel for good and says why; an admin must act."""
        self._seat.fail(reason)
