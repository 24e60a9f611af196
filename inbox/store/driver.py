"""What the driver gets wrong for us, and is mended before the first client is made. A test holds each to it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from gridfs.asynchronous import grid_file
from pymongo import lock

Result = TypeVar("Result")

UPLOAD_BUFFER = 1024 * 1024  # bytes of a file that the driver writes at once


def mend() -> None:
    """Mends the driver in this process; doing it twice changes nothing.

    - By itself it encodes up to 48 MB of a file in one go, and nobody else has a turn meanwhile (93 ms for 25 MB).
    - Its conditions wait by `asyncio.wait_for`, which runs the wait in a task of its own before Python 3.12. Whoever
      is cancelled while that task asks for the lock again lets go of a lock that somebody else holds (who then raises
      `RuntimeError`), or leaves it held for ever, or hears nothing of the cancellation.
    """
    vars(grid_file)["_UPLOAD_BUFFER_SIZE"] = UPLOAD_BUFFER
    vars(lock)["wait_for"] = _wait_for


async def _wait_for(awaited: Awaitable[Result], timeout: float | None) -> Result:  # noqa: ASYNC109 (the driver passes it)
    """As Python 3.12 has it: in the caller's own task."""
    async with asyncio.timeout(timeout):
        return await awaited
