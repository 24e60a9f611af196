"""A Slack of one's own: Web API, Events API and Socket Mode (https://docs.slack.dev/reference/methods).

It holds what Slack holds (channels and their messages, users, files), signs what it posts, sends again what nobody
acknowledged, and refuses what Slack refuses.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from connectors.testing.slack_sockets import SlackSockets
from connectors.testing.slack_workspace import ADA, APP, BOT_ID, BOT_USER, DIRECT, GENERAL, TEAM, SlackWorkspace

__all__ = [
    "ADA",
    "APP",
    "APP_TOKEN",
    "BOT_ID",
    "BOT_TOKEN",
    "BOT_USER",
    "DIRECT",
    "GENERAL",
    "SIGNING",
    "TEAM",
    "SlackServer",
]

BOT_TOKEN, APP_TOKEN = "xoxb-stand-in-0123456789", "xapp-stand-in-0123456789"
SIGNING = "stand0in0signing0secret0000000000"
ACK_SECONDS = 3.0


class SlackServer(SlackWorkspace):
    """One workspace and one app in it: where the app's calls come in, and how the workspace tells it of events.

    Attributes:
        hook: where events are posted; None: they go over sockets.
        scopes: what the app may do.
        refuses_with: the code of a refusal that a test asks for.
        notices: what the writers of commands read, and nobody else.
        refused_sockets: why sockets are closed before their hello; empty: they are not.
        before_hello: awaited before a socket says hello; until then it tells of nothing.
        ack_seconds: how long what was told over a socket waits for its acknowledgement.
    """

    def __init__(self) -> None:
        """A workspace of one user, with a direct message and a channel."""
        super().__init__()
        self.hook: str | None = None
        self.scopes = {"chat:write", "users:read"}
        self.refuses_with = "restricted_action"
        self.notices: list[dict[str, Any]] = []
        self.refused_sockets = ""
        self.before_hello: Callable[[], Awaitable[None]] | None = None
        self.ack_seconds = ACK_SECONDS
        self._sockets = SlackSockets(APP)

    def routes(self) -> list[web.RouteDef]:
        """The Web API at `/api/<method>`, files at `/files/…`, answers to commands at `/commands/…`, sockets."""
        return [
            web.route("*", "/api/{method}", self._called),
            web.get("/files/{file}", self._download),
            web.post("/upload/{file}", self._uploaded),
            web.post("/commands/{trigger}", self._responded),
            web.get("/socket", self._socket),
        ]

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if self.before_hello is not None:
            await self.before_hello()
        if self.refused_sockets:
            return await self._sockets.refuse(request, self.refused_sockets)
        return await self._sockets.serve(request)

    async def _called(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        wanted = APP_TOKEN if method == "apps.connections.open" else BOT_TOKEN
        if request.headers.get("Authorization") != f"Bearer {wanted}":
            return self.answer({"ok": False, "error": "invalid_auth"})
        return await self.handle(request, method)

    def answer(self, result: Any) -> web.Response:  # noqa: ANN401 (a JSON value)
        """As the Web API has it: 200, whatever it says."""
        return web.json_response({"ok": True, **result}, headers={"X-OAuth-Scopes": ",".join(sorted(self.scopes))})

    def refusal(self, words: str, status: int, retry_after: int | None = None) -> web.Response:
        """Likewise, but for too many calls."""
        if status == 429:
            headers = {"Retry-After": str(retry_after or 1)}
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
        return web.json_response({"ok": False, "error": words if " " not in words else self.refuses_with})

    # What people do.

    def message(self, text: str, *, channel: str = DIRECT, user: str = ADA, **fields: Any) -> dict[str, Any]:  # noqa: ANN401
        """A message that stands in a channel; it is not told yet."""
        ts = self._ts()
        message = {"type": "message", "user": user, "text": text, "ts": ts, "client_msg_id": f"m-{ts}", **fields}
        self.messages.setdefault(channel, {})[ts] = message
        root = self.messages[channel].get(str(fields.get("thread_ts")))
        if root is not None:
            root["latest_reply"] = ts
        return message

    def file(self, content: bytes, name: str, mimetype: str) -> dict[str, Any]:
        """A file as it stands in a message."""
        id_ = f"F{len(self.files):06}"
        self.files[id_] = content
        return {
            "id": id_,
            "name": name,
            "mimetype": mimetype,
            "size": len(content),
            "mode": "hosted",
            "url_private": f"{self.url}/files/{id_}",
            "url_private_download": f"{self.url}/files/{id_}",
        }

    def event(self, event: Mapping[str, Any], *, channel: str | None = None) -> dict[str, Any]:
        """The request that tells of an event; of a message, in its channel."""
        self._count += 1
        place = {"channel": channel, "event_ts": event.get("ts")} if channel else {}
        if channel and event.get("type") != "app_mention":
            place["channel_type"] = self._kind(channel)
        return {
            "type": "event_callback",
            "token": "unused",
            "team_id": TEAM,
            "api_app_id": APP,
            "event_id": f"Ev{self._count:08}",
            "event_time": int(time.time()),
            "authorizations": [{"team_id": TEAM, "user_id": BOT_USER, "is_bot": True}],
            "event": {**event, **place},
        }

    def _kind(self, channel: str) -> str:
        known = self.channels.get(channel, {})
        return "im" if known.get("is_im") else "mpim" if known.get("is_mpim") else "channel"

    async def push(self, request: Mapping[str, Any], *, form: bool = False, retry: int = 0) -> bool:
        """Tells the app something, by its hook or a socket; whether it was acknowledged in time."""
        if self.hook is None:
            return await self._sockets.push(request, retry, self.ack_seconds)
        told = json.dumps(request)
        if not form:
            return await self.post(told.encode(), retry=retry) == 200
        body = urlencode({"payload": told} if "type" in request else request)
        return await self.post(body.encode(), "application/x-www-form-urlencoded", retry) == 200

    async def post(self, body: bytes, content_type: str = "application/json", retry: int = 0, **headers: str) -> int:
        """Posts to the hook, signed unless `headers` say otherwise; the status of the answer."""
        stamp = str(int(time.time()))
        signature = hmac.new(SIGNING.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
        given = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={signature}",
            **({"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": "http_timeout"} if retry else {}),
            **headers,
        }
        async with aiohttp.ClientSession() as http, http.post(str(self.hook), data=body, headers=given) as answer:
            return answer.status

    async def connected(self) -> None:
        """Returns when a socket is open."""
        await self._sockets.connected()

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Tells the newest socket that it will be closed soon."""
        await self._sockets.disconnect(reason)

    async def ping(self) -> None:
        """Pings the newest socket, and returns when it has answered."""
        await self._sockets.ping()

    def cut(self) -> None:
        """Cuts every socket without a word."""
        self._sockets.cut()

    @property
    def sockets(self) -> int:
        """How many sockets are open."""
        return len(self._sockets)

    async def _responded(self, request: web.Request) -> web.Response:
        self.notices.append(await request.json())
        return web.Response(text="ok")

    async def _download(self, request: web.Request) -> web.StreamResponse:
        content = self.files.get(request.match_info["file"])
        if request.headers.get("Authorization") != f"Bearer {BOT_TOKEN}" or content is None:
            raise web.HTTPNotFound
        return web.Response(body=content)

    async def _uploaded(self, request: web.Request) -> web.StreamResponse:
        self.files[request.match_info["file"]] = await request.read()
        return web.Response(text="OK - 1")
