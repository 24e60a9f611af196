"""A web chat in service, with the connector contract kept in memory: what the inbox does, without an inbox."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any, cast

import aiohttp
import jwt
import msgspec
import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer
from uuid_utils.compat import uuid7
from yarl import URL

from connectors.context import Channel, Context, CursorExpiredError, FeedPage, Handler, Received
from connectors.errors import PermanentError, UnavailableError
from connectors.webchat import WebChatConnector
from normalizer.chat import normalize
from normalizer.outcomes import ConversationEvent, DeliveryUpdate, Draft, Raw
from normalizer.schema import Attachment, Author, Delivery, DeliveryState, Direction, Message


class MemoryFeed:
    """A log of snapshots a thread; a cursor is a position in it."""

    def __init__(self) -> None:
        self.logs: dict[str, list[Message]] = {}
        self.oldest = 0
        self._news = asyncio.Condition()

    async def add(self, thread_key: str, message: Message) -> None:
        self.logs.setdefault(thread_key, []).append(message)
        async with self._news:
            self._news.notify_all()

    def newest(self, thread_key: str) -> dict[str, Message]:
        return {message.id: message for message in self.logs.get(thread_key, [])}

    async def history(self, thread_key: str, *, limit: int = 100) -> FeedPage:
        messages = tuple(self.newest(thread_key).values())[-limit:]
        cursor = str(self.oldest + len(self.logs.get(thread_key, [])))
        return FeedPage(
            messages=tuple(message for message in messages if message.direction != "note"),
            cursor=cursor,
            conversation_id=messages[-1].conversation_id if messages else None,
        )

    async def since(self, thread_key: str, cursor: str) -> FeedPage:
        if not cursor.isdecimal() or int(cursor) < self.oldest:
            raise CursorExpiredError
        log = self.logs.get(thread_key, [])
        return FeedPage(
            messages=tuple(message for message in log[int(cursor) - self.oldest :] if message.direction != "note"),
            cursor=str(self.oldest + len(log)),
            conversation_id=log[-1].conversation_id if log else None,
        )

    async def follow(self, thread_key: str, cursor: str) -> AsyncGenerator[tuple[Message, str], None]:
        if not cursor.isdecimal() or int(cursor) < self.oldest:
            raise CursorExpiredError
        at = int(cursor) - self.oldest
        log = self.logs.setdefault(thread_key, [])
        while True:
            async with self._news:
                while at >= len(log):
                    await self._news.wait()
            at += 1
            if log[at - 1].direction != "note":
                yield log[at - 1], str(self.oldest + at)


class MemoryFiles:
    def __init__(self) -> None:
        self.kept: dict[str, tuple[Attachment, bytes, str]] = {}

    async def open(self, attachment_id: str) -> AsyncIterator[bytes]:
        yield self.kept[attachment_id][1]

    async def save(self, content: AsyncIterator[bytes], *, filename: str, owner: str, limit: int) -> Attachment:
        body = b""
        async for chunk in content:
            body += chunk
            if len(body) > limit:
                raise PermanentError("too large")
        kind = "image/png" if body.startswith(b"\x89PNG") else "text/html" if b"<" in body else "text/plain"
        file = Attachment(id=str(uuid7()), filename=filename, content_type=kind, size=len(body), sha256="0" * 64)
        self.kept[file.id] = (file, body, owner)
        return file

    async def find(self, attachment_id: str, *, owner: str) -> Attachment | None:
        file, _, of = self.kept.get(attachment_id, (None, b"", ""))
        return file if of == owner else None


class MemoryKeys:
    def __init__(self) -> None:
        self.keys = {"k1": b"1" * 32}

    async def current(self) -> tuple[str, bytes]:
        return next(reversed(self.keys.items()))

    async def find(self, kid: str) -> bytes | None:
        return self.keys.get(kid)


class MemoryContext:
    """Journals in a dictionary and applies at once."""

    def __init__(self, channel: str) -> None:
        self.channel = Channel(id=channel, public_url="https://inbox.example.com")
        self.feed = MemoryFeed()
        self.files = MemoryFiles()
        self.keys = MemoryKeys()
        self.log = structlog.get_logger()
        self.journal: dict[str, tuple[Raw, Received]] = {}
        self.events: list[ConversationEvent] = []
        self.handler: Handler | None = None
        self.away = False

    def mount(self, prefix: str, handler: Handler) -> None:
        assert prefix == "chat"
        self.handler = handler

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def receive(self, raw: Raw) -> Received:
        await asyncio.sleep(0)
        if self.away:
            raise UnavailableError("the database is away")
        if raw.key in self.journal:
            return msgspec.structs.replace(self.journal[raw.key][1], duplicate=True)
        received = Received(message_id=str(uuid7()), received_at=raw.received_at)
        self.journal[raw.key] = (raw, received)
        await self._apply(raw, received)
        return received

    async def _apply(self, raw: Raw, received: Received) -> None:
        (outcome,) = normalize(raw)
        if isinstance(outcome, Draft):
            message = self._stored(outcome.message, received.message_id, received.received_at)
            await self.feed.add(outcome.keys[0], message)
        elif isinstance(outcome, DeliveryUpdate):
            await self._deliver(outcome)
        elif isinstance(outcome, ConversationEvent):
            self.events.append(outcome)
            event = Message(kind="event", author=outcome.author, text=outcome.part.text, parts=(outcome.part,))
            await self.feed.add(outcome.thread_key, self._stored(event, received.message_id, received.received_at))

    async def _deliver(self, update: DeliveryUpdate) -> None:
        for thread_key in list(self.feed.logs):
            message = self.feed.newest(thread_key).get(update.message_id or "")
            if message is not None and message.delivery is not None:
                delivery = msgspec.structs.replace(message.delivery, state=update.state)
                await self.change(thread_key, message.id, delivery=delivery)

    def _stored(self, message: Message, message_id: str, at: datetime) -> Message:
        return msgspec.structs.replace(
            message, id=message_id, conversation_id="conv-1", customer_id="secret-customer", received_at=at
        )

    async def reply(
        self,
        visitor: str,
        text: str,
        *,
        direction: Direction = "outbound",
        state: DeliveryState = "waiting",
        **fields: Any,
    ) -> Message:
        author = Author(type="agent", id="secret-agent", name="Ayşe")
        message = Message(
            author=author,
            direction=direction,
            text=text,
            delivery=Delivery(state=state) if direction == "outbound" else None,
            channel_data={"secret": "data"},
            **fields,
        )
        message = self._stored(message, str(uuid7()), self.now())
        await self.feed.add(visitor, message)
        return message

    async def change(self, visitor: str, message_id: str, **fields: Any) -> Message:
        message = msgspec.structs.replace(self.feed.newest(visitor)[message_id], **fields)
        await self.feed.add(visitor, message)
        return message

    def state(self, visitor: str, message_id: str) -> str:
        delivery = self.feed.newest(visitor)[message_id].delivery
        assert delivery is not None
        return delivery.state

    def said(self) -> list[Raw]:
        return [raw for raw, _ in self.journal.values() if b'"type":"message"' in raw.body]


class Tab:
    """A browser's tab: a WebSocket and the frames that came over it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.token: str = ""
        self.cursor: str | None = None
        self.welcome: dict[str, Any] = {}
        self._kept: list[dict[str, Any]] = []

    async def send(self, **frame: Any) -> None:
        await self.socket.send_str(json.dumps(frame))

    async def next(self, *types: str, timeout: float = 5.0, **like: Any) -> dict[str, Any]:
        """The next frame of one of the types with these values; others are kept for later calls."""
        for index, frame in enumerate(self._kept):
            if self._fits(frame, types, like):
                return self._kept.pop(index)
        async with asyncio.timeout(timeout):
            while True:
                received = await self.socket.receive()
                if received.type is not aiohttp.WSMsgType.TEXT:
                    raise ConnectionError(f"{received.type.name} {received.data}")
                frame = cast("dict[str, Any]", json.loads(received.data))
                self.cursor = frame.get("cursor") or self.cursor
                if self._fits(frame, types, like):
                    return frame
                self._kept.append(frame)

    @staticmethod
    def _fits(frame: dict[str, Any], types: tuple[str, ...], like: dict[str, Any]) -> bool:
        return frame["type"] in types and all(frame.get(key) == value for key, value in like.items())

    async def hello(self, token: str | None = None, cursor: str | None = None) -> dict[str, Any]:
        await self.send(type="hello", token=token, cursor=cursor)
        self.welcome = await self.next("welcome")
        self.token = self.welcome["token"]
        return self.welcome

    async def say(self, text: str, client_id: str, attachments: tuple[str, ...] = ()) -> dict[str, Any]:
        await self.send(type="message", client_id=client_id, text=text, attachments=list(attachments))
        return await self.next("ack", "error", client_id=client_id)

    async def quiet(self) -> bool:
        """Whether nothing more comes: a frame that must be answered is, and nothing stands before it."""
        await self.send(type="read", message_id="there is none")
        await self.next("error", code="bad_frame")
        return not self._kept

    async def closed(self) -> int | None:
        async with asyncio.timeout(5):
            while not self.socket.closed:
                await self.socket.receive()
        return self.socket.close_code


class Chat:
    """A channel in service, and its visitors."""

    def __init__(
        self, context: MemoryContext, server: BaseTestServer, http: aiohttp.ClientSession, task: asyncio.Task[None]
    ) -> None:
        self.context = context
        self.server = server
        self.http = http
        self.task: asyncio.Task[None] = task

    def url(self, tail: str) -> URL:
        return self.server.make_url(f"/chat/site/{tail}")

    async def tab(
        self, *, hello: bool = True, token: str | None = None, cursor: str | None = None, **options: Any
    ) -> Tab:
        tab = Tab(await self.http.ws_connect(self.url("ws"), **options))
        if hello:
            await tab.hello(token, cursor)
        return tab

    def visitor(self, tab: Tab) -> str:
        return str(jwt.decode(tab.token, options={"verify_signature": False})["sub"])


@contextlib.asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[Chat]:
    context = MemoryContext("site")
    connector = WebChatConnector(WebChatConnector.options_model(**options), context.channel)

    async def handle(request: web.Request) -> web.StreamResponse:
        assert context.handler is not None
        return await context.handler(request, request.match_info["tail"])

    app = web.Application()
    app.router.add_route("*", "/chat/site/{tail:.*}", handle)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        chat = Chat(context, server, http, asyncio.create_task(connector.start(cast("Context", context))))
        while context.handler is None:
            await asyncio.sleep(0)
        yield chat
        chat.task.cancel()
        await asyncio.gather(chat.task, return_exceptions=True)


@pytest.fixture
def serve() -> Callable[..., AbstractAsyncContextManager[Chat]]:
    return serving


@pytest.fixture
async def chat() -> AsyncIterator[Chat]:
    async with serving(origins=["https://www.example.com"], identity_secret="s" * 32) as chat:
        yield chat
