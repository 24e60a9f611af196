"""A Slack of one's own: Web API, Events API and Socket Mode (https://docs.slack.dev/reference/methods).

It holds what Slack holds (channels and their messages, users, files), signs what it posts, sends again what nobody
acknowledged, and refuses what Slack refuses.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import WSMsgType, web

from connectors.testing.server import Call, PlatformServer, RefusedCallError, as_json

TEAM, APP, BOT_USER, BOT_ID = "T0HOME", "A0SANTRAL", "U0BOT", "B0BOT"
ADA, DIRECT, GENERAL = "U0ADA", "D0ADA", "C0GENERAL"
BOT_TOKEN, APP_TOKEN = "xoxb-stand-in-0123456789", "xapp-stand-in-0123456789"
SIGNING = "stand0in0signing0secret0000000000"

_TEXT_LIMIT, _BLOCKS, _ACK_SECONDS = 40_000, 50, 3.0


class SlackServer(PlatformServer):
    """One workspace and one app in it.

    Attributes:
        channels: what `conversations.info` tells of each.
        messages: each channel's messages, by their time.
        users: what `users.info` tells of each.
        files: the bytes of each file.
        hook: where events are posted; None: they go over sockets.
        scopes: what the app may do.
    """

    def __init__(self) -> None:
        """A workspace of one user, with a direct message and a channel."""
        super().__init__()
        self.channels: dict[str, dict[str, Any]] = {
            DIRECT: {"id": DIRECT, "is_im": True, "user": ADA},
            GENERAL: {"id": GENERAL, "name": "general", "is_channel": True},
        }
        self.messages: dict[str, dict[str, dict[str, Any]]] = {DIRECT: {}, GENERAL: {}}
        self.users: dict[str, dict[str, Any]] = {
            ADA: self.user(ADA, "Ada Byron", email="ada@example.com"),
            BOT_USER: self.user(BOT_USER, "Santral", is_bot=True),
        }
        self.files: dict[str, bytes] = {}
        self.hook: str | None = None
        self.scopes = {"chat:write", "users:read"}
        self._uploads: dict[str, str] = {}
        self._count = 0
        self._sockets: dict[web.WebSocketResponse, asyncio.Transport] = {}  # the newest last
        self._acknowledged: dict[str, asyncio.Future[bool]] = {}
        self._connected = asyncio.Event()

    @staticmethod
    def user(id_: str, name: str, *, email: str = "", team: str = TEAM, is_bot: bool = False) -> dict[str, Any]:
        """A user as Slack tells of one."""
        profile = {"real_name": name, "display_name": name.partition(" ")[0].lower(), "email": email}
        return {
            "id": id_,
            "team_id": team,
            "name": id_.lower(),
            "real_name": name,
            "is_bot": is_bot,
            "profile": profile,
        }

    def routes(self) -> list[web.RouteDef]:
        """The Web API at `/api/<method>`, files at `/files/…`, sockets at `/socket`."""
        return [
            web.route("*", "/api/{method}", self._called),
            web.get("/files/{file}", self._download),
            web.post("/upload/{file}", self._uploaded),
            web.get("/socket", self._socket),
        ]

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
        return web.json_response({"ok": False, "error": words if " " not in words else "restricted_action"})

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
        place = (
            {"channel": channel, "channel_type": self._kind(channel), "event_ts": event.get("ts")} if channel else {}
        )
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

    def _kind(self, channel: str | None) -> str:
        return "im" if self.channels.get(channel or "", {}).get("is_im") else "channel"

    async def push(self, request: Mapping[str, Any], *, form: bool = False, retry: int = 0) -> bool:
        """Tells the app something, by its hook or a socket; whether it was acknowledged within 3 seconds."""
        if self.hook is None:
            return await self._push_by_socket(request, retry)
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

    async def _push_by_socket(self, request: Mapping[str, Any], retry: int) -> bool:
        """Over the newest socket; where that is closed before it has acknowledged, over the next one."""
        kind = "slash_commands" if "command" in request else "interactive"
        kind = "events_api" if request.get("type") == "event_callback" else kind
        while True:
            await self._connected.wait()
            self._count += 1
            id_, socket = f"envelope-{self._count}", self._newest()
            acknowledged = self._acknowledged[id_] = asyncio.get_running_loop().create_future()
            frame = {"envelope_id": id_, "type": kind, "payload": request, "accepts_response_payload": False}
            await socket.send_json({**frame, "retry_attempt": retry, "retry_reason": "timeout" if retry else ""})
            done, _ = await asyncio.wait((acknowledged,), timeout=_ACK_SECONDS)
            if not done:
                return False
            if acknowledged.result():
                return True
            retry += 1

    async def connected(self) -> None:
        """Returns when a socket is open."""
        await self._connected.wait()

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Tells the newest socket that it will be closed soon."""
        await self._newest().send_json({"type": "disconnect", "reason": reason})

    def cut(self) -> None:
        """Cuts every socket without a word."""
        for transport in self._sockets.values():
            transport.abort()
        self._sockets.clear()
        self._connected.clear()

    @property
    def sockets(self) -> int:
        """How many sockets are open."""
        return len(self._sockets)

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1, "connection_info": {"app_id": APP}})
        if request.transport is not None:
            self._sockets[socket] = request.transport
        self._connected.set()
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._settle(message.json().get("envelope_id", ""), acknowledged=True)
        finally:
            self._closed(socket)
        return socket

    def _closed(self, socket: web.WebSocketResponse) -> None:
        """What it has not acknowledged goes to the next one."""
        self._sockets.pop(socket, None)
        if not self._sockets:
            self._connected.clear()
        for id_ in list(self._acknowledged):
            self._settle(id_, acknowledged=False)

    def _newest(self) -> web.WebSocketResponse:
        return list(self._sockets)[-1]

    def _settle(self, id_: str, *, acknowledged: bool) -> None:
        waiting = self._acknowledged.pop(id_, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(acknowledged)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        content = self.files.get(request.match_info["file"])
        if request.headers.get("Authorization") != f"Bearer {BOT_TOKEN}" or content is None:
            raise web.HTTPNotFound
        return web.Response(body=content)

    async def _uploaded(self, request: web.Request) -> web.StreamResponse:
        self.files[request.match_info["file"]] = await request.read()
        return web.Response(text="OK - 1")

    # What the app asks.

    async def perform(self, call: Call) -> Any:  # noqa: ANN401 (a JSON value)
        """Every method that an inbox needs; others do not exist."""
        method = getattr(self, f"_{call.method.replace('.', '_').lower()}", None)
        if method is None:
            raise RefusedCallError("unknown_method")
        return await method(call.arguments)

    async def _auth_test(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "team": "Home",
            "team_id": TEAM,
            "user": "santral",
            "user_id": BOT_USER,
            "bot_id": BOT_ID,
            "url": self.url,
        }

    async def _apps_connections_open(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {"url": f"{self.url.replace('http', 'ws', 1)}/socket"}

    async def _users_info(self, given: Mapping[str, Any]) -> dict[str, Any]:
        user = self.users.get(str(given.get("user")))
        if user is None:
            raise RefusedCallError("user_not_found")
        return {"user": user}

    async def _conversations_info(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return {"channel": self.channels[self._channel(given)]}

    async def _users_conversations(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {"channels": list(self.channels.values())}

    async def _conversations_open(self, given: Mapping[str, Any]) -> dict[str, Any]:
        user = str(given.get("users"))
        for channel in self.channels.values():
            if channel.get("is_im") and channel.get("user") == user:
                return {"channel": {"id": channel["id"]}}
        raise RefusedCallError("user_not_found")

    async def _conversations_history(self, given: Mapping[str, Any]) -> dict[str, Any]:
        oldest = float(given.get("oldest") or 0)
        roots = [
            one for one in self.messages[self._channel(given)].values() if one.get("thread_ts") in (None, one["ts"])
        ]
        return self._page([one for one in reversed(roots) if float(one["ts"]) >= oldest], given)

    async def _conversations_replies(self, given: Mapping[str, Any]) -> dict[str, Any]:
        oldest, root = float(given.get("oldest") or 0), str(given.get("ts"))
        all_ = self.messages[self._channel(given)].values()
        answers = [one for one in all_ if one.get("thread_ts") == root and float(one["ts"]) >= oldest]
        return self._page([*(one for one in all_ if one["ts"] == root), *answers], given)

    def _page(self, found: list[dict[str, Any]], given: Mapping[str, Any]) -> dict[str, Any]:
        at, limit = int(given.get("cursor") or 0), int(given.get("limit") or 100)
        more = str(at + limit) if len(found) > at + limit else ""
        return {"messages": found[at : at + limit], "response_metadata": {"next_cursor": more}}

    async def _chat_postmessage(self, given: Mapping[str, Any]) -> dict[str, Any]:
        channel, text = self._channel(given), str(given.get("text") or "")
        blocks = as_json(given.get("blocks") or [])
        if len(text) > _TEXT_LIMIT:
            raise RefusedCallError("msg_too_long")
        if len(blocks) > _BLOCKS or not (text or blocks):
            raise RefusedCallError("invalid_blocks" if blocks else "no_text")
        ts = self._ts()
        more = {name: given[name] for name in ("thread_ts", "username") if given.get(name)}
        own = {"bot_id": BOT_ID, "app_id": APP, "user": BOT_USER}
        message = {"type": "message", "text": text, "ts": ts, **own, **more, **({"blocks": blocks} if blocks else {})}
        self.messages.setdefault(channel, {})[ts] = message
        return {"channel": channel, "ts": ts, "message": message}

    async def _chat_postephemeral(self, given: Mapping[str, Any]) -> dict[str, Any]:
        self._channel(given)
        return {"message_ts": self._ts()}

    async def _chat_update(self, given: Mapping[str, Any]) -> dict[str, Any]:
        message = self._own(given)
        message.update(text=given.get("text") or "", blocks=as_json(given.get("blocks") or []))
        return {"channel": given.get("channel"), "ts": message["ts"]}

    async def _chat_delete(self, given: Mapping[str, Any]) -> dict[str, Any]:
        del self.messages[self._channel(given)][self._own(given)["ts"]]
        return {}

    async def _files_delete(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if self.files.pop(str(given.get("file")), None) is None:
            raise RefusedCallError("file_not_found")
        for messages in self.messages.values():
            for ts, one in list(messages.items()):
                if [file["id"] for file in one.get("files", ())] == [given["file"]]:
                    del messages[ts]
        return {}

    async def _reactions_add(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if given.get("name") in self._reactions(given):
            raise RefusedCallError("already_reacted")
        self._reactions(given).append(str(given.get("name")))
        return {}

    async def _reactions_remove(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if given.get("name") not in self._reactions(given):
            raise RefusedCallError("no_reaction")
        self._reactions(given).remove(str(given.get("name")))
        return {}

    def _reactions(self, given: Mapping[str, Any]) -> list[str]:
        message = self.messages[self._channel(given)].get(str(given.get("timestamp")))
        if message is None:
            raise RefusedCallError("message_not_found")
        found: list[str] = message.setdefault("our_reactions", [])
        return found

    def _own(self, given: Mapping[str, Any]) -> dict[str, Any]:
        message = self.messages[self._channel(given)].get(str(given.get("ts")))
        if message is None or message.get("app_id") != APP:
            raise RefusedCallError("message_not_found" if message is None else "cant_update_message")
        return message

    async def _files_info(self, given: Mapping[str, Any]) -> dict[str, Any]:
        id_ = str(given.get("file"))
        if id_ not in self.files:
            raise RefusedCallError("file_not_found")
        return {"file": {"id": id_, "url_private_download": f"{self.url}/files/{id_}"}}

    async def _files_getuploadurlexternal(self, given: Mapping[str, Any]) -> dict[str, Any]:
        self._count += 1
        id_ = f"FUP{self._count:05}"
        self._uploads[id_] = str(given.get("filename"))
        return {"upload_url": f"{self.url}/upload/{id_}", "file_id": id_}

    async def _files_completeuploadexternal(self, given: Mapping[str, Any]) -> dict[str, Any]:
        channel, files = str(given.get("channel_id")), as_json(given.get("files"))
        if channel not in self.channels:
            raise RefusedCallError("channel_not_found")
        if any(one["id"] not in self.files for one in files):
            raise RefusedCallError("file_not_found")
        ts = self._ts()
        shared = [{"id": one["id"], "name": self._uploads[one["id"]]} for one in files]
        more = {"thread_ts": given["thread_ts"]} if given.get("thread_ts") else {}
        own = {"bot_id": BOT_ID, "app_id": APP, "user": BOT_USER}
        self.messages[channel][ts] = {"type": "message", "text": "", "ts": ts, **own, "files": shared, **more}
        return {"files": [{"id": one["id"], "title": one.get("title")} for one in files]}

    def _channel(self, given: Mapping[str, Any]) -> str:
        channel = str(given.get("channel"))
        if channel not in self.channels:
            raise RefusedCallError("channel_not_found")
        return channel

    def _ts(self) -> str:
        self._count += 1
        return f"{int(time.time())}.{self._count:06}"

    def written(self, channel: str = DIRECT) -> list[dict[str, Any]]:
        """What the app wrote in a channel, oldest first."""
        return [one for one in self.messages.get(channel, {}).values() if one.get("app_id") == APP]
