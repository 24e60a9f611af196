"""Filling the gap: what was said while nobody listened is read from the channels' history.

What came the usual way too is the same message, by its channel and time. Edits and deletions of the gap are not told by
a history; a message stands in it as it reads now.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

from connectors.context import Context, Lease
from connectors.errors import PermanentError
from connectors.slack.api import UNKNOWN_APP, SlackApi
from connectors.slack.arrival import arrival
from connectors.slack.inbound import Inbound
from normalizer.fields import Fields, record, records, text
from normalizer.slack.request import JSON

TYPES = "public_channel,private_channel,mpim,im"
PAGE = 200
OVERLAP = timedelta(seconds=30)  # read twice rather than not at all: clocks differ
THREADS = timedelta(days=1)  # how old the beginning of a thread may be whose answers are looked for
LONGEST = timedelta(days=7)  # a longer gap is filled from there on
SAVE_SECONDS = 30.0


class History:
    """Knows until when it was listened, and reads what came since."""

    def __init__(self, api: SlackApi, context: Context, inbound: Inbound) -> None:
        """`inbound` takes what is found."""
        self._api = api
        self._context = context
        self._inbound = inbound
        self._user = self._bot = ""  # by whom our own messages are known

    async def fill(self, lease: Lease) -> None:
        """Reads what came since the lease's cursor: of each channel in the order in which it was said.

        Raises:
            PermanentError: Slack does not know the app any more.
            UnavailableError: something could not be journaled.
        """
        now = self._context.now()
        since = _moment(await lease.load_cursor())
        if since is None:
            return
        since = max(since - OVERLAP, now - LONGEST)
        us = await self._api.insist("auth.test")
        self._user, self._bot = text(us, "user_id"), text(us, "bot_id")
        found = 0
        async for channel in self._pages("users.conversations", "channels", types=TYPES, exclude_archived="true"):
            # A history begins with what is newest, and a thread's answers come after its beginning.
            gap = [message async for message in self._messages(channel, since)]
            for message in sorted(gap, key=lambda one: _seconds(one, "ts")):
                await self._take(channel, message)
            found += len(gap)
        self._context.log.info("gap filled", seconds=int((now - since).total_seconds()), messages=found)

    async def keep(self, lease: Lease) -> None:
        """Notes that until now all was heard.

        Raises:
            LeaseLostError: another process listens by now.
            UnavailableError: the database is away: the gap is then read anew.
        """
        await lease.save_cursor(self._context.now().isoformat().encode())

    async def _messages(self, channel: Fields, since: datetime) -> AsyncIterator[Fields]:
        """The messages of a channel since then, and the answers in its younger threads."""
        id_ = text(channel, "id")
        oldest = str((since - THREADS).timestamp())
        async for message in self._pages("conversations.history", "messages", channel=id_, oldest=oldest):
            if _seconds(message, "ts") >= since.timestamp():
                yield message
            if _seconds(message, "latest_reply") >= since.timestamp():
                ts = text(message, "ts")
                arguments = {"channel": id_, "ts": ts, "oldest": str(since.timestamp())}
                async for answer in self._pages("conversations.replies", "messages", **arguments):
                    if text(answer, "ts") != ts:
                        yield answer

    async def _pages(self, method: str, items: str, **arguments: str) -> AsyncIterator[Fields]:
        cursor: str | None = None
        while True:
            try:  # where Slack asks to wait, this page is asked for again: a fill begun anew would get no further
                page = await self._api.insist(method, limit=PAGE, cursor=cursor, **arguments)
            except PermanentError as error:  # a channel that the app may not read has nothing for us
                if error.code == UNKNOWN_APP:
                    raise
                self._context.log.warning("history not read", method=method, reason=error.reason)
                return
            for item in records(page, items):
                yield item
            cursor = text(record(page, "response_metadata"), "next_cursor") or None
            if cursor is None:
                return

    async def _take(self, channel: Fields, message: Fields) -> None:
        """A message of the history, as the event that told of it.

        Of ours that stand there under an agent's name, Slack tells the bot alone.
        """
        id_, ts = text(channel, "id"), text(message, "ts")
        event: dict[str, Any] = {**message, "type": "message", "channel": id_, "channel_type": _kind(channel)}
        if text(message, "bot_id") == self._bot != "":
            event["user"] = self._user
        us = [{"user_id": self._user, "is_bot": True}]
        told = {"type": "event_callback", "event_id": f"history:{id_}:{ts}", "authorizations": us, "event": event}
        await self._inbound.take(arrival(json.dumps(told).encode(), JSON))


def _kind(channel: Fields) -> str:
    if channel.get("is_im") is True:
        return "im"
    return "mpim" if channel.get("is_mpim") is True else "group" if channel.get("is_private") is True else "channel"


def _seconds(message: Fields, name: str) -> float:
    """One of Slack's times; 0 for what is none."""
    try:
        return float(text(message, name))
    except ValueError:
        return 0.0


def _moment(cursor: bytes | None) -> datetime | None:
    try:
        return datetime.fromisoformat((cursor or b"").decode())
    except ValueError:
        return None
