"""A channel in service for one check: the platform's stand-in, the connector, its context, and whoever restarts it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar
from weakref import WeakSet

from connectors.base import Connector, Options
from connectors.context import Channel
from connectors.testing.finding import FaultError
from connectors.testing.memory import MemoryContext
from connectors.testing.proof import Door, Platform, Proof
from connectors.testing.site import MemorySite, serving_site
from normalizer.outcomes import Outcome

CHANNEL = "proof"
FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.5
SILENT_START_SECONDS = 5.0  # who says nothing and does not fail is believed to run

T = TypeVar("T")

_on_stage: ContextVar[bool] = ContextVar("on_stage", default=False)


class Stage:
    """What a check plays on."""

    def __init__(
        self, connector: Connector[Any], context: MemoryContext, platform: Platform, site: MemorySite, patience: float
    ) -> None:
        self.connector = connector
        self.context = context
        self.platform = platform
        self.patience = patience
        self.ended: list[Exception | None] = []
        self.closing = False
        self.door = Door(
            hooks=f"{site.url}/hooks/{context.channel.id}",
            chat=f"{site.url}/chat/{context.channel.id}",
            connector=connector,
        )

    async def within(self, work: Awaitable[T], late: str, look: str) -> T:
        """What `work` gives.

        Raises:
            FaultError: `late`, where it takes too long.
        """
        try:
            async with asyncio.timeout(self.patience):
                return await work
        except TimeoutError:
            raise FaultError(late, look) from None

    async def until(self, condition: Callable[[], bool], late: str, look: str) -> None:
        """Returns when the condition holds.

        Raises:
            FaultError: `late`, where that takes too long.
        """
        await self.within(_until(condition), late, look)

    def understood(self) -> list[Outcome]:
        """What the events in the journal mean."""
        return [outcome for raw in self.context.received for outcome in self.connector.normalize(raw)]

    async def run(self) -> None:
        """Starts the connector again and again, as the supervisor does."""
        pause = FIRST_PAUSE_SECONDS
        while not self.closing and self.context.failed is None:
            try:
                await self.connector.start(self.context)
                self.ended.append(None)
            except Exception as error:  # noqa: BLE001 (whatever it is: a connector may raise from `start`)
                self.ended.append(error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def stop(self, running: asyncio.Task[None]) -> None:
        """Ends a task of `run`: `start` is cancelled once, as the supervisor does.

        Raises:
            FaultError: it goes on.
        """
        self.closing = True
        running.cancel()
        _, pending = await asyncio.wait((running,), timeout=self.patience)
        if pending:
            raise FaultError(f"`start` did not end within {self.patience:g} s after it was cancelled", "start")


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 (a connector's state has no event)
        await asyncio.sleep(0.005)


@asynccontextmanager
async def on_stage(proof: Proof, patience: float, *, started: bool = True) -> AsyncIterator[Stage]:
    """A fresh connector beside a fresh platform, running unless `started` is False; everything ends with the block.

    Raises:
        NotMadeError: the proof has no platform.
        FaultError: it did not start, did not stop, or left something behind.
    """
    with _born_here() as born:
        async with _staged(proof, patience, started=started) as stage:
            yield stage
        await _nothing_left(born, patience)


@asynccontextmanager
async def _staged(proof: Proof, patience: float, *, started: bool) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        platform = await stack.enter_async_context(proof.platform())
        site = await stack.enter_async_context(serving_site())
        connector = make(proof, site.url, platform)
        context = MemoryContext(connector.channel, site=site, normalize=connector.normalize)
        stage = Stage(connector, context, platform, site, patience)
        running = asyncio.create_task(stage.run()) if started else None
        try:
            if running is not None:
                await _started(stage)
            yield stage
            if running is not None:
                await stage.stop(running)
            await stage.within(connector.close(), f"`close` did not end within {patience:g} s", "close")
        except BaseException:  # the check is over, and its connector is not to be heard of in the next one
            stage.closing = True
            if running is not None:
                running.cancel()
                await asyncio.wait((running,), timeout=patience)
            with contextlib.suppress(Exception):
                async with asyncio.timeout(patience):
                    await connector.close()
            raise


def make(proof: Proof, public_url: str, platform: Platform | None = None) -> Connector[Any]:
    """The connector with its valid options, laid over by what the platform needs."""
    kind = proof.connector
    options: Options = kind.options_model.model_validate({**proof.options, **(platform.options if platform else {})})
    return kind(options, Channel(id=CHANNEL, public_url=public_url))


async def _started(stage: Stage) -> None:
    try:
        async with asyncio.timeout(min(stage.patience, SILENT_START_SECONDS)):
            await _until(lambda: stage.context.is_ready or bool(stage.ended))
    except TimeoutError:
        return
    if stage.ended and not stage.context.is_ready:
        error = stage.ended[0]
        how = f"raised {type(error).__name__}: {error}" if error else "returned by itself"
        raise FaultError(f"`start` {how} although the platform was there", "start")


@contextmanager
def _born_here() -> Iterator[WeakSet[asyncio.Task[Any]]]:
    """The tasks that begin on this stage: others on the same loop are none of its business."""
    loop = asyncio.get_running_loop()
    usual = loop.get_task_factory()
    born: WeakSet[asyncio.Task[Any]] = WeakSet()

    def factory(loop: asyncio.AbstractEventLoop, coroutine: Any, **given: Any) -> Any:  # noqa: ANN401 (asyncio's)
        task: Any = usual(loop, coroutine, **given) if usual else asyncio.Task(coroutine, loop=loop, **given)
        if _on_stage.get():
            born.add(task)
        return task

    loop.set_task_factory(factory)
    token = _on_stage.set(True)
    try:
        yield born
    finally:
        _on_stage.reset(token)
        loop.set_task_factory(usual)


async def _nothing_left(born: WeakSet[asyncio.Task[Any]], patience: float) -> None:
    try:
        async with asyncio.timeout(patience):
            await _until(lambda: all(task.done() for task in born))
    except TimeoutError:
        left = ", ".join(sorted(str(task.get_coro()) for task in born if not task.done()))
        raise FaultError(f"it left a task behind that nobody ends: {left}", "close") from None
