"""The supervisor: a task for each channel, so that one channel's failure never touches another.

A channel that raises is started again after growing pauses, or later where its platform asks for that; one that calls
`Context.fail` stays stopped until an admin acts. What is wrong with it stands in its state, in words.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, NoReturn

import structlog
from aiohttp import web
from msgspec import Struct
from msgspec.structs import replace

from connectors.base import Connector
from connectors.context import Context, Handler
from connectors.errors import ConnectorError, TemporaryError
from connectors.pulse import Pulse

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
STEADY_SECONDS = 60.0  # a channel that ran this long begins its pauses anew
SILENT_START_SECONDS = 5.0  # a channel that says nothing and does not fail is taken to run
STOP_SECONDS = 15.0

State = Literal["starting", "running", "standby", "silent", "backing_off", "failed", "stopped"]
Prefix = Literal["hooks", "chat"]


class ChannelFailedError(Exception):
    """What `Context.fail` raises: the channel stays stopped."""


class ChannelState(Struct, frozen=True, kw_only=True):
    """How a channel fares. `reason` says what went wrong last, while it matters.

    `standby` waits for a lease that another process holds, and takes nothing before. `silent` is an alarm: it runs, but
    nothing has come for far longer than it used to.
    """

    id: str
    connector: str
    state: State
    reason: str | None = None
    since: datetime


class Seat:
    """Where a channel's context tells the supervisor what its connector says."""

    def __init__(self) -> None:
        self.handlers: dict[Prefix, Handler] = {}
        self.ready = asyncio.Event()
        self.pulse = Pulse()
        self._serves = False
        self._waits_for: str | None = None

    @property
    def waits_for(self) -> str | None:
        """The lease without which it takes nothing; None where it has it, or takes messages beside it."""
        return None if self._serves else self._waits_for

    @contextlib.contextmanager
    def standing_by(self, lease: str) -> Iterator[None]:
        """While another process may hold `lease`."""
        self._waits_for = lease
        self.ready.set()
        try:
            yield
        finally:
            self._waits_for = None

    def serve(self) -> None:
        """The channel takes messages now, whatever lease it waits for."""
        self._serves = True
        self.ready.set()

    def heard(self) -> None:
        """The platform has answered, so the channel runs."""
        self.pulse.beat(asyncio.get_running_loop().time())
        self.ready.set()

    def mount(self, prefix: Prefix, handler: Handler) -> None:
        """Answers HTTP from now on."""
        self.handlers[prefix] = handler
        self.serve()

    def fail(self, reason: str) -> NoReturn:
        """Stops the channel for good."""
        raise ChannelFailedError(reason)


MakeContext = Callable[[str, Seat], Context]


class Supervisor:
    """Runs channels.

    Args:
        connectors: one for each channel that can run.
        refused: why others cannot, as (connector's name, reason).
        make_context: makes the context of a channel.
    """

    def __init__(
        self,
        connectors: Mapping[str, Connector[Any]],
        refused: Mapping[str, tuple[str, str]],
        make_context: MakeContext,
    ) -> None:
        self._connectors = connectors
        self._make_context = make_context
        self._seats: dict[str, Seat] = {}
        self._states: dict[str, ChannelState] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._alarms: dict[str, str] = {}
        self._logger: Any = structlog.get_logger("santral.channels")
        for channel, (name, reason) in refused.items():
            self._set(channel, name, "failed", reason)
        for channel, connector in connectors.items():
            self._set(channel, connector.name, "starting")

    def start(self) -> None:
        """Starts every channel; returns at once."""
        for channel, connector in self._connectors.items():
            self._tasks[channel] = asyncio.create_task(self._run(channel, connector), name=f"channel {channel}")

    async def stop(self) -> None:
        """Stops every channel; each finishes what it has begun, for `STOP_SECONDS` at the most."""
        for task in self._tasks.values():
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=STOP_SECONDS)
        self._tasks.clear()

    def states(self) -> list[ChannelState]:
        """How each channel fares, in the order of the configuration."""
        return [self._as_it_fares(state) for state in self._states.values()]

    def alarm(self, channel: str, reason: str | None) -> None:
        """Shows a channel as `silent` while it runs, or not any more."""
        if reason is None:
            self._alarms.pop(channel, None)
        else:
            self._alarms[channel] = reason

    def _as_it_fares(self, state: ChannelState) -> ChannelState:
        seat = self._seats.get(state.id)
        if seat is None or state.state != "running":
            return state
        if seat.waits_for:
            return replace(state, state="standby", reason=f"another process holds its lease {seat.waits_for}")
        reason = self._alarms.get(state.id)
        if silence := seat.pulse.silence(asyncio.get_running_loop().time()):
            seconds, usual = silence
            reason = f"its platform has not answered for {seconds:.0f} s; its longest pause of late was {usual:.0f} s"
        return replace(state, state="silent", reason=reason) if reason else state

    async def handle(self, prefix: Prefix, channel: str, tail: str, request: web.Request) -> web.StreamResponse:
        """Answers a request under `/{prefix}/{channel}/{tail}`.

        Raises:
            web.HTTPNotFound: there is nothing there.
            web.HTTPServiceUnavailable: the channel does not run now.
        """
        state = self._states.get(channel)
        if state is None:
            raise web.HTTPNotFound(text=f'there is no channel "{channel}"')
        seat = self._seats.get(channel)
        if seat is None or state.state != "running":
            raise web.HTTPServiceUnavailable(text=f'channel "{channel}" does not run now', headers={"Retry-After": "5"})
        handler = seat.handlers.get(prefix)
        if handler is None:
            raise web.HTTPNotFound(text=f'channel "{channel}" serves nothing under /{prefix}')
        return await handler(request, tail)

    async def _run(self, channel: str, connector: Connector[Any]) -> None:
        pause = FIRST_PAUSE_SECONDS
        loop = asyncio.get_running_loop()
        while True:
            begun, wished = loop.time(), 0.0
            try:
                await self._once(channel, connector)
                reason = "the connector ended by itself"
            except ChannelFailedError as error:
                self._logger.error("channel failed", channel=channel, reason=str(error))  # noqa: TRY400 (no traceback: it was meant)
                self._set(channel, connector.name, "failed", str(error))
                return
            except Exception as error:
                reason = str(error) or type(error).__name__
                foreseen = isinstance(error, ConnectorError)
                if isinstance(error, TemporaryError):
                    wished = error.retry_after or 0.0
                # What nobody foresaw may quote what came in: of that the log has the traceback alone.
                told = reason if foreseen else type(error).__name__
                self._logger.warning("channel will be tried again", channel=channel, reason=told, exc_info=not foreseen)
            finally:
                self._seats.pop(channel, None)
            if loop.time() - begun > STEADY_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            self._set(channel, connector.name, "backing_off", reason)
            await asyncio.sleep(max(wished, pause * random.uniform(0.75, 1.25)))  # noqa: S311 (a pause, no secret)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _once(self, channel: str, connector: Connector[Any]) -> None:
        """Runs the connector once; says that it runs as soon as it is ready."""
        seat = self._seats[channel] = Seat()
        running = asyncio.create_task(connector.start(self._make_context(channel, seat)))
        ready = asyncio.create_task(seat.ready.wait())
        try:
            await asyncio.wait((running, ready), timeout=SILENT_START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                self._set(channel, connector.name, "running")
            await asyncio.shield(running)
        finally:
            ready.cancel()
            if not running.done():
                running.cancel()  # once: on the way out it may finish what it has begun, such as a mail that comes in
                await asyncio.wait((running,), timeout=STOP_SECONDS)
                running.cancel()
                self._set(channel, connector.name, "stopped")

    def _set(self, channel: str, name: str, state: State, reason: str | None = None) -> None:
        self._states[channel] = ChannelState(
            id=channel, connector=name, state=state, reason=reason, since=datetime.now(UTC)
        )
