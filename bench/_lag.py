"""How late an event loop answers: `python -m bench._lag PORT` asks for `/healthz` every 10 ms until its input ends.

Then it prints the milliseconds of all round trips, as JSON. It is a process of its own, and does nothing else.
"""

from __future__ import annotations

import select
import socket
import sys
import time

import msgspec

EVERY_SECONDS = 0.01
ASKED = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def _round_trip(connection: socket.socket) -> float:
    began = time.perf_counter()
    connection.sendall(ASKED)
    answer = b""
    while b"\r\n\r\n" not in answer:
        received = connection.recv(4096)
        if not received:
            raise ConnectionError("the server hung up")
        answer += received
    return (time.perf_counter() - began) * 1000


def measure(port: int) -> list[float]:
    """Milliseconds of each round trip."""
    found = []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        print("ready", flush=True)
        while not select.select([sys.stdin], [], [], EVERY_SECONDS)[0]:
            found.append(_round_trip(connection))
    return found


if __name__ == "__main__":
    print(msgspec.json.encode(measure(int(sys.argv[1]))).decode())
