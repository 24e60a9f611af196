"""Putting Santral together, running it, and taking it apart: the only place where objects are wired."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from config import Config
from connectors.context import Channel, Context
from connectors.registry import Registry
from connectors.supervisor import Seat, Supervisor
from connectors.tasks import end, together
from inbox.activity import Activity
from inbox.addressing import Addressing
from inbox.amendments import Amendments
from inbox.api import create_app, create_worker_app
from inbox.attachments import Attachments
from inbox.audit import Audit
from inbox.channels import Channels, build, normalizers
from inbox.context import ChannelContext
from inbox.conversations import Conversations
from inbox.customer_notes import CustomerNotes
from inbox.customers import Customers
from inbox.events import Hub
from inbox.faces import Faces
from inbox.feed import ChannelFeed
from inbox.follow_ups import FollowUps
from inbox.gauges import Gauges
from inbox.housekeeping import Housekeeping
from inbox.ingest import Ingest, Intake, Reading
from inbox.jobs import JobWorker
from inbox.keeping import Keeping
from inbox.metrics import Metrics
from inbox.model import Event, new_id
from inbox.oidc import Oidc
from inbox.outbox import OutboxWorker
from inbox.privacy import Privacy
from inbox.public_only import PublicOnly
from inbox.recipients import Recipients
from inbox.replies import Replies
from inbox.retention import Retention
from inbox.roster import Part, Roster
from inbox.services import Services
from inbox.sign_in import SignIn
from inbox.signals import Signals
from inbox.store import Store, embedded
from inbox.store.writer import Measured
from inbox.tags import Tags, TagWorker
from inbox.told import Teller
from inbox.trail import Trail
from inbox.typing import TypingShown
from inbox.waking import Waker
from inbox.webhooks import WebhookWorker

WEB_STOP_SECONDS = 5.0
SEND_STOP_SECONDS = 8.0


class StartError(Exception):
    """Santral cannot start; the text says why and what to do."""


@contextlib.asynccontextmanager
async def storage(config: Config, measured: Measured) -> AsyncIterator[tuple[Store, embedded.EmbeddedDatabase | None]]:
    """The configured database, or the embedded one, which this process then owns.

    Raises:
        EmbeddedDatabaseError: the embedded database cannot run.
        StoreUnavailableError: it has no primary, and got none.
        UnfitDatabaseError: the configured one cannot be used.
    """
    async with contextlib.AsyncExitStack() as stack:
        owned = None
        if config.storage.url is None:
            owned = await embedded.start(config.storage.data_dir)
            stack.push_async_callback(owned.stop)
            url = owned.url
        else:
            url = config.storage.url.get_secret_value()
        store = await Store.open(url, migrate=owned is not None, measured=measured, zone=config.inbox.zone)
        stack.push_async_callback(store.close)
        yield store, owned


class Worker(Protocol):
    """What runs in the background for as long as the process does."""

    async def run(self) -> None:
        """Goes on until cancelled."""


class Santral:
    """One process: everything between the database and the world, or some parts of it.

    What came in is applied by the process that took it, so every process has ingest; and each takes up what dead ones
    left.
    """

    def __init__(
        self,
        config: Config,
        store: Store,
        channels: Channels,
        reading: Reading,
        *,
        metrics: Metrics,
        activity: Activity,
        alone: bool,
        parts: Sequence[Part],
    ) -> None:
        self.config = config
        self.store = store
        self.owner = new_id()
        self._channels = channels
        self._parts = parts
        self._metrics = metrics
        self._activity = activity
        self._signals = Signals(store)
        self._addressing = Addressing(channels.connectors)
        self._recipients = Recipients(store, self._addressing, self._signals)
        self._typing = TypingShown(store, channels.connectors)
        self._hub = Hub(store.events, metrics, self._signals)
        self._files = Attachments(store)
        self._faces = Faces(store, self._files)
        self._audit = Audit(store)
        self._public = PublicOnly(config.webhooks.allow_networks)
        self._ingest = Ingest(store, self.owner, self._intakes(), reading, metrics, alone=alone)
        self._outbox = OutboxWorker(store, self.owner, channels.connectors, self._files, metrics)
        ours = {channel: one for channel, one in channels.connectors.items() if one.part in parts}
        self._supervisor = Supervisor(ours, channels.refused, self._context)
        self._roster = Roster(store, self.owner, parts, channels, self._supervisor)
        self._jobs = JobWorker(store, self.owner, channels.connectors, self._files)
        heirs = (self._ingest, self._outbox, self._jobs)
        self._housekeeping = Housekeeping(store, self.owner, heirs, activity, alone=alone, roster=self._roster)
        self._logger: Any = structlog.get_logger("santral")
        metrics.registry.register(
            Gauges(
                ingest=self._ingest,
                hub=self._hub,
                supervisor=self._supervisor,
                activity=activity,
                housekeeping=self._housekeeping,
            )
        )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        """Serves while the block lasts, then drains: what comes in first, then replies on their way.

        Yields:
            A task that ends, with the error, should a part of Santral fail that must not.

        Raises:
            StartError: the web address cannot be listened on.
        """
        await self._housekeeping.begin()
        workers = asyncio.create_task(self._work())
        try:
            async with self._web():
                self._supervisor.start()
                yield workers
        finally:
            await self._supervisor.stop()
            await self._ingest.drain()
            await end(workers)
            await asyncio.gather(
                self._outbox.drain(SEND_STOP_SECONDS), self._jobs.drain(SEND_STOP_SECONDS), self._typing.close()
            )
            await self._close_connectors()
            await self._audit.flush()
            await self._housekeeping.end()

    async def _work(self) -> None:
        workers: list[Worker] = [self._ingest, self._housekeeping]
        if "web" in self._parts or "channels" in self._parts:
            workers.append(self._hub)  # those who follow conversations are there
        if "web" in self._parts:
            workers.append(self._audit)
        if "outbox" in self._parts:
            retention = Retention(self.store, self.owner, Privacy(self.store), self.config.retention)
            webhooks = WebhookWorker(self.store, self.owner, self._public, self._metrics)
            follow_ups, tags = FollowUps(self.store, self._addressing), TagWorker(self.store)
            workers += [self._outbox, self._jobs, Waker(self.store), follow_ups, tags, retention, webhooks]
        await together(*[worker.run() for worker in workers])

    async def _close_connectors(self) -> None:
        for channel, connector in self._channels.connectors.items():
            try:
                await connector.close()
            except Exception:
                self._logger.exception("connector raised at its close", channel=channel)

    @contextlib.asynccontextmanager
    async def _web(self) -> AsyncIterator[None]:
        """Answers HTTP meanwhile: all of it where that is a part of this process, else how it fares, if asked for."""
        server = self.config.server
        if "web" in self._parts:
            app, key, port = create_app(self._services()), "port", server.port
        elif server.worker_port is not None:
            app, key, port = create_worker_app(self._services()), "worker_port", server.worker_port
        else:
            yield
            return
        app.on_shutdown.append(self._stop_channels)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=WEB_STOP_SECONDS)
        await runner.setup()
        try:
            await self._listen(runner, f"server.{key}", port)
            yield
        finally:
            await runner.cleanup()

    async def _stop_channels(self, _app: web.Application) -> None:
        """Done when nobody new can come in, and before those who are in are let go: nobody meets a stopped channel."""
        await self._supervisor.stop()

    async def _listen(self, runner: web.AppRunner, key: str, port: int) -> None:
        host = self.config.server.host
        try:
            await web.TCPSite(runner, host, port, backlog=1024).start()
        except OSError as error:
            raise StartError(
                f"{key}: cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}; "
                "stop what listens there, or choose another port"
            ) from error

    def _intakes(self) -> dict[str, Intake]:
        return {
            channel: Intake(
                connector=connector.name, normalize=connector.normalize, policy=self._channels.policies[channel]
            )
            for channel, connector in self._channels.connectors.items()
        }

    def _context(self, channel_id: str, seat: Seat) -> Context:
        channel: Channel = self._channels.connectors[channel_id].channel
        return ChannelContext(
            channel,
            seat,
            store=self.store,
            owner=self.owner,
            ingest=self._ingest,
            feed=ChannelFeed(self.store, self._hub, self._signals, self._recipients, channel_id),
            files=self._files,
            faces=self._faces,
            metrics=self._metrics,
        )

    def _services(self) -> Services:
        addressing, oidc = self._addressing, self.config.sign_in.oidc
        return Services(
            store=self.store,
            hub=self._hub,
            addressing=addressing,
            replies=Replies(self.store, addressing, self._files, self._outbox),
            amendments=Amendments(self.store, self._channels.connectors),
            conversations=Conversations(self.store),
            customers=Customers(self.store, addressing),
            customer_notes=CustomerNotes(self.store),
            keeping=Keeping(self.store),
            tags=Tags(self.store),
            ingest=self._ingest,
            supervisor=self._supervisor,
            roster=self._roster,
            activity=self._activity,
            files=self._files,
            faces=self._faces,
            sign_in=SignIn(self.store, oidc.create if oidc else None),
            oidc=Oidc(self.store, oidc, self.config.inbox.public_url) if oidc else None,
            privacy=Privacy(self.store),
            audit=self._audit,
            signals=self._signals,
            recipients=self._recipients,
            typing=self._typing,
            teller=Teller(),
            public=self._public,
            metrics=self._metrics.registry,
            inbox_name=self.config.inbox.name,
            public_url=self.config.inbox.public_url,
        )


@contextlib.asynccontextmanager
async def serving(
    config: Config, registry: Registry, parts: Sequence[Part]
) -> AsyncIterator[tuple[Santral, asyncio.Task[str]]]:
    """A Santral of these parts on its database, while the block lasts.

    Yields:
        It, and a task that ends with the reason when it cannot go on.
    """
    activity, trail = Activity(), Trail()
    metrics = Metrics(_new_registry(), activity, [channel.id for channel in config.channels])

    def measured(seconds: float, events: Sequence[Event]) -> None:
        metrics.committed(seconds, events)
        trail.committed(events)

    async with storage(config, measured) as (store, owned):
        santral = Santral(
            config,
            store,
            build(config, registry),
            Reading(functools.partial(normalizers, config, registry)),
            metrics=metrics,
            activity=activity,
            alone=owned is not None,
            parts=parts,
        )
        async with santral.running() as workers:
            ended = asyncio.create_task(_ended(workers, owned))
            try:
                yield santral, ended
            finally:
                ended.cancel()


def _new_registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    return registry


async def _ended(workers: asyncio.Task[None], owned: embedded.EmbeddedDatabase | None) -> str:
    failed: set[asyncio.Future[Any]] = {owned.failed} if owned else set()
    await asyncio.wait({workers, *failed}, return_when=asyncio.FIRST_COMPLETED)
    if owned is not None and owned.failed.done():
        return owned.failed.result()
    error = workers.exception()
    structlog.get_logger("santral").error("a part that must run has failed", exc_info=error)
    return f"a part that must run has failed ({type(error).__name__}); the log says where"
