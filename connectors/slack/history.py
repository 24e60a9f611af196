"""Filling the gap: what was said while nobody listened is read from the channels' history.

What came the usual way too is the same message, by its channel and time. Edits and deletions of the gap are not told by
a history; a message stands in it as it reads now.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

from connectors.context import Context, Lease, Received
from connectors.errors import PermanentError, UnavailableError
from connectors.slack.api import RETRY_SECONDS, UNKNOWN_APP, SlackApi
from connectors.slack.arrival import arrival
from connectors.slack.inbound import Inbound
from normalizer.fields import Fields, record, records, text
from normalizer.slack.request import JSON

TYPES = "public_channel,private_channel,mpim,im"
PAGE = 200
OVERLAP = timedelta(seconds=30)  # read twice rather than not at all: clocks differ
THREADS = timedelta(days=1)  # how old the beginning of a thread may be whose answers are looked for
LONGEST = timedelta(days=7)  # a longer gap is filled from there on
# Of these a channel, or a thread, has nothing for us; any other refusal may pass, and the gap stays open until then.
_CLOSED = frozenset(("channel_not_found", "not_in_channel", "is_archived", "thread_not_found"))
AGAIN_SECONDS = 15 * 60.0  # a call and more a channel: a thousand channels come to what Slack allows


class History:
    """Knows until when all was read, and reads what came since."""

    def __init__(self, api: SlackApi, context: Context, inbound: Inbound) -> None:
        """`inbound` takes what is found."""
        self._api = api
        self._context = context
        self._inbound = inbound
        self._user = self._bot = ""  # by whom our own messages are known
        self._whole = True

    async def run(self, lease: Lease) -> None:
        """Fills the gap; again when Slack says that it dropped something, and now and then: mostly it does not say so.

        Raises:
            PermanentError: Slack does not know the app any more.
            LeaseLostError: another process does this by now.
        """
        while True:
            try:
                await self._fill(lease)
            except UnavailableError as error:
                self._context.log.warning("gap not filled", reason=error.reason)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            except PermanentError as error:
                if error.code == UNKNOWN_APP:
                    raise
                self._context.log.warning("gap not filled", reason=error.reason)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_SECONDS):
                    await self._inbound.dropped.wait()
            self._inbound.dropped.clear()

    async def _fill(self, lease: Lease) -> None:
        """Reads what came since the lease's cursor, of each channel in the order in which it was said."""
        now = self._context.now()
        since = _moment(await lease.load_cursor())
        if since is None or await self._read(max(since - OVERLAP, now - LONGEST)):
            await lease.save_cursor(now.isoformat().encode())

    async def _read(self, since: datetime) -> bool:
        """Takes what was said since then; whether that is all."""
        self._whole = True
        us = await self._api.insist("auth.test")
        self._user, self._bot = text(us, "user_id"), text(us, "bot_id")
        missed = 0
        async for channel in self._pages("users.conversations", "channels", types=TYPES, exclude_archived="true"):
            # A history begins with what is newest, and a thread's answers come after its beginning.
            gap = [message async for message in self._messages(channel, since)]
            invited = max((_seconds(one, "ts") for one in gap if self._is_invitation(one)), default=0.0)
            for message in sorted(gap, key=lambda one: _seconds(one, "ts")):
                if _seconds(message, "ts") >= invited:
                    missed += not (await self._take(channel, message)).duplicate
        if missed:
            self._context.log.info("gap filled", since=since.isoformat(), messages=missed)
        return self._whole

    def _is_invitation(self, message: Fields) -> bool:
        """Whether the app came into the channel: what was said there before was not said to it."""
        return text(message, "subtype") in ("channel_join", "group_join") and text(message, "user") == self._user

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
            except PermanentError as error:
                if error.code == UNKNOWN_APP:
                    raise
                self._whole = self._whole and error.code in _CLOSED
                self._context.log.warning("history not read", method=method, reason=error.reason)
                return
            for item in records(page, items):
                yield item
            cursor = text(record(page, "response_metadata"), "next_cursor") or None
            if cursor is None:
                return

    async def _take(self, channel: Fields, message: Fields) -> Received:
        """A message of the history, as the event that told of it.

        Of ours that stand there under an agent's name, Slack tells the bot alone.
        """
        id_, ts = text(channel, "id"), text(message, "ts")
        event: dict[str, Any] = {**message, "type": "message", "channel": id_, "channel_type": _kind(channel)}
        if text(message, "bot_id") == self._bot != "":
            event["user"] = self._user
        us = [{"user_id": self._user, "is_bot": True}]
        told = {"type": "event_callback", "event_id": f"history:{id_}:{ts}", "authorizations": us, "event": event}
        return await self._inbound.take(arrival(json.dumps(told).encode(), JSON))


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
