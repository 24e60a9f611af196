"""One channel's failure never touches another, and says in words what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from harness import PATIENCE

from connectors import supervisor as module
from connectors.base import Capabilities, Connector, Options, Receipt, Reply
from connectors.context import Channel, Context
from connectors.errors import TemporaryError
from connectors.supervisor import ChannelState, Seat, Supervisor
from normalizer.outcomes import Outcome, Raw

Start = Callable[[Context], Awaitable[None]]


class Scripted(Connector[Options]):
    """A connector whose `start` is given."""

    name = "scripted"
    identity_kind = "nobody"
    options_model = Options
    capabilities = Capabilities()

    def __init__(self, channel: str, start: Start) -> None:
        super().__init__(Options(), Channel(id=channel, public_url="http://127.0.0.1"))
        self._start = start
        self.starts = 0

    async def start(self, context: Context) -> None:
        self.starts += 1
        await self._start(context)

    def normalize(self, raw: Raw) -> Sequence[Outcome]:
        raise NotImplementedError

    def send(self, reply: Reply, done: Sequence[Receipt]) -> AsyncIterator[Receipt]:
        raise NotImplementedError


async def forever(context: Any) -> None:
    context.ready.set()
    await asyncio.Event().wait()


@pytest.fixture
async def run(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., Supervisor]]:
    """Starts a supervisor over `channel=start`; pauses are short, and the context is the seat itself."""
    monkeypatch.setattr(module, "FIRST_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(module, "SILENT_START_SECONDS", 0.2)
    started: list[Supervisor] = []

    def begin(refused: dict[str, tuple[str, str]] | None = None, **starts: Start) -> Supervisor:
        connectors = {channel: Scripted(channel, start) for channel, start in starts.items()}

        def make_context(_: str, seat: Seat) -> Any:
            return seat

        supervisor = Supervisor(connectors, refused or {}, make_context)
        supervisor.start()
        started.append(supervisor)
        return supervisor

    yield begin
    for supervisor in started:
        await supervisor.stop()


def state(supervisor: Supervisor, channel: str) -> ChannelState:
    return next(state for state in supervisor.states() if state.id == channel)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.005)


async def test_a_channel_that_raises_is_tried_again_and_its_neighbour_runs_on(run: Any) -> None:
    tries = []

    async def broken(_: Context) -> None:
        tries.append(1)
        raise OSError("the platform hung up")

    supervisor = run(bad=broken, good=forever)
    await until(lambda: len(tries) >= 3)
    bad = state(supervisor, "bad")
    assert (bad.state, bad.reason) == ("backing_off", "the platform hung up")
    assert state(supervisor, "good").state == "running"
    assert state(supervisor, "good").reason is None


async def test_one_whose_platform_asks_to_wait_waits(run: Any) -> None:
    tries = []

    async def broken(_: Context) -> None:
        tries.append(1)
        raise OSError("the platform hung up")

    async def asked(_: Context) -> None:
        tries.append(60)
        raise TemporaryError("the platform asks to wait", retry_after=60)

    run(broken=broken, asked=asked)
    await until(lambda: tries.count(1) >= 3)
    assert tries.count(60) == 1


async def test_one_that_comes_back_runs_without_its_old_reason(run: Any) -> None:
    tries = []

    async def shaky(context: Any) -> None:
        tries.append(1)
        if len(tries) < 3:
            raise OSError("not yet")
        await forever(context)

    supervisor = run(shaky=shaky)
    await until(lambda: state(supervisor, "shaky").state == "running")
    assert state(supervisor, "shaky").reason is None


async def test_fail_stops_for_good(run: Any) -> None:
    tries = []

    async def revoked(context: Context) -> None:
        tries.append(1)
        context.fail("the token was revoked; make a new one")

    supervisor = run(revoked=revoked)
    await until(lambda: state(supervisor, "revoked").state == "failed")
    assert state(supervisor, "revoked").reason == "the token was revoked; make a new one"
    await asyncio.sleep(0.1)  # five times the pause after which it would be tried again
    assert len(tries) == 1


async def test_an_error_without_words_is_named_by_its_kind(run: Any) -> None:
    async def silent(_: Context) -> None:
        raise KeyError

    supervisor = run(silent=silent)
    await until(lambda: state(supervisor, "silent").state == "backing_off")
    assert state(supervisor, "silent").reason == "KeyError"


async def test_one_that_ends_by_itself_is_started_again(run: Any) -> None:
    tries = []

    async def brief(_: Context) -> None:
        tries.append(1)

    supervisor = run(brief=brief)
    await until(lambda: len(tries) >= 2)
    assert state(supervisor, "brief").reason == "the connector ended by itself"


async def test_one_that_never_says_that_it_is_ready_is_believed(run: Any) -> None:
    async def shy(_: Context) -> None:
        await asyncio.Event().wait()

    supervisor = run(shy=shy)
    assert state(supervisor, "shy").state == "starting"
    await until(lambda: state(supervisor, "shy").state == "running")


async def test_only_one_that_takes_nothing_while_it_waits_for_a_lease_stands_by(run: Any) -> None:
    async def greet(_: web.Request, tail: str) -> web.StreamResponse:
        return web.Response(text=tail)

    async def poller(context: Any) -> None:
        with context.standing_by("poller"):
            await asyncio.Event().wait()

    async def hook(context: Any) -> None:
        context.mount("hooks", greet)
        await poller(context)

    async def late_hook(context: Any) -> None:
        with context.standing_by("poller"):
            context.serve()
            await asyncio.Event().wait()

    async def silent_in_turn(context: Any) -> None:
        context.heard()  # it had the lease before
        await poller(context)

    supervisor = run(poller=poller, hook=hook, late_hook=late_hook, silent_in_turn=silent_in_turn)
    await until(lambda: state(supervisor, "poller").state == "standby")
    assert state(supervisor, "poller").reason == "another process holds its lease poller"
    await until(lambda: state(supervisor, "silent_in_turn").state == "standby")
    for channel in ("hook", "late_hook"):
        await until(lambda channel=channel: state(supervisor, channel).state == "running")
        assert state(supervisor, channel).reason is None


async def test_a_channel_without_a_usable_connector_is_failed_from_the_start(run: Any) -> None:
    supervisor = run(refused={"tg": ("telegram", 'no connector "telegram" is installed')}, good=forever)
    refused = state(supervisor, "tg")
    assert (refused.connector, refused.state) == ("telegram", "failed")
    assert refused.reason == 'no connector "telegram" is installed'
    await until(lambda: state(supervisor, "good").state == "running")


async def test_requests_reach_the_mounted_handler_and_nothing_else(run: Any) -> None:
    async def greet(_: web.Request, tail: str) -> web.StreamResponse:
        return web.Response(text=f"hello from {tail}")

    async def serving(context: Context) -> None:
        context.mount("hooks", greet)
        await asyncio.Event().wait()

    async def broken(_: Context) -> None:
        raise OSError("away")

    supervisor = run(served=serving, broken=broken)
    await until(lambda: state(supervisor, "served").state == "running")
    await until(lambda: state(supervisor, "broken").state == "backing_off")
    request = make_mocked_request("POST", "/")
    answer = await supervisor.handle("hooks", "served", "a/b", request)
    assert isinstance(answer, web.Response)
    assert answer.text == "hello from a/b"
    with pytest.raises(web.HTTPNotFound):
        await supervisor.handle("chat", "served", "", request)
    with pytest.raises(web.HTTPNotFound):
        await supervisor.handle("hooks", "nowhere", "", request)
    with pytest.raises(web.HTTPServiceUnavailable) as unavailable:
        await supervisor.handle("hooks", "broken", "", request)
    assert unavailable.value.headers["Retry-After"] == "5"


async def test_stopping_lets_a_channel_finish_what_it_has_begun(run: Any) -> None:
    finished = asyncio.Event()

    async def drains(context: Any) -> None:
        try:
            await forever(context)
        finally:
            await asyncio.sleep(0.05)
            finished.set()

    supervisor = run(drains=drains)
    await until(lambda: state(supervisor, "drains").state == "running")
    await supervisor.stop()
    assert finished.is_set()
    assert state(supervisor, "drains").state == "stopped"
