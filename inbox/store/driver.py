"""What the driver gets wrong for us, and is mended before the first client is made. A test holds each to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import TypeVar

from gridfs.asynchronous import grid_file
from pymongo import _csot, lock
from pymongo.asynchronous import pool
from pymongo.common import MAX_MESSAGE_SIZE
from pymongo.errors import ProtocolError, _OperationCancelled
from pymongo.message import _UNPACK_REPLY, _OpMsg
from pymongo.network_layer import PyMongoProtocol

Result = TypeVar("Result")

UPLOAD_BUFFER = 1024 * 1024  # bytes of a file that the driver writes at once
LOOK_SECONDS = 0.5  # between two looks at whether an answer is still wanted, as the driver has it


def mend() -> None:
    """Mends the driver in this process; doing it twice changes nothing.

    - By itself it encodes up to 48 MB of a file in one go, and nobody else has a turn meanwhile (93 ms for 25 MB).
    - Its conditions wait by `asyncio.wait_for`, which runs the wait in a task of its own before Python 3.12. Whoever
      is cancelled while that task asks for the lock again lets go of a lock that somebody else holds (who then raises
      `RuntimeError`), or leaves it held for ever, or hears nothing of the cancellation.
    - It makes three tasks for a command: to write, which never waits; to read; and to look whether the answer is still
      wanted. A quarter of the CPU that a command takes here (measured), and a small transaction has twenty of them.
    """
    vars(grid_file)["_UPLOAD_BUFFER_SIZE"] = UPLOAD_BUFFER
    vars(lock)["wait_for"] = _wait_for
    vars(pool)["async_sendall"] = _send
    vars(pool)["async_receive_message"] = _receive


async def _wait_for(awaited: Awaitable[Result], timeout: float | None) -> Result:  # noqa: ASYNC109 (the driver passes it)
    """As Python 3.12 has it: in the caller's own task."""
    async with asyncio.timeout(timeout):
        return await awaited


async def _send(protocol: PyMongoProtocol, message: bytes) -> None:
    await protocol.write(message)


async def _receive(
    connection: pool.AsyncConnection, request_id: int | None, max_message_size: int = MAX_MESSAGE_SIZE
) -> _OpMsg:
    """The answer, read in the caller's own task. Whoever gives up closes the connection, as the driver does anyway."""
    loop = asyncio.get_running_loop()
    protocol = connection.conn.get_conn
    seconds = protocol.gettimeout
    deadline = _csot.get_deadline() if _csot.get_timeout() else time.monotonic() + seconds if seconds else float("inf")

    watch: asyncio.TimerHandle

    def look() -> None:
        nonlocal watch
        left = deadline - time.monotonic()
        if connection.cancel_context.cancelled:
            protocol.close(_OperationCancelled("operation cancelled"))
        elif left <= 0:
            protocol.close(TimeoutError("timed out"))
        else:
            watch = loop.call_later(min(LOOK_SECONDS, left), look)

    watch = loop.call_later(min(LOOK_SECONDS, max(deadline - time.monotonic(), 0)), look)
    try:
        data, op_code = await protocol.read(request_id, max_message_size)
    finally:
        watch.cancel()
    if op_code not in _UNPACK_REPLY:
        raise ProtocolError(f"Got opcode {op_code!r} but expected {_UNPACK_REPLY.keys()!r}")
    return _UNPACK_REPLY[op_code](data)
