"""Ending tasks: for sure, and not in a breath."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
from typing import Any

import pytest
from harness import PATIENCE
from pymongo import AsyncMongoClient

from connectors import tasks
from connectors.tasks import end, together


async def begun(*tasks: asyncio.Task[None]) -> None:
    """Each has come to its first await."""
    await asyncio.sleep(0)
    assert not any(task.done() for task in tasks)


async def test_what_swallows_a_cancellation_ends_all_the_same() -> None:
    asked = 0

    async def deaf_once() -> None:
        nonlocal asked
        while asked < 2:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                asked += 1

    task = asyncio.create_task(deaf_once())
    await begun(task)
    await end(task)
    assert asked == 2
    assert task.done()


async def test_a_way_out_is_not_broken_off_by_ends_that_wait_for_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "ASK_AGAIN_SECONDS", PATIENCE)  # it is not asked again because two seconds are over
    out = asyncio.Event()
    asked = 0

    async def slow_to_leave() -> None:
        nonlocal asked
        try:
            await asyncio.Event().wait()
        finally:
            while not out.is_set():
                try:
                    await out.wait()
                except asyncio.CancelledError:
                    asked += 1

    inner = asyncio.create_task(slow_to_leave())
    await begun(inner)
    outer = asyncio.create_task(end(inner))
    await asyncio.sleep(0)
    for _ in range(5):  # whoever ends the end
        outer.cancel()
        await asyncio.sleep(0)
    assert asked == 0
    out.set()
    with contextlib.suppress(asyncio.CancelledError):
        await outer
    assert inner.done()
    assert outer.cancelled()


async def test_a_client_of_a_dead_database_outlives_the_end_of_those_who_asked_it() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound, and not listening: refused
        port = nobody.getsockname()[1]
        client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(
            f"mongodb://127.0.0.1:{port}", serverSelectionTimeoutMS=2_000
        )

        async def ask() -> None:
            await client.admin.command("ping")

        for _ in range(20):
            tasks = [asyncio.create_task(ask()) for _ in range(20)]
            await begun(*tasks)
            ends = [asyncio.create_task(end(task)) for task in tasks]
            await asyncio.sleep(0.005)
            for one in ends:
                one.cancel()
            await asyncio.gather(*ends, return_exceptions=True)
        async with asyncio.timeout(PATIENCE):
            await client.close()


async def test_what_failed_as_it_was_ended_is_complained_of_by_nobody() -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))

    async def fails_at_its_end() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError("the line is cut")

    running = asyncio.create_task(together(fails_at_its_end(), fails_at_its_end()))
    await asyncio.sleep(0)
    await end(running)
    del running
    gc.collect()
    await asyncio.sleep(0)

    assert complaints == []
