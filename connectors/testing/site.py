"""A real web server on 127.0.0.1 for what channels mount."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from connectors.context import Handler
from connectors.errors import UnavailableError


class MemorySite:
    """Answers under `/{prefix}/{channel}`, as the inbox does.

    404 where nothing is mounted, 503 where the handler lets an `UnavailableError` pass.
    """

    def __init__(self) -> None:
        self.url = ""
        self._handlers: dict[tuple[str, str], Handler] = {}

    def mount(self, prefix: str, channel: str, handler: Handler) -> None:
        """Answers by `handler` from now on."""
        self._handlers[prefix, channel] = handler

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answers a request."""
        found = self._handlers.get((request.match_info["prefix"], request.match_info["channel"]))
        if found is None:
            raise web.HTTPNotFound(text="nothing is mounted there")
        try:
            return await found(request, request.match_info["tail"].removeprefix("/"))
        except UnavailableError as error:
            return web.Response(status=503, text=error.reason, headers={"Retry-After": "5"})


@asynccontextmanager
async def serving_site() -> AsyncIterator[MemorySite]:
    """A site that listens while the block lasts; `url` is its root, without a slash."""
    site = MemorySite()
    app = web.Application()
    app.router.add_route("*", "/{prefix:hooks|chat}/{channel}{tail:(/.*)?}", site.handle)
    async with listening(app, shutdown_timeout=1.0) as site.url:
        yield site


@asynccontextmanager
async def listening(app: web.Application, **options: Any) -> AsyncIterator[str]:  # noqa: ANN401 (aiohttp's)
    """The root of an application on a port of its own, without a slash; `options` are those of `web.AppRunner`."""
    runner = web.AppRunner(app, access_log=None, handle_signals=False, **options)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()
