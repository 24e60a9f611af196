"""Everything under `/chat/{channel}/`: the socket, its long-poll twin, attachments, the widget and its demo page."""

from __future__ import annotations

import asyncio

from aiohttp import hdrs, web

from connectors.context import Context
from connectors.webchat.desk import Desk
from connectors.webchat.options import WebChatOptions
from connectors.webchat.origins import Origins
from connectors.webchat.pages import Pages
from connectors.webchat.poll import Poll, bearer
from connectors.webchat.portraits import FOLDER
from connectors.webchat.problems import Problem
from connectors.webchat.protocol import ProtocolError, encode
from connectors.webchat.session import Session, new_socket
from connectors.webchat.settings import settings
from connectors.webchat.uploads import download, upload

NEVER_KEPT = {hdrs.CACHE_CONTROL: "no-cache", "X-Content-Type-Options": "nosniff"}


class Site:
    """One channel's share of the web server."""

    def __init__(self, context: Context, options: WebChatOptions) -> None:
        """Reads the pages; serves nothing before it is mounted."""
        self._context = context
        self._options = options
        self._origins = Origins(options.origins, context.channel.public_url)
        self._desk = Desk(context, options)
        self._poll = Poll(self._desk, context.feed)
        self._sessions: set[Session] = set()
        self._closing = False
        self._pages = Pages()

    async def handle(self, request: web.Request, tail: str) -> web.StreamResponse:
        """Answers a request for the rest `tail` of its path."""
        if not self._origins.allows(request):
            return Problem(403, "This page's origin is not among the channel's `origins`").response()
        try:
            preflight = request.method == hdrs.METH_OPTIONS
            response = web.Response(status=204) if preflight else await self._route(request, tail)
        except Problem as problem:
            response = problem.response()
        if not response.prepared:
            response.headers.update(self._origins.cross_origin(request))
        return response

    async def _route(self, request: web.Request, tail: str) -> web.StreamResponse:
        if self._closing:
            raise Problem(503, "The chat is starting again")
        match request.method, tail:
            case "GET", "ws":
                return await self._socket(request)
            case "POST", "poll":
                return await self._poll.post(request)
            case "GET", "poll":
                return await self._poll.get(request)
            case "POST", "attachments":
                return await upload(request, self._context.files, await self._owner(request))
            case "GET", _ if tail.startswith("attachments/"):
                owner = await self._owner(request)
                headers = self._origins.cross_origin(request)
                return await download(request, self._context.files, owner, tail.removeprefix("attachments/"), headers)
            case (("GET" | "HEAD"), _):
                return await self._page(request, tail)
        raise Problem(404, "There is nothing here")

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        socket = new_socket()
        await socket.prepare(request)
        session = Session(self._desk, request, socket, self._context.log)
        self._sessions.add(session)
        try:
            await session.run()
        finally:
            self._sessions.discard(session)
        return socket

    async def _owner(self, request: web.Request) -> str:
        visitor = await self._desk.visitor(bearer(request))
        if visitor is None:
            raise Problem(401, "Say hello first, and send its token as the bearer")
        try:
            self._desk.admit(request.remote or "", asyncio.get_running_loop().time(), visitor=visitor)
        except ProtocolError as error:
            raise Problem(429, error.frame.detail) from None
        return visitor

    async def _page(self, request: web.Request, tail: str) -> web.Response:
        if tail.startswith(FOLDER):
            return await self._desk.portraits.answer(tail.removeprefix(FOLDER))
        if tail == "settings":
            body = encode(settings(self._context.channel, self._options, self._context.now()))
            return web.Response(body=body, content_type="application/json", headers=NEVER_KEPT)
        page = self._pages.answer(request, tail)
        if page is None:
            raise Problem(404, "There is nothing here")
        return page

    async def run(self) -> None:
        """Keeps to the rates with the other processes, until cancelled."""
        await self._desk.share_rates()

    async def close(self) -> None:
        """Takes nothing more and sends every browser to the process that comes next."""
        self._closing = True
        self._poll.close()
        await asyncio.gather(*(session.close() for session in self._sessions), return_exceptions=True)
