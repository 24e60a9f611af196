"""Who gives access tokens to the mail servers of these tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from harness import served
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
        async with served(app) as url:
            yield {"token_url": f"{url}/token", "client_id": "santral", "client_secret": "hush"}
