"""What can wait looks at how much of the process is taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from harness import PATIENCE, eventually

from connectors.tasks import end
from inbox.pressure import Moment, eased, look

LONG = 10 * PATIENCE


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
    async def is_quiet() -> Moment | None:  # what was before may have something to do still
        moment = await look()
        return moment if moment.free > moment.used else None

    quiet = await eventually(is_quiet)
    assert quiet is not None

    async def is_seen() -> bool:  # a moment in which other processes had the whole machine says nothing
        return (await look()).used > quiet.used

    async with one_that_needs_all():
        await eventually(is_seen)


async def test_who_waits_goes_on_once_others_are_done() -> None:
    async with asyncio.timeout(PATIENCE):
        await eased(LONG)  # nobody does anything
        async with one_that_needs_all() as other:
            waiting = asyncio.create_task(eased(LONG))
            await look()
            other.cancel()
            await waiting


async def test_nobody_waits_for_longer_than_told() -> None:
    async with one_that_needs_all(), asyncio.timeout(PATIENCE):
        await eased(0.1)
