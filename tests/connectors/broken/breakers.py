"""Connectors that break their contract, each in one way."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from aiohttp import ClientSession, web
from msgspec.structs import replace
from pager import Pager, PagerOptions, PollingPager
from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from connectors import Amendment, Connector, ConnectorError, Context, Receipt, Reply
from normalizer.outcomes import Change, Outcome, Raw


class AcknowledgesFirst(Pager):
    """Answers 200, and keeps the event when it finds the time."""

    async def start(self, context: Context) -> None:
        tasks: set[asyncio.Task[None]] = set()

        async def keep(body: bytes) -> None:
            with contextlib.suppress(ConnectorError):
                await context.receive(self.raw(context, body))

        async def hook(request: web.Request, _: str) -> web.Response:
            tasks.add(asyncio.create_task(keep(await request.read())))
            return web.Response()

        context.mount("hooks", hook)
        await asyncio.Event().wait()


class ForgetsErrors(Pager):
    """Answers 200 when the journal is away."""

    async def start(self, context: Context) -> None:
        async def hook(request: web.Request, _: str) -> web.Response:
            try:
                await context.receive(self.raw(context, await request.read()))
            except ConnectorError:
                context.log.warning("it did not work")
            return web.Response()

        context.mount("hooks", hook)
        await asyncio.Event().wait()


class RefusesForGood(Pager):
    """Answers 400 when the journal is away."""

    async def start(self, context: Context) -> None:
        async def hook(request: web.Request, _: str) -> web.Response:
            try:
                await context.receive(self.raw(context, await request.read()))
            except ConnectorError:
                return web.Response(status=400)
            return web.Response()

        context.mount("hooks", hook)
        await asyncio.Event().wait()


class NewKeyEachTime(Pager):
    """Its key is the hour of arrival."""

    def raw(self, context: Context, body: bytes) -> Raw:
        return replace(super().raw(context, body), key=str(time.monotonic_ns()))


class PollsAhead(PollingPager):
    """Moves its cursor before the events are kept."""

    async def start(self, context: Context) -> None:
        async with context.lease("updates") as lease, ClientSession(self.options.api_url) as http:
            context.ready()
            cursor = int(await lease.load_cursor() or b"0")
            while True:
                async with http.get("/updates", params={"after": cursor}) as answer:
                    updates = await answer.json()
                cursor = updates[-1]["number"]
                await lease.save_cursor(str(cursor).encode())
                for update in updates:
                    await context.receive(self.raw(context, update["body"].encode()))


class HoldsOn(PollingPager):
    """Polls on when its lease is lost."""

    async def start(self, context: Context) -> None:
        while True:
            try:
                await super().start(context)
            except ConnectorError:
                await asyncio.sleep(0.01)


class ReadsTheClock(Pager):
    """Its messages were always sent just now."""

    def change(self, id_: str, text: str, raw: Raw) -> Change:
        return Change(external_id=id_, at=datetime.now(UTC).replace(microsecond=0), text=text)


class ChangesItsInput(Pager):
    """Leaves a note in the envelope."""

    def normalize(self, raw: Raw) -> Sequence[Outcome]:
        raw.envelope["through"].append("normalize") if isinstance(raw.envelope["through"], list) else None
        return super().normalize(raw)


class ReadsAFile(Pager):
    """Looks something up on the disk."""

    def normalize(self, raw: Raw) -> Sequence[Outcome]:
        Path(__file__).read_bytes()
        return super().normalize(raw)


class Counts(Pager):
    """Remembers how many events it saw."""

    seen = 0

    def normalize(self, raw: Raw) -> Sequence[Outcome]:
        type(self).seen += 1
        return [
            replace(one, text=f"#{self.seen}") if isinstance(one, Change) else one for one in super().normalize(raw)
        ]


class Chokes(Pager):
    """Believes that everything is JSON."""

    def normalize(self, raw: Raw) -> Sequence[Outcome]:
        import json

        json.loads(raw.body)
        return super().normalize(raw)


class SaysNothing(Pager):
    """Gives no outcome where it should be ignored."""

    def normalize(self, raw: Raw) -> Sequence[Outcome]:
        found = super().normalize(raw)
        return found if isinstance(found[0], Change) else ()


class OffSchema(Pager):
    """Its text is a number."""

    def change(self, id_: str, text: str, raw: Raw) -> Change:
        return Change(external_id=id_, at=raw.received_at, text=7)  # type: ignore[arg-type]


class NamesEditsElse(Pager):
    """An edit has an id of its own."""

    def change(self, id_: str, text: str, raw: Raw) -> Change:
        return super().change(f"edit-of-{id_}", text, raw)


class SendsAgain(Pager):
    """Does not look at what is done."""

    async def send(self, reply: Reply, done: Sequence[Receipt]) -> AsyncGenerator[Receipt, None]:
        async for receipt in super().send(reply, ()):
            yield receipt


class SendsAllAtOnce(Pager):
    """Gives its receipts when everything has left."""

    async def send(self, reply: Reply, done: Sequence[Receipt]) -> AsyncGenerator[Receipt, None]:
        for receipt in [receipt async for receipt in super().send(reply, done)]:
            yield receipt


class Hurries(Pager):
    """Declares rates, and waits for nobody's turn."""

    async def send(self, reply: Reply, done: Sequence[Receipt]) -> AsyncGenerator[Receipt, None]:
        hurried = Reply(message=reply.message, person=reply.person, files=reply.files, thread_key=reply.thread_key)
        async for receipt in super().send(hurried, done):
            yield receipt


class ReturnsQuietly(Pager):
    """A failure is nobody's business."""

    async def send(self, reply: Reply, done: Sequence[Receipt]) -> AsyncGenerator[Receipt, None]:
        try:
            async for receipt in super().send(reply, done):
                yield receipt
        except ConnectorError:
            return


class CallsItTemporary(Pager):
    """Every failure may pass."""

    async def send(self, reply: Reply, done: Sequence[Receipt]) -> AsyncGenerator[Receipt, None]:
        try:
            async for receipt in super().send(reply, done):
                yield receipt
        except ConnectorError as error:
            raise OSError(str(error)) from error


class SwallowsItsEnd(Pager):
    """Cannot be cancelled while it sends."""

    async def send(self, reply: Reply, done: Sequence[Receipt]) -> AsyncGenerator[Receipt, None]:
        try:
            async for receipt in super().send(reply, done):
                yield receipt
        except asyncio.CancelledError:
            yield Receipt(external_id="perhaps")


class LeavesATask(Pager):
    """Something of it lives on."""

    async def send(self, reply: Reply, done: Sequence[Receipt]) -> AsyncGenerator[Receipt, None]:
        self.task = asyncio.create_task(asyncio.sleep(60))  # longer than anybody's patience
        async for receipt in super().send(reply, done):
            yield receipt


class NeverEnds(Pager):
    """Does not care for being cancelled."""

    async def start(self, context: Context) -> None:
        context.mount("hooks", self.nothing)
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        loop = asyncio.get_running_loop()
        end = loop.time() + 8  # from when it was told to end, and longer than the kit's patience with it
        while loop.time() < end:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.5)

    async def nothing(self, _: web.Request, __: str) -> web.Response:
        return web.Response()


class RaisesAtStart(Pager):
    """Has a bad morning."""

    async def start(self, context: Context) -> None:
        raise RuntimeError("not today")


class BoastsOfText(Pager):
    """Declares more than its platform takes."""

    capabilities = replace(Pager.capabilities, text_limit=2000)

    async def pieces(self, reply: Reply) -> list[tuple[str, dict[str, str]]]:
        return (await super().pieces(reply))[:3]


class BoastsOfFiles(Pager):
    """Leaves files behind."""

    async def pieces(self, reply: Reply) -> list[tuple[str, dict[str, str]]]:
        return [one for one in await super().pieces(reply) if "text" in one[1]]


class BoastsOfProfiles(Pager):
    """Declares `profiles` and describes nobody."""

    describe = Connector.describe


class BoastsOfEdits(Pager):
    """Declares `edits` and takes them for messages."""

    def normalize(self, raw: Raw) -> Sequence[Outcome]:
        return super().normalize(replace(raw, body=raw.body.replace(b'"edit"', b'"page"')))


class BoastsOfAmending(Pager):
    """Says that it has changed what it has not."""

    async def amend(self, amendment: Amendment) -> None:
        pass


class Hides(Pager):
    """Mounts, and says that it is no part of the web."""

    @property
    def part(self) -> Literal["web", "channels"]:
        return "channels"


class LeakyOptions(PagerOptions):
    @field_validator("token")
    @classmethod
    def _long(cls, token: SecretStr) -> SecretStr:
        if len(token.get_secret_value()) < 8:
            raise ValueError(f"{token.get_secret_value()} is too short")
        return token


class Leaks(Pager):
    """Quotes a bad secret."""

    options_model = LeakyOptions


class LaxOptions(PagerOptions):
    model_config = ConfigDict(extra="ignore")


class Lax(Pager):
    """Takes every key."""

    options_model = LaxOptions


class PlainOptions(BaseModel):
    api_url: str


class NoOptions(Pager):
    """Has options of its own kind."""

    options_model = PlainOptions  # type: ignore[assignment]
