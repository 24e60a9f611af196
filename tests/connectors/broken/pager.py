"""A platform that there is not, and connectors for it that keep the contract: by hook, and by polling."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

import aiohttp
from aiohttp import web
from pydantic import Field, SecretStr

from connectors import (
    Amendment,
    Capabilities,
    Connector,
    Context,
    Options,
    PermanentError,
    Rate,
    Receipt,
    Reply,
    TemporaryError,
    UncertainError,
)
from connectors.testing import Door, Mistake, Platform, Proof, Sent, Told, Trouble
from normalizer.outcomes import Change, Draft, Ignored, Outcome, Person, Profile, Raw, Remote
from normalizer.schema import Attachment, Author, External, Message

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
SECRET = "pager-secret-0815"
PIECE = 400


class PagerOptions(Options):
    api_url: str = Field(pattern="^https?://")
    token: SecretStr


class Pager(Connector[PagerOptions]):
    """Pages."""

    name = "pager"
    identity_kind = "pager"
    options_model: type[PagerOptions] = PagerOptions
    capabilities = Capabilities(
        threads=True,
        edits=True,
        amends=("edit", "delete"),
        profiles=True,
        idempotent_send=True,
        text_limit=1000,
        attachment_limit=4096,
        rates=(Rate(count=30, seconds=1),),
    )

    @property
    def part(self) -> Literal["web", "channels"]:
        return "web"

    async def start(self, context: Context) -> None:
        async def hook(request: web.Request, _: str) -> web.Response:
            if not hmac.compare_digest(request.headers.get("X-Token", ""), self.options.token.get_secret_value()):
                return web.Response(status=401)
            await context.receive(self.raw(context, await request.read()))
            return web.Response()

        context.mount("hooks", hook)
        await asyncio.Event().wait()

    def raw(self, context: Context, body: bytes) -> Raw:
        event = json.loads(body)
        return Raw(
            key=f"{event['kind']}:{event['id']}",
            body=body,
            content_type="application/json",
            received_at=context.now(),
            envelope={"through": "hook"},
        )

    def normalize(self, raw: Raw) -> Sequence[Outcome]:
        try:
            event = json.loads(raw.body)
            id_, thread = str(event["id"]), str(event["thread"])
            kind, sender, text = event["kind"], str(event["from"]), str(event["text"])
        except (ValueError, TypeError, LookupError, RecursionError):
            return [Ignored(reason="no page")]
        if not id_.strip() or not thread.strip() or not sender.strip():
            return [Ignored(reason="a page without id, thread or sender")]
        if kind == "edit":
            return [self.change(id_, text, raw)]
        name = event.get("file")
        message = Message(
            author=Author(type="customer"),
            external=External(id=id_, thread_key=thread),
            text=text,
            attachments=(Attachment(id="", filename=name, content_type="text/plain"),) if name else (),
            sent_at=raw.received_at,
        )
        files = (Remote(ref={"file": name}),) if name else ()
        return [Draft(message=message, customer=Person(kind="pager", value=sender), keys=(thread,), files=files)]

    def change(self, id_: str, text: str, raw: Raw) -> Change:
        return Change(external_id=id_, at=raw.received_at, text=text)

    async def send(self, reply: Reply, done: Sequence[Receipt]) -> AsyncGenerator[Receipt, None]:
        left = {receipt.piece for receipt in done}
        async with aiohttp.ClientSession(self.options.api_url) as http:
            for piece, content in await self.pieces(reply):
                if piece not in left:
                    await reply.pace()
                    mark = f"{reply.message.id}/{piece}"
                    yield Receipt(external_id=await self.post(http, reply, mark, content), piece=piece)

    async def pieces(self, reply: Reply) -> list[tuple[str, dict[str, str]]]:
        text = reply.message.text
        made = [
            (f"text{start // PIECE}", {"text": text[start : start + PIECE]}) for start in range(0, len(text), PIECE)
        ]
        for number, one in enumerate(reply.message.attachments):
            content = b"".join([chunk async for chunk in reply.files.open(one.id)])
            made.append((f"file{number}", {"file": base64.b64encode(content).decode()}))
        return made

    async def post(self, http: aiohttp.ClientSession, reply: Reply, mark: str, content: Mapping[str, str]) -> str:
        page = {"to": reply.person.value, "thread": reply.thread_key, "mark": mark, **content}
        try:
            async with http.post("/pages", json=page) as answer:
                if answer.status >= 500:
                    raise TemporaryError("the pagers are busy", retry_after=1)
                if answer.status >= 400:
                    raise PermanentError("there is no such pager")
                return str((await answer.json())["id"])
        except aiohttp.ClientConnectorError as error:
            raise TemporaryError("the pagers are away") from error
        except aiohttp.ClientError as error:
            raise UncertainError("the pagers hung up") from error

    async def amend(self, amendment: Amendment) -> None:
        text = amendment.message.text if amendment.kind == "edit" else None
        async with aiohttp.ClientSession(self.options.api_url) as http:
            for id_ in amendment.message.external.ids:
                async with http.put(f"/pages/{id_}", json={"text": text}) as answer:
                    if answer.status != 200:
                        raise PermanentError("there is no such page")

    async def fetch(self, remote: Remote) -> AsyncIterator[bytes]:
        async with (
            aiohttp.ClientSession(self.options.api_url) as http,
            http.get(f"/files/{remote.ref['file']}") as answer,
        ):
            if answer.status != 200:
                raise PermanentError("it is gone", code="expired")
            async for chunk in answer.content.iter_chunked(1000):
                yield chunk

    async def describe(self, person: Person) -> Profile:
        return Profile(name=f"Pager {person.value}")


class PollingPager(Pager):
    """Asks for pages instead."""

    @property
    def part(self) -> Literal["web", "channels"]:
        return "channels"

    async def start(self, context: Context) -> None:
        async with context.lease("updates") as lease, aiohttp.ClientSession(self.options.api_url) as http:
            context.ready()
            cursor = int(await lease.load_cursor() or b"0")
            while True:
                async with http.get("/updates", params={"after": cursor}) as answer:
                    updates = await answer.json()
                context.heard()
                for update in updates:
                    await context.receive(self.raw(context, update["body"].encode()))
                    cursor = update["number"]
                    await lease.save_cursor(str(cursor).encode())


class Pagers(Platform):
    """The platform's end of both."""

    def __init__(self) -> None:
        self.pages: list[Sent] = []
        self.files: dict[str, bytes] = {}
        self.updates: list[str] = []
        self.trouble: Trouble | None = None
        self.held = asyncio.Event()
        self.news = asyncio.Condition()
        self.shown: dict[int, int] = {}
        self.told: dict[int, asyncio.Future[Told]] = {}

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Pagers]:
        app = web.Application()
        app.router.add_post("/pages", self.page)
        app.router.add_put("/pages/{id}", self.amended)
        app.router.add_get("/files/{name}", self.file)
        app.router.add_get("/updates", self.ask)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.options = {"api_url": "http://{}:{}".format(*runner.addresses[0][:2])}
        try:
            yield self
        finally:
            await runner.cleanup()

    async def page(self, request: web.Request) -> web.Response:
        page = await request.json()
        if self.trouble in ("uncertain", "hang"):
            self.held.set()
            if self.trouble == "hang":
                await asyncio.Event().wait()
            assert request.transport is not None
            request.transport.abort()
        if self.trouble is not None:
            return web.Response(status=503 if self.trouble == "temporary" else 404)
        files = (base64.b64decode(page["file"]),) if "file" in page else ()
        self.pages.append(Sent(text=page.get("text", "")[:PIECE], files=files, mark=page["mark"].partition("/")[0]))
        return web.json_response({"id": f"page-{len(self.pages)}"})

    async def amended(self, request: web.Request) -> web.Response:
        text = (await request.json())["text"]
        number = int(request.match_info["id"].removeprefix("page-")) - 1
        self.pages[number : number + 1] = [Sent(text=text)] if text else []
        return web.json_response({})

    async def file(self, request: web.Request) -> web.Response:
        return web.Response(body=self.files[request.match_info["name"]])

    async def ask(self, request: web.Request) -> web.Response:
        """Updates after a number, as soon as there are some; those before it were told of."""
        after = int(request.query["after"])
        for number, told in self.told.items():
            if not told.done() and number <= after:
                told.set_result("ok")
            elif not told.done() and number in self.shown:
                told.set_result("again")
        async with self.news:
            while len(self.updates) <= after:
                await self.news.wait()
        due = [{"number": n, "body": body} for n, body in enumerate(self.updates, 1) if n > after]
        self.shown |= {one["number"]: 1 for one in due}  # type: ignore[dict-item]
        return web.json_response(due)

    async def say(self, door: Door, id_: str, text: str) -> Told:
        return await self.tell(door, {"kind": "page", "id": id_, "text": text})

    async def edit(self, door: Door, id_: str, text: str) -> Told:
        return await self.tell(door, {"kind": "edit", "id": id_, "text": text})

    async def attach(self, door: Door, id_: str, content: bytes) -> Told:
        self.files["note.txt"] = content
        return await self.tell(door, {"kind": "page", "id": id_, "text": "a note", "file": "note.txt"})

    async def tell(self, door: Door, event: dict[str, Any]) -> Told:
        body = json.dumps({"thread": "t-1", "from": "ada", **event})
        if door.connector.part == "web":
            async with (
                aiohttp.ClientSession() as http,
                http.post(door.hooks, data=body, headers={"X-Token": SECRET}) as answer,
            ):
                return "ok" if answer.status == 200 else "again" if answer.status >= 500 else "no"
        async with self.news:
            self.updates.append(body)
            told = self.told[len(self.updates)] = asyncio.get_running_loop().create_future()
            self.news.notify_all()
        return await told

    def sent(self) -> Sequence[Sent]:
        return self.pages

    def fail(self, how: Trouble | None) -> None:
        self.trouble = how

    async def holding(self) -> None:
        await self.held.wait()


def event(key: str, **fields: Any) -> Raw:
    body = json.dumps({"thread": "t-1", "from": "ada", "text": "hello", "kind": "page", "id": key, **fields})
    return Raw(
        key=key, body=body.encode(), content_type="application/json", received_at=AT, envelope={"through": ["hook"]}
    )


class PagerProof(Proof):
    connector = Pager
    options: ClassVar[Mapping[str, Any]] = {"api_url": "https://pagers.example", "token": SECRET}
    mistakes = (Mistake({"api_url": "ftp://pagers.example"}, "api_url"), Mistake({"token": 7}, "token"))
    events = (event("1"), event("2", kind="edit"), event("3", file="note.txt"), event("4", kind=None))
    person = Person(kind="pager", value="ada")
    thread_key = "t-1"

    def platform(self) -> Any:
        return Pagers().serving()


def proof(kind: type[Connector[Any]]) -> Proof:
    """The proof of a connector for pagers."""
    return type("ProofOf" + kind.__name__, (PagerProof,), {"connector": kind})()
