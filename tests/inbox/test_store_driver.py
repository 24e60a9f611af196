"""What is mended in the driver: without the mending this fails, on the Pythons that need it."""

from __future__ import annotations

import asyncio

from pymongo import lock

from inbox.store import driver


async def test_who_is_cancelled_while_it_wants_its_lock_back_takes_nobody_elses() -> None:
    driver.mend()
    condition = lock._async_create_condition(lock._async_create_lock())

    async def wait() -> None:
        async with condition:
            await lock._async_cond_wait(condition, 0.01)

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)
    async with condition:  # at its end this raises RuntimeError where another let go of it
        await asyncio.sleep(0.05)
        waiting.cancel()
        for _ in range(10):
            await asyncio.sleep(0)
        assert not waiting.done()
    await asyncio.wait([waiting], timeout=5)

    assert waiting.cancelled()
    assert not condition.locked()
