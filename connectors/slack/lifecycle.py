"""What Slack tells of the app itself and of names: handled by Bolt, which sees journaled requests only.

Bolt acknowledges before a listener has run, and answers 200 to what it could not authorise. Here that harms nothing:
Slack had its answer when the request was journaled.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from typing import Any

import aiohttp
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest, AsyncRespond

from connectors.context import Context
from connectors.errors import PermanentError
from connectors.slack.api import UNKNOWN_APP, SlackApi
from connectors.slack.arrival import Arrival
from connectors.slack.names import Names
from normalizer.fields import record, text
from normalizer.slack.request import read

ASK_SECONDS = 60.0  # how soon a process knows what Slack told another one
WAITING = 1000  # requests that wait for Bolt; what concerns the app itself is rare
_RENAMES = ("user_change", "user_profile_changed", "channel_rename", "group_rename")
_HEARD = frozenset(("app_uninstalled", "tokens_revoked", *_RENAMES))


class Lifecycle:
    """Knows when the app is gone, and whose name is another now."""

    def __init__(self, api: SlackApi, context: Context, names: Names, notice: str) -> None:
        """`notice` is what a command's writer reads, if anything. Nothing is heard before `dispatch`."""
        self._api = api
        self._context = context
        self._names = names
        self._notice = notice
        self._requests: asyncio.Queue[Arrival] = asyncio.Queue(WAITING)
        self._revoked: asyncio.Queue[str] = asyncio.Queue()
        logger = logging.getLogger("santral.slack.bolt")
        self._bolt = AsyncApp(client=api.client, logger=logger, request_verification_enabled=False)
        self._bolt.event("app_uninstalled")(self._uninstalled)
        self._bolt.event("tokens_revoked")(self._tokens_revoked)
        for kind in _RENAMES:
            self._bolt.event(kind)(self._renamed)
        self._bolt.command(re.compile("."))(self._commanded)

    def tell(self, came: Arrival) -> None:
        """A request that is journaled."""
        heard = came.event in _HEARD or (came.command and self._notice)
        if heard and not self._requests.full():
            self._requests.put_nowait(came)

    async def dispatch(self) -> None:
        """Hands requests to Bolt until cancelled. One that it cannot read stops no other."""
        while True:
            came = await self._requests.get()
            try:
                request = AsyncBoltRequest(body=dict(read(came.body, came.content_type) or {}), mode="socket_mode")
                await self._bolt.async_dispatch(request)
            except Exception:
                self._context.log.warning("a request was not understood", about=came.event, exc_info=True)

    async def until_gone(self) -> None:
        """Stops the channel when the app can work no longer.

        Slack tells that to one process alone, and where its hook does not get through to none: so each asks now and
        then. A revocation that was told counts when Slack stands by it.

        Raises:
            PermanentError: Slack does not know the app any more.
        """
        while True:
            reason = ""
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ASK_SECONDS):
                    reason = await self._revoked.get()
            try:
                await self._api.insist("auth.test")
            except PermanentError as error:
                if reason:
                    self._context.fail(reason)
                if error.code == UNKNOWN_APP:
                    raise

    async def _uninstalled(self) -> None:
        self._revoked.put_nowait("the app was removed from the workspace; install it again, and restart")

    async def _tokens_revoked(self, event: dict[str, Any]) -> None:
        if record(event, "tokens").get("bot"):
            told = "the app's token was revoked; install it again, and put the new token into the configuration"
            self._revoked.put_nowait(told)

    async def _commanded(self, ack: AsyncAck, respond: AsyncRespond) -> None:
        """Slack shows a command's writer nothing of its own. It takes an answer also where the app is no member."""
        await ack()  # Bolt waits for it three seconds, and the next request behind it
        if respond.response_url:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                await respond(self._notice, response_type="ephemeral")

    async def _renamed(self, event: dict[str, Any]) -> None:
        self._names.forget(text(record(event, "user") or record(event, "channel"), "id"))
