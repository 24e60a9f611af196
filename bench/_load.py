"""The load: many connections, each with one message on its way, from a process of its own.

`python -m bench._load KIND PORT[,PORT…] NAME CONNECTIONS SECONDS` prints one line of JSON, a `Load`.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence

import msgspec
import uvloop

from bench import _hook_wire, _wire
from bench._wire import Connection

KINDS = {**_wire.KINDS, **_hook_wire.KINDS}
OPEN_SECONDS = 15.0
ANSWER_SECONDS = 60.0


class Load(msgspec.Struct, frozen=True):
    """What a load did; times are seconds on the monotonic clock, which all processes share.

    Attributes:
        name: what the messages' names begin with.
        acked: how many messages each connection had acknowledged.
        began: when the first message left.
        ended: when the last acknowledgement came.
        cpu: seconds of CPU that the client took.
    """

    name: str
    acked: list[int]
    began: float
    ended: float
    cpu: float

    @property
    def count(self) -> int:
        """How many messages were acknowledged."""
        return sum(self.acked)

    @property
    def rate(self) -> float:
        """Messages acknowledged a second."""
        return self.count / (self.ended - self.began)

    @property
    def busy(self) -> float:
        """The share of one core that the client took: near 1 it would be the client that is measured."""
        return self.cpu / (self.ended - self.began)

    def names(self) -> list[str]:
        """The names of all acknowledged messages."""
        return [f"{self.name}-{index}-{n}" for index, count in enumerate(self.acked) for n in range(count)]


async def drive(kind: type[Connection], ports: Sequence[int], name: str, count: int, seconds: float) -> Load:
    """Opens the connections, shared by `ports`, sends for `seconds`, and waits for all acknowledgements."""
    loop = asyncio.get_running_loop()
    connections: list[Connection] = []
    for index in range(count):
        port = ports[index % len(ports)]
        _, connection = await loop.create_connection(lambda n=index: kind(f"{name}-{n}"), "127.0.0.1", port)  # type: ignore[misc]
        connections.append(connection)
    async with asyncio.timeout(OPEN_SECONDS):
        await asyncio.gather(*(connection.opened for connection in connections))
    cpu, began = time.process_time(), time.monotonic()
    for connection in connections:
        connection.begin(began + seconds)
    async with asyncio.timeout(seconds + ANSWER_SECONDS):
        await asyncio.gather(*(connection.finished for connection in connections))
    load = Load(
        name=name,
        acked=[connection.acked for connection in connections],
        began=began,
        ended=max(connection.last for connection in connections),
        cpu=time.process_time() - cpu,
    )
    for connection in connections:
        connection.close()
    return load


def main(arguments: Sequence[str]) -> None:
    """Runs one load."""
    kind, ports, name, count, seconds = arguments
    load = uvloop.run(drive(KINDS[kind], [int(port) for port in ports.split(",")], name, int(count), float(seconds)))
    print(msgspec.json.encode(load).decode())


if __name__ == "__main__":
    main(sys.argv[1:])
