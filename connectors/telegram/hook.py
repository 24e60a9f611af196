"""Being called by Telegram: a request is an update, and 200 says that it is journaled."""

from __future__ import annotations

import asyncio
import hmac
import itertools
from collections.abc import Callable, Sequence

from aiohttp import web

from connectors.context import Channel, Context
from connectors.errors import ConnectorError, TemporaryError
from connectors.telegram.api import ALLOWED_UPDATES, UNKNOWN_BOT, BotApi
from connectors.telegram.arrival import Arrival, arrival

HEADER = "X-Telegram-Bot-Api-Secret-Token"
RETRY_SECONDS = (5.0, 15.0, 60.0, 300.0)
AGAIN_SECONDS = 15 * 60.0  # how soon a hook that somebody took away, or a token that is void, is noticed
CONNECTIONS = 100  # the most that Telegram opens at once


def address(channel: Channel) -> str:
    """Where Telegram finds the hook."""
    return f"{channel.public_url}/hooks/{channel.id}"


class Hook:
    """The hook under `/hooks/{channel}`."""

    def __init__(
        self, api: BotApi, context: Context, secrets: Sequence[str], answer: Callable[[Arrival], None]
    ) -> None:
        """`secrets` are those that are taken, the new one first; `answer` is called with each update that is kept."""
        self._api = api
        self._context = context
        self._secrets = [secret.encode() for secret in secrets]
        self._answer = answer

    async def run(self) -> None:
        """Serves until cancelled, and tells Telegram where; now and then again, since somebody may take a hook away."""
        self._context.mount("hooks", self._handle)
        while True:
            await self._register()
            await asyncio.sleep(AGAIN_SECONDS)

    async def _handle(self, request: web.Request, tail: str) -> web.StreamResponse:
        """Takes an update. What is no update is kept and counted too: Telegram would send it again for ever.

        Raises:
            UnavailableError: it could not be journaled; answered with 503, so that it comes again.
        """
        if tail or request.method != "POST":
            raise web.HTTPNotFound(text="Telegram posts to this channel's hook itself")
        shown = request.headers.get(HEADER, "").encode(errors="surrogateescape")
        # Each is compared, and each in the same time, so that nothing is learned of a secret from how long it takes.
        if not sum([hmac.compare_digest(shown, secret) for secret in self._secrets]):
            self._context.turned_away("secret")
            raise web.HTTPUnauthorized(text="the secret is wrong")
        came = arrival(await request.read(), self._context.now(), self._api.id)
        await self._context.receive(came.raw)
        self._answer(came)
        return web.Response()

    async def _register(self) -> None:
        """Tells Telegram the hook's address and secret; tried again until it is done."""
        channel = self._context.channel
        for attempt in itertools.count():
            try:
                with self._api.calling():
                    await self._api.bot.set_webhook(
                        address(channel),
                        secret_token=self._secrets[0].decode(),
                        allowed_updates=ALLOWED_UPDATES,
                        max_connections=CONNECTIONS,
                    )
            except ConnectorError as error:
                if error.code == UNKNOWN_BOT:
                    self._context.fail(f"{error.reason}; ask BotFather for it, and put it into the configuration")
                self._context.log.warning("hook not set", reason=error.reason)
                wished = error.retry_after if isinstance(error, TemporaryError) else None
                await asyncio.sleep(wished or RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
            else:
                return
