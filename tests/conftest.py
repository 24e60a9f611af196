"""What all tests share: one real database a test process, a fresh name in it for each test, whole Santrals."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from harness import Santral
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.read_concern import ReadConcern

from inbox.store import Store, embedded

pytest_plugins = ["axe", "mail_servers", "imap_server", "dns_server", "plugins"]

_numbers = itertools.count(1)

StartSantral = Callable[..., Awaitable[Santral]]


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    """Tracebacks in plain words: drawn with boxes and colours, each takes a third of a second."""
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])


@pytest.fixture(scope="session")
async def mongod(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[embedded.EmbeddedDatabase]:
    """A real `mongod`, a replica set of one, for the whole test process."""
    running = await embedded.start(tmp_path_factory.mktemp("mongod"))
    yield running
    await running.stop()


@pytest.fixture
async def mongod_url(mongod: embedded.EmbeddedDatabase) -> AsyncIterator[str]:
    """The URL of a database that nobody has used."""
    name = f"test{next(_numbers)}"
    yield mongod.url.replace("/?", f"/{name}?", 1)
    async with AsyncMongoClient[dict[str, Any]](mongod.url) as client:
        await client.drop_database(name)


@pytest.fixture
async def store(mongod_url: str) -> AsyncIterator[Store]:
    """A store on a fresh database."""
    opened = await Store.open(mongod_url)
    yield opened
    await opened.close()


@pytest.fixture
async def documents(mongod_url: str) -> AsyncIterator[AsyncDatabase[dict[str, Any]]]:
    """The same database, to look at what really stands there: as Santral sees it, which may be a moment later."""
    async with AsyncMongoClient[dict[str, Any]](mongod_url, tz_aware=True) as client:
        yield client.get_default_database().with_options(read_concern=ReadConcern("majority"))


@pytest.fixture
async def santral(mongod_url: str, tmp_path: Path) -> AsyncIterator[StartSantral]:
    """Starts whole Santrals on one fresh database; they must end in order, without a traceback in their logs."""
    started: list[Santral] = []
    token = ""

    async def start(*, wait: bool = True, **options: Any) -> Santral:
        nonlocal token
        made = Santral(tmp_path / f"santral{len(started)}", **{"storage": mongod_url, **options})
        started.append(made)
        if not token:
            opened = await Store.open(mongod_url)
            token = await opened.staff.new_token("Ada", "admin", datetime.now(UTC))
            await opened.close()
        made.token = token
        await made.start() if wait else made.begin()
        return made

    yield start
    try:
        for made in started:
            if made.process is not None and made.process.returncode is None:
                await made.stop()
    finally:
        for made in started:
            made.abandon()
