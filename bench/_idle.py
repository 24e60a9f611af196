"""WebSockets on which nothing happens: `python -m bench._idle HOST PORT PATH TOKEN COUNT` holds them."""

from __future__ import annotations

import asyncio
import sys

SETTLED_SECONDS = 1.0


async def hold(host: str, port: int, path: str, token: str, count: int) -> None:
    """Opens them, says `ready`, and waits."""
    hello = (
        f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {token}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode()
    held = []
    for _ in range(count):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(hello)
        await reader.readuntil(b"\r\n\r\n")
        held.append(writer)
    await asyncio.sleep(SETTLED_SECONDS)
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    _, host, port, path, token, count = sys.argv
    asyncio.run(hold(host, int(port), path, token, int(count)))
