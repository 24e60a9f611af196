"""What proves Slack: a workspace of its own, over sockets or posting to the hook."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar

from connectors.slack.arrival import arrival
from connectors.slack.connector import SlackConnector
from connectors.testing import Door, Mistake, Platform, Proof, Sent, Told, Trouble
from connectors.testing.server import TROUBLES, serving
from connectors.testing.slack_server import ADA, APP_TOKEN, BOT_TOKEN, DIRECT, GENERAL, SIGNING, SlackServer
from normalizer.outcomes import Person, Raw
from normalizer.slack.request import FORM, JSON

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
TS = "1795428000.000100"
SAID: dict[str, Any] = {"type": "message", "channel": GENERAL, "channel_type": "channel", "user": ADA, "ts": TS}
ITEM = {"type": "message", "channel": GENERAL, "ts": TS}
FILE = {
    "id": "F1",
    "name": "bill.pdf",
    "mimetype": "application/pdf",
    "size": 9,
    "url_private": "https://files.slack.com/1",
}


def _raw(number: int, **event: object) -> Raw:
    told = {"type": "event_callback", "event_id": f"Ev{number}", "team_id": "T1", "event": event}
    return arrival(json.dumps(told).encode(), JSON).raw(AT, {})


def _form(body: str) -> Raw:
    return arrival(body.encode(), FORM).raw(AT, {})


class Slack(Platform):
    """A person who writes to the app."""

    def __init__(self, server: SlackServer) -> None:
        """`server` is served."""
        self.server = server
        self.options = {"bot_token": BOT_TOKEN, "api_url": f"{server.url}/api/", "app_token": APP_TOKEN}
        self._messages: dict[str, dict[str, Any]] = {}
        self._requests: dict[str, dict[str, Any]] = {}

    def _message(self, id_: str, text: str) -> dict[str, Any]:
        if id_ not in self._messages:
            self._messages[id_] = self.server.message(text)
        return self._messages[id_]

    async def say(self, door: Door, id_: str, text: str) -> Told:
        """Writes to the app; the same id is the same event, tried again."""
        tried = id_ in self._requests
        if not tried:
            self._requests[id_] = self.server.event({**self._message(id_, text), "text": text}, channel=DIRECT)
        return await self._told(door, self._requests[id_], retry=int(tried))

    async def edit(self, door: Door, id_: str, text: str) -> Told:
        """Changes what was written."""
        before = self._message(id_, text)
        after = {**before, "text": text, "edited": {"user": ADA, "ts": "1995428001.000000"}}
        event = {"type": "message", "subtype": "message_changed", "ts": "1995428001.000100", "message": after}
        return await self._told(door, self.server.event(event, channel=DIRECT))

    async def attach(self, door: Door, id_: str, content: bytes) -> Told:  # noqa: ARG002 (one file a check)
        """Sends a file."""
        file = self.server.file(content, "a.txt", "text/plain")
        message = self.server.message("", subtype="file_share", files=[file])
        return await self._told(door, self.server.event(message, channel=DIRECT))

    async def _told(self, door: Door, request: Mapping[str, Any], retry: int = 0) -> Told:
        if "app_token" not in self.options:
            self.server.hook = door.hooks
        return "ok" if await self.server.push(request, retry=retry) else "again"

    def sent(self) -> Sequence[Sent]:
        """What the app wrote."""
        return [
            Sent(
                text=str(one["text"]).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"),
                files=tuple(self.server.files[file["id"]] for file in one.get("files", ())),
            )
            for one in self.server.written()
        ]

    def fail(self, how: Trouble | None) -> None:
        """Slack fails every call."""
        self.server.fail(TROUBLES[how] if how else None)

    async def holding(self) -> None:
        """Returns when a call hangs."""
        await self.server.holding()


class SlackProof(Proof):
    """Slack, over a socket."""

    connector = SlackConnector
    options: ClassVar[Mapping[str, Any]] = {"bot_token": BOT_TOKEN, "app_token": APP_TOKEN}
    mistakes = (
        Mistake({"bot_token": "Kn4pp"}, "bot_token"),
        Mistake({"app_token": "Kn4pp"}, "app_token"),
        Mistake({"api_url": "slack.com"}, "api_url"),
        Mistake({"silence_hours": -1}, "silence_hours"),
    )
    events = (
        _raw(1, **SAID, text="Do you deliver to *Izmir*, <@U0BOB>? &amp; when? :tada:"),
        _raw(2, type="message", subtype="message_changed", channel=GENERAL, ts=TS, message={**SAID, "text": "better"}),
        _raw(3, type="message", subtype="message_deleted", channel=GENERAL, ts=TS, deleted_ts=TS),
        _raw(4, **{**SAID, "ts": "1795428000.000200"}, thread_ts=TS, text="", subtype="file_share", files=[FILE]),
        _raw(
            5, type="reaction_added", user=ADA, reaction="tada", item={"type": "message", "channel": GENERAL, "ts": TS}
        ),
        _raw(6, **{**SAID, "channel": DIRECT, "channel_type": "im"}, subtype="channel_join", text="joined"),
        _raw(7, type="tokens_revoked", tokens={"bot": ["U0BOT"]}),
        _form("command=%2Fhelp&text=me&user_id=U0ADA&channel_id=C0GENERAL&trigger_id=1.2.3"),
        _form("payload=%7B%22type%22%3A%22view_closed%22%2C%22trigger_id%22%3A%221%22%7D"),
    )
    person = Person(kind="slack", value=ADA)
    thread_key = DIRECT

    @asynccontextmanager
    async def platform(self) -> AsyncIterator[Slack]:
        """A workspace of its own for each check."""
        async with serving(SlackServer()) as server:
            yield Slack(server)


class SlackHookProof(SlackProof):
    """Slack, posting to the hook."""

    options: ClassVar[Mapping[str, Any]] = {"bot_token": BOT_TOKEN, "signing_secret": [SIGNING, "an-old-one"]}

    @asynccontextmanager
    async def platform(self) -> AsyncIterator[Slack]:
        """As above."""
        async with serving(SlackServer()) as server:
            slack = Slack(server)
            slack.options = {name: value for name, value in slack.options.items() if name != "app_token"}
            yield slack
