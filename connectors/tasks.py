"""Running background tasks side by side, and ending them for sure.

Before Python 3.12 `asyncio.wait_for` swallows a cancellation that comes in the very moment in which it succeeds, and
PyMongo sends every command through it. So a worker is cancelled until it has ended, not once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

ASK_AGAIN_SECONDS = 0.25


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancels tasks, again and again, and returns when all have ended, however they did.

    Not for a task that finishes something on its way out: asked again, it would break that off.
    """
    cancelled: asyncio.CancelledError | None = None
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        try:
            await asyncio.wait(pending, timeout=ASK_AGAIN_SECONDS)
        except asyncio.CancelledError as error:  # they are ended all the same
            cancelled = error
    if cancelled is not None:
        raise cancelled


async def together(*works: Coroutine[Any, Any, None]) -> None:
    """Runs these side by side until cancelled, or until one of them ends; then none goes on.

    Raises:
        Exception: what the first that failed raised.
    """
    tasks = [asyncio.create_task(work) for work in works]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()
    finally:
        await end(*tasks)
