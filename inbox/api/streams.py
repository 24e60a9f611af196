"""The open WebSockets and the long polls of the API, so that they can be told when Santral goes."""

from __future__ import annotations

import asyncio
import weakref

from aiohttp import WSCloseCode, web


class Streams:
    """The sockets that are open; one that is gone is forgotten."""

    def __init__(self) -> None:
        self.closing = asyncio.Event()
        self._open: weakref.WeakSet[web.WebSocketResponse] = weakref.WeakSet()

    def add(self, socket: web.WebSocketResponse) -> None:
        """Remembers a socket for as long as it lives."""
        self._open.add(socket)

    async def close(self) -> None:
        """Tells every reader to come back later."""
        self.closing.set()
        farewells = (socket.close(code=WSCloseCode.GOING_AWAY, message=b"Santral stops") for socket in set(self._open))
        await asyncio.gather(*farewells, return_exceptions=True)


STREAMS = web.AppKey("streams", Streams)


async def close_streams(app: web.Application) -> None:
    """For `Application.on_shutdown`."""
    await app[STREAMS].close()
