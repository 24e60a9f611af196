"""Many agents, each with a stream of everything, while customers write.

`python -m bench._fanout URL TOKEN AGENTS MESSAGES_A_SECOND SECONDS` prints, as JSON, the milliseconds from each event's
time to its being read by an agent (a sample of them), how many events came in a second, and how many frames.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from datetime import datetime

import aiohttp
import msgspec
import uvloop

VISITORS = 20
SAMPLED = 7  # every so many frames are looked at: the client must not be what is measured
AT = re.compile(rb'"type":"(?:message|conversation|customer)\.[a-z_]+","at":"([0-9T:.Z-]+)"')


class Fanned(msgspec.Struct, frozen=True):
    """What the agents saw."""

    lags: list[float]
    events: float
    frames: int


class _Agent(asyncio.Protocol):
    """A stream's reader at its barest: it looks for the times of events in what comes, and parses nothing."""

    def __init__(self, host: str, token: str, lags: list[float]) -> None:
        self._hello = (
            f"GET /api/v1/stream HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        self._lags = lags
        self._rest = b""
        self.hello = False
        self.events = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(self._hello.encode())  # type: ignore[attr-defined]  # uvloop's is one of its own

    def data_received(self, data: bytes) -> None:
        now = time.time()
        self.hello = self.hello or b'"type":"hello"' in data
        times = AT.findall(self._rest + data)
        self._rest = data[-40:] if not times else b""
        self.events += len(times)
        if times and self.events % SAMPLED == 0:
            self._lags.append((now - datetime.fromisoformat(times[0].decode()).timestamp()) * 1000)


async def _visitor(session: aiohttp.ClientSession, url: str, pause: float, until: float, number: int) -> None:
    async with session.ws_connect(f"{url}/chat/site/ws") as chat:
        await chat.send_str(json.dumps({"type": "hello", "token": None, "cursor": None}))
        reading = asyncio.create_task(_drain(chat))
        await asyncio.sleep(pause * number / VISITORS)  # people do not write all in one moment
        said = 0
        while time.time() < until:
            said += 1
            frame = {"type": "message", "client_id": f"f{number}-{said}", "text": "Where is my lamp?"}
            await chat.send_str(json.dumps(frame))
            await asyncio.sleep(pause)
        reading.cancel()


async def _drain(chat: aiohttp.ClientWebSocketResponse) -> None:
    async for _ in chat:
        pass


async def measure(url: str, token: str, agents: int, rate: float, seconds: float) -> Fanned:
    """Runs the load."""
    lags: list[float] = []
    host, _, port = url.removeprefix("http://").partition(":")
    loop = asyncio.get_running_loop()
    readers = [
        (await loop.create_connection(lambda: _Agent(host, token, lags), host, int(port)))[1] for _ in range(agents)
    ]
    while not all(reader.hello for reader in readers):
        await asyncio.sleep(0.05)
    async with aiohttp.ClientSession() as other:
        began = time.time()
        until = began + seconds
        await asyncio.gather(*[_visitor(other, url, VISITORS / rate, until, number) for number in range(VISITORS)])
        await asyncio.sleep(1)
    events = max(reader.events for reader in readers) / (time.time() - began - 1)
    return Fanned(lags, events, sum(reader.events for reader in readers))


if __name__ == "__main__":
    url, token, agents, rate, seconds = sys.argv[1:]
    found = uvloop.run(measure(url, token, int(agents), float(rate), float(seconds)))
    sys.stdout.buffer.write(msgspec.json.encode(found))
