"""A subscriber's own server, which webhooks call."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from harness import served


class Receiver:
    """A subscriber's server: remembers what came, and answers as the test says."""

    def __init__(self) -> None:
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.answer: Callable[[], web.Response] = web.Response
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.calls.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        return self.answer()

    def of(self, message_id: str) -> list[tuple[dict[str, str], bytes]]:
        return [call for call in self.calls if message_id.encode() in call[1]]


@asynccontextmanager
async def listening(host: str) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()

    async def handle(request: web.Request) -> web.Response:
        return await receiver.handle(request)  # which a test may have put another in place of

    app.router.add_route("*", "/{tail:.*}", handle)
    async with served(app, host) as url:
        receiver.url = f"{url}/hook"
        yield receiver
