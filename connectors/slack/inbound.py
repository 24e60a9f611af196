"""What both ways in share: a request is journaled, then it is acted on."""

from __future__ import annotations

import asyncio

from connectors.context import Context
from connectors.errors import PermanentError, TemporaryError
from connectors.slack.api import SlackApi
from connectors.slack.arrival import Arrival, arrival
from connectors.slack.names import Names
from normalizer.fields import Fields, record, text

RETRY_SECONDS = 10.0


class Inbound:
    """Takes requests for one channel."""

    def __init__(self, context: Context, names: Names) -> None:
        """Nothing has come."""
        self._context = context
        self._names = names
        self._revoked: asyncio.Queue[str] = asyncio.Queue()

    async def take(self, body: bytes, content_type: str, told: Fields | None = None) -> Arrival:
        """Journals a request.

        Raises:
            UnavailableError: it could not be: Slack must send it again.
        """
        names = await self._names.of(body.decode("utf-8", "replace"))
        came = arrival(body, content_type, self._context.now(), names, told)
        await self._context.receive(came.raw)
        if came.revoked is not None:
            self._revoked.put_nowait(came.revoked)
        event = record(came.told or {}, "event")
        if text(event, "type") in ("user_change", "user_profile_changed", "channel_rename"):
            self._names.forget(text(record(event, "user") or record(event, "channel"), "id"))
        return came

    async def until_gone(self, api: SlackApi) -> None:
        """Stops the channel when the app can work no longer: when it is told so, and Slack stands by it."""
        while True:
            reason = await self._revoked.get()
            while True:
                try:
                    await api.ask("auth.test")
                except PermanentError:
                    self._context.fail(reason)
                except TemporaryError as error:
                    await asyncio.sleep(error.retry_after or RETRY_SECONDS)
                else:
                    break
