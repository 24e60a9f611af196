"""Slack's Socket Mode: what it tells goes over WebSockets, and each request wants an acknowledgement there."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from aiohttp import WSMsgType, web


class SlackSockets:
    """The sockets of one app. Their number is its `len`."""

    def __init__(self, app: str) -> None:
        """`app`: the app's id."""
        self._app = app
        self._count = 0
        self._sockets: dict[web.WebSocketResponse, asyncio.Transport] = {}  # the newest last
        self._acknowledged: dict[str, asyncio.Future[bool]] = {}
        self._connected = asyncio.Event()
        self._pong = asyncio.Event()

    async def push(self, request: Mapping[str, Any], retry: int, seconds: float) -> bool:
        """Tells the app something over the newest socket; whether it was acknowledged within so many seconds.

        Where that one is closed before it has acknowledged, over the next one.
        """
        kind = "slash_commands" if "command" in request else "interactive"
        kind = "events_api" if request.get("type") == "event_callback" else kind
        while True:
            await self.connected()
            self._count += 1
            id_, socket = f"envelope-{self._count}", self._newest()
            acknowledged = self._acknowledged[id_] = asyncio.get_running_loop().create_future()
            frame = {"envelope_id": id_, "type": kind, "payload": request, "accepts_response_payload": False}
            await socket.send_json({**frame, "retry_attempt": retry, "retry_reason": "timeout" if retry else ""})
            done, _ = await asyncio.wait((acknowledged,), timeout=seconds)
            if not done:
                return False
            if acknowledged.result():
                return True
            retry += 1

    async def connected(self) -> None:
        """Returns when a socket is open."""
        await self._connected.wait()

    async def disconnect(self, reason: str) -> None:
        """Tells the newest socket that it will be closed soon."""
        await self._newest().send_json({"type": "disconnect", "reason": reason})

    async def ping(self) -> None:
        """Pings the newest socket, and returns when it has answered."""
        self._pong.clear()
        await self._newest().ping()
        await self._pong.wait()

    def cut(self) -> None:
        """Cuts every socket without a word."""
        for transport in self._sockets.values():
            transport.abort()
        self._sockets.clear()
        self._connected.clear()

    def __len__(self) -> int:
        return len(self._sockets)

    async def refuse(self, request: web.Request, reason: str) -> web.StreamResponse:
        """A socket that says no more than why it ends."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "disconnect", "reason": reason})
        await socket.receive()
        return socket

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """A socket, until it is closed."""
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1, "connection_info": {"app_id": self._app}})
        if request.transport is not None:
            self._sockets[socket] = request.transport
        self._connected.set()
        try:
            async for message in socket:
                if message.type is WSMsgType.PING:
                    await socket.pong(message.data)
                elif message.type is WSMsgType.PONG:
                    self._pong.set()
                elif message.type is WSMsgType.TEXT:
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
