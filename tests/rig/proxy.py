"""A network that can be harmed: a TCP proxy before one server, whose connections can be slowed, cut and refused."""

from __future__ import annotations

import asyncio
from typing import cast


class Proxy:
    """Carries bytes between a port of 127.0.0.1 and another.

    Attributes:
        port: where it listens.
        delay: seconds that each block of bytes waits.
        refusing: whether new connections are closed at once.
    """

    def __init__(self, target: int) -> None:
        self.port = 0
        self.delay = 0.0
        self.refusing = False
        self._target = target
        self._sides: set[_Side] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Side(self), "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    def cut(self) -> int:
        """Breaks every connection off; says how many there were."""
        broken = list(self._sides)
        for side in broken:
            side.abort()
        return len(broken) // 2

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await self._server.wait_closed()

    async def dial(self, near: _Side) -> None:
        """Connects the far side of a new connection."""
        loop = asyncio.get_running_loop()
        try:
            _, far = await loop.create_connection(lambda: _Side(self, near), "127.0.0.1", self._target)
        except OSError:
            near.abort()
        else:
            near.join(far)

    def enter(self, side: _Side) -> None:
        self._sides.add(side)

    def leave(self, side: _Side) -> None:
        self._sides.discard(side)


class _Side(asyncio.Protocol):
    """One end of a carried connection; `other` is the other one."""

    def __init__(self, proxy: Proxy, other: _Side | None = None) -> None:
        self._proxy = proxy
        self._other = other
        self._accepted = other is None
        self._transport: asyncio.Transport | None = None
        self._early: list[bytes] = []
        self._dialling: asyncio.Task[None] | None = None
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._proxy.enter(self)
        if not self._accepted:
            return
        if self._proxy.refusing:
            self.abort()
        else:
            self._dialling = asyncio.get_running_loop().create_task(self._proxy.dial(self))

    def join(self, far: _Side) -> None:
        self._other = far
        if self._transport is None or self._transport.is_closing():
            far.abort()
            return
        for block in self._early:
            far.write(block)
        self._early.clear()

    def data_received(self, data: bytes) -> None:
        if self._other is None:
            self._early.append(data)
        else:
            self._other.write(data)

    def write(self, data: bytes) -> None:
        """Sends in order, after the proxy's delay."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._due = max(self._due, now + self._proxy.delay)
        if self._due <= now:
            self._send(data)
        else:
            loop.call_at(self._due, self._send, data)

    def _send(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._proxy.leave(self)
        if self._other is not None:
            self._other.abort()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()
