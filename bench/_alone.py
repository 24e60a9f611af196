"""One message alone: from the customer's socket to the agent's stream, both held by one process and timed by its clock.

`python -m bench._alone HTTP_PORT SMTP_PORT TOKEN COUNT` prints the milliseconds of each, as JSON: `chat` and `mail`.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Callable
from statistics import quantiles

import aiohttp
import msgspec
import uvloop

from bench._wire import Connection, SantralChat, SmtpMail

PAUSE_SECONDS = 0.02
PATIENCE_SECONDS = 5.0


class Alone(msgspec.Struct, frozen=True):
    """Milliseconds of each message."""

    chat: list[float]
    mail: list[float]


def p50_p95(milliseconds: list[float]) -> tuple[float, float]:
    """The median and the 95th percentile."""
    cuts = quantiles(milliseconds, n=20)
    return cuts[9], cuts[18]


async def _created(stream: aiohttp.ClientWebSocketResponse, name: str) -> None:
    """Returns once the stream has told of the message with that external id."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for frame in stream:
            event = json.loads(frame.data)
            if event["type"] == "message.created" and event["data"]["message"]["external"]["id"].startswith(name):
                return
    raise ConnectionError("the stream ended")


async def _times(stream: aiohttp.ClientWebSocketResponse, connection: Connection, count: int) -> list[float]:
    times = []
    for number in range(count):
        connection.finished = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        connection.begin(0.0)
        await _created(stream, f"{connection.name}-{number}")
        times.append((time.perf_counter() - began) * 1000)
        await connection.finished
        await asyncio.sleep(PAUSE_SECONDS * (1 + random.random()))
    return times


async def measure(http_port: int, smtp_port: int, token: str, count: int) -> Alone:
    """One message after the other, on open connections; a mail begins with its MAIL command."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.ws_connect(f"http://127.0.0.1:{http_port}/api/v1/stream") as stream,
    ):
        await stream.receive_json()
        return Alone(
            chat=await _on(lambda: SantralChat("alone-chat"), http_port, stream, count),
            mail=await _on(lambda: SmtpMail("alone-mail"), smtp_port, stream, count),
        )


async def _on(
    factory: Callable[[], Connection], port: int, stream: aiohttp.ClientWebSocketResponse, count: int
) -> list[float]:
    _, connection = await asyncio.get_running_loop().create_connection(factory, "127.0.0.1", port)
    await connection.opened
    try:
        return await _times(stream, connection, count)
    finally:
        connection.close()


if __name__ == "__main__":
    http, smtp, bearer, number = sys.argv[1:]
    print(msgspec.json.encode(uvloop.run(measure(int(http), int(smtp), bearer, int(number)))).decode())
