"""What is mended in the driver: without the mending this fails, on the Pythons that need it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import PATIENCE
from pymongo import AsyncMongoClient, lock
from pymongo.errors import NetworkTimeout

from inbox.store import driver, embedded

Client = AsyncMongoClient[dict[str, Any]]


@pytest.fixture
async def own(tmp_path: Path) -> AsyncIterator[embedded.EmbeddedDatabase]:
    """A `mongod` that may be held."""
    driver.mend()
    running = await embedded.start(tmp_path)
    yield running
    await running.stop()


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
    await asyncio.wait([waiting], timeout=PATIENCE)

    assert waiting.cancelled()
    assert not condition.locked()


async def test_commands_make_no_tasks(own: embedded.EmbeddedDatabase) -> None:
    made, us = [], asyncio.current_task()

    def note(loop: asyncio.AbstractEventLoop, work: Any, **more: Any) -> asyncio.Task[Any]:
        if asyncio.current_task() is us:  # the driver's monitors make some of their own, more on a slow machine
            made.append(work)
        return asyncio.Task(work, loop=loop, **more)

    async with Client(own.url) as client:
        await client.admin.command("ping")  # a connection is there
        asyncio.get_running_loop().set_task_factory(note)
        try:
            for _ in range(20):
                await client.admin.command("ping")
        finally:
            asyncio.get_running_loop().set_task_factory(None)

    assert len(made) < 20


async def test_a_database_that_is_silent_is_given_up_in_time(own: embedded.EmbeddedDatabase) -> None:
    async with Client(own.url, socketTimeoutMS=700, retryReads=False) as client:
        await client.admin.command("ping")
        with _held(own):
            began = time.monotonic()
            with pytest.raises(NetworkTimeout, match="timed out"):
                await client.admin.command("ping")
            assert 0.6 < time.monotonic() - began < PATIENCE
        assert await client.admin.command("ping")


async def test_who_is_cancelled_leaves_a_silent_database_at_once(own: embedded.EmbeddedDatabase) -> None:
    async with Client(own.url) as client:
        await client.admin.command("ping")
        with _held(own):
            asking = asyncio.create_task(client.admin.command("ping"))
            await asyncio.sleep(0.05)
            asking.cancel()
            await asyncio.wait([asking], timeout=PATIENCE)
            assert asking.cancelled()
        assert await client.admin.command("ping")


@contextlib.contextmanager
def _held(database: embedded.EmbeddedDatabase) -> Iterator[None]:
    os.kill(database.pid, signal.SIGSTOP)
    threads = Path(f"/proc/{database.pid}/task")  # each stands still when it is next scheduled
    while any((one / "stat").read_text().rpartition(")")[2].split()[0] != "T" for one in threads.iterdir()):
        time.sleep(0.001)
    try:
        yield
    finally:
        os.kill(database.pid, signal.SIGCONT)
