"""What can wait looks at how much of the process is taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from connectors.tasks import end
from inbox.pressure import eased, look


@asynccontextmanager
async def one_that_needs_all() -> AsyncIterator[asyncio.Task[None]]:
    async def spin() -> None:
        while True:
            await asyncio.sleep(0)

    task = asyncio.create_task(spin())
    try:
        yield task
    finally:
        await end(task)


async def test_what_others_use_is_seen() -> None:
    quiet = await look()
    assert quiet.free > quiet.used
    async with one_that_needs_all():
        taken = await look()
    assert taken.used > quiet.used


async def test_who_waits_goes_on_once_others_are_done() -> None:
    async with asyncio.timeout(5):
        await eased(60)  # nobody does anything
        async with one_that_needs_all() as other:
            waiting = asyncio.create_task(eased(60))
            await look()
            other.cancel()
            await waiting


async def test_nobody_waits_for_longer_than_told() -> None:
    async with one_that_needs_all(), asyncio.timeout(5):
        await eased(0.1)
