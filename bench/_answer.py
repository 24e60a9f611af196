"""Bare aiohttp: `python -m bench._answer PORT` gives `/N` as N bytes of JSON, and `/ws` as a silent socket."""

from __future__ import annotations

import asyncio
import sys

import uvloop
from aiohttp import web


async def _answer(request: web.Request) -> web.Response:
    body = b'"' + b"x" * (int(request.match_info["size"]) - 2) + b'"'
    return web.Response(body=body, content_type="application/json")


async def _socket(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    async for _ in socket:
        pass
    return socket


async def serve(port: int) -> None:
    """Serves until it is ended."""
    app = web.Application()
    app.router.add_get("/ws", _socket)
    app.router.add_get("/{size}", _answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
