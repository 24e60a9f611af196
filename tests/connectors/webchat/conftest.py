"""A web chat in service, on a context in memory, and its visitors."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, cast

import aiohttp
import jwt
import pytest
from browser import ARGUMENTS, CHROMIUM
from harness import PATIENCE
from playwright.async_api import Browser, BrowserContext, async_playwright, expect
from yarl import URL

from connectors import Channel
from connectors.hours import OfficeHours
from connectors.testing import MemoryContext, MemorySite, serving_site
from connectors.webchat import WebChatConnector
from normalizer.outcomes import Raw

# A page that a test answers itself has no address; Chromium would let it speak to none of this machine.
LOCAL = "--disable-features=LocalNetworkAccessChecks"


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

    async def next(self, *types: str, timeout: float = PATIENCE, **like: Any) -> dict[str, Any]:
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
        async with asyncio.timeout(PATIENCE):
            while not self.socket.closed:
                await self.socket.receive()
        return self.socket.close_code


class Chat:
    """A channel in service, and its visitors."""

    def __init__(
        self, context: MemoryContext, site: MemorySite, http: aiohttp.ClientSession, task: asyncio.Task[None]
    ) -> None:
        self.context = context
        self.http = http
        self.task: asyncio.Task[None] = task
        self._root = URL(site.url)

    def url(self, tail: str) -> URL:
        return self._root / "chat/site" / tail

    def said(self) -> list[Raw]:
        """The journaled messages of visitors."""
        return [raw for raw in self.context.received if b'"type":"message"' in raw.body]

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
async def serving(hours: OfficeHours | None = None, **options: Any) -> AsyncIterator[Chat]:
    channel = Channel(id="site", public_url="https://inbox.example.com", hours=hours)
    connector = WebChatConnector(WebChatConnector.options_model(**options), channel)
    async with serving_site() as site, aiohttp.ClientSession() as http:
        context = MemoryContext(channel, site=site, normalize=connector.normalize)
        chat = Chat(context, site, http, asyncio.create_task(connector.start(context)))
        while not context.is_ready:
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


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip("needs Debian's chromium")
    async with async_playwright() as playwright:
        expect.set_options(timeout=PATIENCE * 1000)
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, LOCAL])
        yield browser
        await browser.close()


@pytest.fixture
async def browse(chromium: Browser) -> AsyncIterator[Callable[..., Any]]:
    """Opens browsers that know nothing of each other."""
    opened: list[BrowserContext] = []

    async def browse(**options: Any) -> BrowserContext:
        context = await chromium.new_context(**{"locale": "en-GB", **options})
        context.set_default_timeout(PATIENCE * 1000)
        opened.append(context)
        return context

    yield browse
    for context in opened:
        await context.close()


@pytest.fixture
async def browser(browse: Callable[..., Any]) -> BrowserContext:
    """One of them."""
    context: BrowserContext = await browse()
    return context
