"""One run from its beginning to its verdict."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
from harness import Santral, eventually
from msgspec import Struct
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from rig.agents import HANDS, answer_all, every_event, watch
from rig.chat import Chatter, read_the_rest
from rig.chronicle import Chronicle
from rig.clients import SECRET, Caller, Mailer
from rig.harm import Draw, Harm
from rig.kept import Kept
from rig.ledger import Stream
from rig.platforms import CourierPlatform, MailSink
from rig.replica_set import ReplicaSet
from rig.verdict import Verdict
from rig.world import BROKEN, PATIENCE, World

PLUGIN = Path(__file__).parent / "plugin"
DOMAIN = "example.com"  # of the mail channel's address
SETTLE_SECONDS = 180.0


class Plan(Struct, frozen=True, kw_only=True):
    """How much of what. `pause`: seconds between two messages of one customer; `each`: customers of each kind."""

    santrals: int
    each: int
    pause: float
    streams: int
    longest_stop: float
    hurry: float
    until: float


class Run:
    """The processes, the stand-ins and everybody who takes part."""

    def __init__(self, chronicle: Chronicle, plan: Plan, folder: Path) -> None:
        self.chronicle = chronicle
        self.plan = plan
        self.replica_set = ReplicaSet(folder / "set")
        self._folder = folder
        self._kept: list[Kept] = []
        self._told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def torture(self, draws: Iterator[Draw]) -> Verdict:
        """Does everything that was drawn under load, lets it settle, and counts."""
        async with contextlib.AsyncExitStack() as stack:
            mails, courier, world = await self._begin(stack)
            database = await stack.enter_async_context(AsyncMongoClient[dict[str, Any]](self.replica_set.url))
            begin = await self._now(world)
            async with self._streams(world, begin):
                async with self._kept_alive():
                    await self._under_load(world, draws)
                    await self.settle(database)
                    await read_the_rest(world)
                    await self.settle(database)
                verdict = await self._verdict(world, mails, courier, begin)
            await asyncio.gather(*(santral.stop(tracebacks=True) for santral in world.santrals))
            return verdict

    async def _begin(self, stack: contextlib.AsyncExitStack) -> tuple[MailSink, CourierPlatform, World]:
        http = await stack.enter_async_context(aiohttp.ClientSession(timeout=PATIENCE))
        world = World(self.chronicle, [], http)
        mails = MailSink(self.chronicle, world.random("mail sink"))
        courier = CourierPlatform(self.chronicle, world.random("courier"))
        for stand_in in (mails, courier):
            await stand_in.start()
            stack.push_async_callback(stand_in.stop)
        stack.push_async_callback(self.replica_set.stop)
        await self.replica_set.start()
        channel = {"id": "courier", "connector": "courier", "url": courier.url, "secret": SECRET}
        for number in range(self.plan.santrals):
            santral = Santral(
                self._folder / f"santral{number}",
                storage=self.replica_set.url,
                outgoing=mails.port,
                more=[channel],
                PYTHONPATH=str(PLUGIN),
            )
            stack.callback(santral.abandon)
            santral.token = world.santrals[0].token if world.santrals else ""
            await santral.start()
            world.santrals.append(santral)
        self._kept = [Kept(santral, number, self.chronicle) for number, santral in enumerate(world.santrals)]
        self.chronicle.tell(f"{len(self._kept)} Santrals on {len(self.replica_set.members)} members serve")
        return mails, courier, world

    async def _now(self, world: World) -> str:
        async with world.http.get(f"{world.santrals[0].url}/api/v1/events", headers=world.headers) as answer:
            return str((await answer.json())["next"])

    @contextlib.asynccontextmanager
    async def _streams(self, world: World, begin: str) -> AsyncIterator[None]:
        async with _background() as tasks:
            for number in range(self.plan.streams):
                stream = Stream(name=f"stream{number}")
                world.ledger.streams.append(stream)
                tasks.append(asyncio.create_task(watch(world, stream, begin, None if number else self._told)))
            tasks.extend(asyncio.create_task(answer_all(world, f"agent{n}", self._told)) for n in range(HANDS))
            yield

    @contextlib.asynccontextmanager
    async def _kept_alive(self) -> AsyncIterator[None]:
        async with _background() as tasks:
            tasks.extend(asyncio.create_task(kept.run()) for kept in self._kept)
            yield

    async def _under_load(self, world: World, draws: Iterator[Draw]) -> None:
        """Everybody writes while harm is done; at the end everybody has finished what he was saying."""
        harm = Harm(
            self.chronicle,
            self.replica_set,
            self._kept,
            longest_stop=self.plan.longest_stop,
            hurry=self.plan.hurry,
        )
        async with asyncio.TaskGroup() as tasks:
            for kind in (Mailer, Caller, Chatter):
                for number in range(self.plan.each):
                    tasks.create_task(kind(world, number, self.plan.pause).run())
            await harm.run(draws, until=self.plan.until)
            self.chronicle.tell("no more harm")
            await self.replica_set.whole()
            for kept in self._kept:
                await eventually(kept.santral.is_ready, patience=SETTLE_SECONDS)
            world.over.set()
        await self._told.join()

    async def settle(self, database: AsyncMongoClient[dict[str, Any]]) -> None:
        """Returns when the journal is applied and the outbox empty."""
        rig = database.get_default_database()

        async def still() -> bool:
            try:
                waiting = await rig["journal"].count_documents({"state": "new"})
                leaving = await rig["outbox"].count_documents({"state": {"$in": ["queued", "claimed", "sending"]}})
            except PyMongoError:
                return False
            return not waiting and not leaving

        try:
            await eventually(still, patience=SETTLE_SECONDS, pause=0.2)
        except AssertionError:  # what is missing is counted all the same
            self.chronicle.fault(f"the journal is not applied, or the outbox not empty, after {SETTLE_SECONDS} s")
        else:
            self.chronicle.tell("the journal is applied and the outbox empty")

    async def _verdict(self, world: World, mails: MailSink, courier: CourierPlatform, begin: str) -> Verdict:
        log = await every_event(world, begin)

        async def caught_up() -> bool:
            return all(stream.seen and stream.seen[-1] == log[-1] for stream in world.ledger.streams)

        with contextlib.suppress(AssertionError):  # then the verdict says what it misses
            await eventually(caught_up)
        async with world.santrals[0].desk() as desk:
            verdict = Verdict(self.chronicle, world.ledger, await desk.everything())
            verdict.numbers()
            verdict.acknowledged()
            await verdict.bytes_of(desk)
            verdict.replies(mails, courier, DOMAIN)
            verdict.replies_in_order(mails, courier, DOMAIN)
            verdict.streams(log)
            for entry in await desk.all("/api/v1/ingest/failed"):
                self.chronicle.fault(f"an event was set aside: {entry}")
        for how, times in world.ledger.refused.items():
            verdict.counts[f"told to try again, {how}"] = times
        return verdict


@contextlib.asynccontextmanager
async def _background() -> AsyncIterator[list[asyncio.Task[None]]]:
    """Tasks that are cancelled at the end of the block, and whose failure ends it."""
    tasks: list[asyncio.Task[None]] = []
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception) and not isinstance(outcome, BROKEN):
                raise outcome
