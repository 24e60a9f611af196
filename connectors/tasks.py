"""Running background tasks side by side, and ending them for sure.

Before Python 3.12 `asyncio.wait_for` swallows a cancellation that comes in the very moment in which it succeeds, and
PyMongo sends every command through it. So a worker is cancelled until it has ended, not once.

Nor twice in a breath: cancelled while it is on its way out, that same `wait_for` leaves a task behind which takes a
lock of PyMongo's client and keeps it, and then nobody who uses that client ever hears from it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

ASK_AGAIN_SECONDS = 2.0  # longer than anything here needs for its way out


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancels tasks, again every two seconds, and returns when all have ended, however they did.

    Not for a task that finishes something long on its way out: asked again, it would break that off. Cancelled itself,
    it goes on, and asks none of them earlier for it (ends that wait for ends would else hurry one another).
    """
    loop = asyncio.get_running_loop()
    asking_at = loop.time()
    cancelled: asyncio.CancelledError | None = None
    while pending := [task for task in tasks if not task.done()]:
        if loop.time() >= asking_at:
            for task in pending:
                task.cancel()
            asking_at = loop.time() + ASK_AGAIN_SECONDS
        try:
            await asyncio.wait(pending, timeout=asking_at - loop.time())
        except asyncio.CancelledError as error:
            cancelled = error
    for task in tasks:
        if not task.cancelled():
            task.exception()  # nobody else asks how it ended, and asyncio would complain of that
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
