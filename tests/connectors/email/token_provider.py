"""Who gives access tokens to the mail servers of these tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from mail_servers import access_token


class Provider:
    """A token endpoint."""

    def __init__(self, user: str) -> None:
        self.user = user
        self.asked: list[dict[str, str]] = []
        self.answer: dict[str, Any] | None = None

    async def _token(self, request: web.Request) -> web.Response:
        self.asked.append({key: str(value) for key, value in (await request.post()).items()})
        if self.answer is not None:
            return web.json_response(self.answer, status=400 if "error" in self.answer else 200)
        return web.json_response({"access_token": access_token(self.user), "expires_in": 3600})

    @asynccontextmanager
    async def running(self) -> AsyncIterator[dict[str, str]]:
        """The `oauth` options of an account there."""
        app = web.Application()
        app.router.add_post("/token", self._token)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        try:
            yield {"token_url": f"http://{host}:{port}/token", "client_id": "santral", "client_secret": "hush"}
        finally:
            await runner.cleanup()
