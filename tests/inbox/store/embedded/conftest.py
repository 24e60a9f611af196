"""What the tests of the embedded database work with: owners to kill, writers that count, waiting with a deadline."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from harness import PATIENCE
from pymongo import AsyncMongoClient

from inbox.store.embedded import EmbeddedDatabase, EmbeddedDatabaseError, start


class Owner:
    """A process that owns an embedded database."""

    def __init__(self, folder: Path, *options: str, before: tuple[str, ...] = (), **environment: str) -> None:
        self.process = subprocess.Popen(
            [*before, sys.executable, str(Path(__file__).with_name("owner.py")), str(folder), *options],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, **environment},
        )

    def says(self, *words: str) -> dict[str, Any]:
        """Waits until it tells of one of `words`; the test's own time limit ends the wait."""
        assert self.process.stdout is not None
        heard = []
        for line in self.process.stdout:
            heard.append(line)
            if line.startswith("{") and (said := json.loads(line)).keys() & set(words):
                return dict(said)
        raise AssertionError(f"the owner never said {words} but {heard}")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)

    def close(self) -> None:
        self.kill()
        assert self.process.stdout is not None
        self.process.stdout.close()


class Lab:
    """A folder for a database, owners of it, and what to do with them."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "data"
        self.owners: list[Owner] = []

    def own(self, folder: Path | None = None, *options: str, **more: Any) -> Owner:
        self.owners.append(Owner(folder or self.folder, *options, **more))
        return self.owners[-1]

    def recorded(self) -> dict[str, Any]:
        """The facts in `santral.json`."""
        return dict(json.loads((self.folder / "santral.json").read_text()))

    def record(self, **changes: Any) -> None:
        (self.folder / "santral.json").write_text(json.dumps(self.recorded() | changes))

    def close(self) -> None:
        for owner in self.owners:
            owner.close()
        with contextlib.suppress(OSError):
            wait_gone(self.recorded()["mongod"]["pid"])

    async def drop(self, database: EmbeddedDatabase) -> None:
        """Stops it for a test that is over: a clean shutdown takes a second that nothing is learnt from."""
        with contextlib.suppress(EmbeddedDatabaseError, ProcessLookupError):
            os.kill(database.pid, signal.SIGKILL)
        await database.stop()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits for something to become true."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, "it never happened"
            await asyncio.sleep(0.01)

    def wait_gone(self, pid: int) -> None:
        wait_gone(pid)

    def lives(self, pid: int) -> bool:
        """Whether it runs; an orphan may wait for a while to be reaped by whoever inherited it."""
        try:
            return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    @contextlib.asynccontextmanager
    async def writing(self, url: str) -> AsyncIterator[list[int]]:
        """Inserts ever higher numbers meanwhile, and lists those that MongoDB acknowledged."""
        acknowledged: list[int] = []

        async def write() -> None:
            async with AsyncMongoClient(url, w="majority", journal=True, serverSelectionTimeoutMS=15_000) as client:
                for number in range(1_000_000):
                    # Whether a write that failed was kept, nobody was told.
                    with contextlib.suppress(Exception):
                        await client.test.numbers.insert_one({"_id": number})
                        acknowledged.append(number)

        writer = asyncio.create_task(write())
        try:
            await self.until(lambda: len(acknowledged) > 20)
            yield acknowledged
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    async def stored(self, url: str) -> set[int]:
        async with AsyncMongoClient(url, serverSelectionTimeoutMS=int(PATIENCE * 1000)) as client:
            return {found["_id"] async for found in client.test.numbers.find()}


def wait_gone(pid: int) -> None:
    """Waits for the end of a process that need not be ours."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([fd], [], [], PATIENCE)[0], f"process {pid} still lives"
    finally:
        os.close(fd)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    laboratory = Lab(tmp_path)
    yield laboratory
    laboratory.close()


@pytest.fixture
async def database(lab: Lab) -> AsyncIterator[EmbeddedDatabase]:
    """A running database in `lab.folder`."""
    running = await start(lab.folder)
    yield running
    await lab.drop(running)


@pytest.fixture(scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[EmbeddedDatabase, Path]]:
    """A running database that tests only look at, and its folder."""
    folder = tmp_path_factory.mktemp("shared") / "data"
    running = await start(folder)
    yield running, folder
    await running.stop()
