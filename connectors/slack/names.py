"""The names of users and channels that messages mention: asked of Slack once, and kept for a while."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import Sequence

from connectors.errors import ConnectorError
from connectors.slack.api import SlackApi
from normalizer.fields import Fields, record, text

KEPT = 10_000
KEPT_SECONDS = 6 * 3600.0
RETRY_SECONDS = 60.0
PATIENCE_SECONDS = 0.5  # a name that takes longer is there for the next message
MOST = 20  # names of one message that are asked for


class Names:
    """A cache. What Slack does not tell is not asked again for as long as what it does."""

    def __init__(self, api: SlackApi) -> None:
        """Empty."""
        self._api = api
        self._known: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._asking: dict[str, asyncio.Task[None]] = {}

    async def of(self, mentioned: Sequence[str]) -> dict[str, str]:
        """The names of whom a request mentions, as far as they are known or come at once."""
        if not mentioned:
            return {}
        ids = list(dict.fromkeys(mentioned))[:MOST]
        unknown = [id_ for id_ in ids if id_ not in self._known or self._known[id_][1] < time.monotonic()]
        if unknown:
            asking = [self._asked(id_) for id_ in unknown]
            await asyncio.wait(asking, timeout=PATIENCE_SECONDS)
        return {id_: self._known[id_][0] for id_ in ids if id_ in self._known and self._known[id_][0]}

    def forget(self, id_: str) -> None:
        """Somebody or something has another name now."""
        self._known.pop(id_, None)

    async def close(self) -> None:
        """Asks no more."""
        for task in list(self._asking.values()):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _asked(self, id_: str) -> asyncio.Task[None]:
        if id_ not in self._asking:
            task = self._asking[id_] = asyncio.create_task(self._ask(id_))
            task.add_done_callback(lambda _: self._asking.pop(id_, None))
        return self._asking[id_]

    async def _ask(self, id_: str) -> None:
        kept = KEPT_SECONDS
        try:
            name = await (self._channel(id_) if id_[0] in "CGD" else self._user(id_))
        except ConnectorError:
            name, kept = self._known.get(id_, ("", 0.0))[0], RETRY_SECONDS
        self._known[id_] = (name, time.monotonic() + kept)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)

    async def _user(self, id_: str) -> str:
        return name_of(record(await self._api.ask("users.info", user=id_), "user"))

    async def _channel(self, id_: str) -> str:
        return text(record(await self._api.ask("conversations.info", channel=id_), "channel"), "name")


def name_of(user: Fields) -> str:
    """The name by which a user is known in the workspace."""
    profile = record(user, "profile")
    told = (text(profile, "display_name"), text(profile, "real_name"), text(user, "real_name"), text(user, "name"))
    return next(filter(None, told), "")
