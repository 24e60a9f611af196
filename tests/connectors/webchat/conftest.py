import asyncio
import contextlib
import importlib.util
import json
import sys
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from connectors.webchat import WebChatConnector

SPEC = importlib.util.spec_from_file_location("webchat_memory", Path(__file__).with_name("memory.py"))
memory = sys.modules[SPEC.name] = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(memory)


class Tab:
    """A browser's tab: a WebSocket and the frames that came over it."""

    def __init__(self, socket):
        self.socket = socket
        self.token = None
        self.cursor = None
        self.welcome = None
        self._kept = []

    async def send(self, **frame):
        await self.socket.send_str(json.dumps(frame))

    async def next(self, *types, timeout=5.0, **like):
        """The next frame of one of the types with these values; others are kept for later calls."""
        for index, frame in enumerate(self._kept):
            if self._fits(frame, types, like):
                return self._kept.pop(index)
        async with asyncio.timeout(timeout):
            while True:
                received = await self.socket.receive()
                if received.type is not aiohttp.WSMsgType.TEXT:
                    raise ConnectionError(f"{received.type.name} {received.data}")
                frame = json.loads(received.data)
                self.cursor = frame.get("cursor") or self.cursor
                if self._fits(frame, types, like):
                    return frame
                self._kept.append(frame)

    @staticmethod
    def _fits(frame, types, like):
        return frame["type"] in types and all(frame.get(key) == value for key, value in like.items())

    async def hello(self, token=None, cursor=None):
        await self.send(type="hello", token=token, cursor=cursor)
        self.welcome = await self.next("welcome")
        self.token = self.welcome["token"]
        return self.welcome

    async def say(self, text, client_id, attachments=()):
        await self.send(type="message", client_id=client_id, text=text, attachments=list(attachments))
        return await self.next("ack", "error", client_id=client_id)

    async def quiet(self):
        """Whether nothing more comes: a frame that must be answered is, and nothing stands before it."""
        await self.send(type="read", message_id="there is none")
        await self.next("error", code="bad_frame")
        return not self._kept

    async def closed(self):
        async with asyncio.timeout(5):
            while not self.socket.closed:
                await self.socket.receive()
        return self.socket.close_code


class Chat:
    """A channel in service, and its visitors."""

    def __init__(self, context, connector, server, http):
        self.context = context
        self.connector = connector
        self.server = server
        self.http = http
        self.task = None

    def url(self, tail):
        return self.server.make_url(f"/chat/site/{tail}")

    async def tab(self, *, hello=True, token=None, cursor=None, **options):
        tab = Tab(await self.http.ws_connect(self.url("ws"), **options))
        if hello:
            await tab.hello(token, cursor)
        return tab

    def visitor(self, tab):
        import jwt

        return jwt.decode(tab.token, options={"verify_signature": False})["sub"]


@contextlib.asynccontextmanager
async def serving(**options):
    context = memory.MemoryContext("site")
    connector = WebChatConnector(WebChatConnector.options_model(**options), context.channel)

    async def handle(request):
        return await context.handler(request, request.match_info["tail"])

    app = web.Application()
    app.router.add_route("*", "/chat/site/{tail:.*}", handle)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        chat = Chat(context, connector, server, http)
        chat.task = asyncio.create_task(connector.start(context))
        while context.handler is None:
            await asyncio.sleep(0)
        yield chat
        chat.task.cancel()
        await asyncio.gather(chat.task, return_exceptions=True)


@pytest.fixture
def serve():
    return serving


@pytest.fixture
async def chat():
    async with serving(origins=["https://www.example.com"], identity_secret="s" * 32) as chat:
        yield chat
