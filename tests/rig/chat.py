"""Visitors of the web chat: `ack` is the acknowledgement, and the frames they are shown are the replies' arrival."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from rig.clients import Customer
from rig.ledger import Said, Visitor
from rig.world import BROKEN, World

Socket = aiohttp.ClientWebSocketResponse

ACK_SECONDS = 12.0
TRY_AGAIN = ("unavailable", "rate_limited")


@contextlib.asynccontextmanager
async def connected(world: World, at: int, visitor: Visitor, name: str) -> AsyncIterator[Socket]:
    """A visitor's socket at one Santral, gone on with where it was left."""
    async with world.http.ws_connect(f"{world.santrals[at].url}/chat/site/ws") as socket:
        await socket.send_json({"type": "hello", "token": visitor.token, "cursor": visitor.cursor})
        welcome = await socket.receive_json(timeout=ACK_SECONDS)
        if welcome["type"] != "welcome":
            raise aiohttp.ClientError(f"no welcome: {welcome}")
        if welcome["reload"] and visitor.cursor is not None:
            world.chronicle.fault(f"the cursor of {name} was not known any more", world.chronicle.now())
        visitor.token = welcome["token"]
        for message in welcome["messages"]:
            show(world, visitor, message)
        visitor.cursor = welcome["cursor"]
        yield socket


def show(world: World, visitor: Visitor, message: dict[str, Any]) -> None:
    if message["direction"] == "outbound":
        visitor.shown.setdefault(message["id"], world.chronicle.now())


class Chatter(Customer):
    """One browser after another."""

    kind = "chat"

    def rename(self) -> None:
        super().rename()
        self._visitor = self.world.ledger.visitors.setdefault(self.name, Visitor())
        self._socket: Socket | None = None

    async def run(self) -> None:
        self._stack = contextlib.AsyncExitStack()
        async with contextlib.AsyncExitStack() as stack:
            self._stack = stack
            await super().run()

    def make(self, text: str) -> tuple[Said, bytes]:
        return Said(text=text), b""

    async def give(self, said: Said, body: bytes) -> bool:
        try:
            if self._socket is None:
                await self._stack.aclose()
                opening = connected(self.world, self.at, self._visitor, self.name)
                self._socket = await self._stack.enter_async_context(opening)
            await self._socket.send_json({"type": "message", "client_id": said.text, "text": said.text})
            async with asyncio.timeout(ACK_SECONDS):
                return await self._answered(self._socket, said.text)
        except (*BROKEN, TypeError):  # aiohttp's word for a close frame where text was expected
            self._socket = None
            raise TimeoutError from None

    async def _answered(self, socket: Socket, client_id: str) -> bool:
        while True:
            frame = await self._frame(socket, ACK_SECONDS)
            if frame.get("client_id") != client_id or frame["type"] not in ("ack", "error"):
                continue
            if frame["type"] == "error":
                self.refused(frame["code"])
                if frame["code"] not in TRY_AGAIN:
                    self.world.chronicle.fault(f"{client_id} was refused: {frame}", self.world.chronicle.now())
            return bool(frame["type"] == "ack")

    async def _frame(self, socket: Socket, seconds: float) -> dict[str, Any]:
        frame: dict[str, Any] = await socket.receive_json(timeout=seconds)
        if frame["type"] == "message":
            show(self.world, self._visitor, frame["message"])
            self._visitor.cursor = frame["cursor"]
        return frame

    async def rest(self, seconds: float) -> None:
        """Reads meanwhile."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while self._socket is not None and not self.world.over.is_set() and (left := until - loop.time()) > 0:
            try:
                await self._frame(self._socket, left)
            except TimeoutError:
                return
            except (*BROKEN, TypeError):
                self._socket = None
        await super().rest(max(until - loop.time(), 0))


async def read_the_rest(world: World) -> None:
    """Every visitor comes back once more, for the replies that came when nobody looked."""
    for name, visitor in world.ledger.visitors.items():
        if visitor.token is not None:
            async with connected(world, 0, visitor, name):
                pass
