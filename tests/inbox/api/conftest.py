"""A whole Santral over a real database, with a channel whose platform is the test itself."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from api_desk import PUBLIC_URL, Desk, Doomed
from harness import eventually, free_port
from provider import Provider
from pymongo import AsyncMongoClient

from config import Config
from connectors.registry import GROUP, Registry
from inbox.app import serving
from inbox.roster import PARTS
from inbox.staff import ROLES
from inbox.store import embedded

_shared: list[Callable[[], Awaitable[bool]]] = []  # of the desk that tests share, once there is one

CONNECTORS = Registry([EntryPoint(name="letterbox", value="letterbox:LetterBox", group=GROUP)])


@pytest.fixture(scope="session")
async def database(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    running = await embedded.start(tmp_path_factory.mktemp("api"))
    yield running.url
    await running.stop()


@pytest.fixture(scope="session")
async def desk(database: str) -> AsyncIterator[Desk]:
    async with _desk_on(database) as desk, AsyncMongoClient[dict[str, Any]](database) as client:
        outbox = client.get_default_database("santral")["outbox"]

        async def at_rest() -> bool:
            on_its_way = {"state": {"$in": ["queued", "claimed", "sending"]}, "due_at": {"$lte": datetime.now(UTC)}}
            return await outbox.find_one(on_its_way) is None

        _shared.append(at_rest)
        yield desk


@pytest.fixture(autouse=True)
async def nothing_is_left_on_its_way() -> AsyncIterator[None]:
    """The replies of each test have left before the next one begins, which would be told of them."""
    yield
    for at_rest in _shared:
        await eventually(at_rest)


@pytest.fixture
async def leaving(database: str) -> AsyncIterator[tuple[Desk, contextlib.AsyncExitStack]]:
    """A desk of a second Santral, which stops when the stack is closed."""
    async with contextlib.AsyncExitStack() as stack:
        yield await stack.enter_async_context(_desk_on(database)), stack


@pytest.fixture
async def opened(mongod_url: str) -> AsyncIterator[Callable[..., Awaitable[Desk]]]:
    """Opens desks of Santrals of one database that nobody else uses, each configured as is said."""
    async with contextlib.AsyncExitStack() as stack:

        async def open_(**more: Any) -> Desk:
            return await stack.enter_async_context(_desk_on(mongod_url, **more))

        yield open_


@pytest.fixture
async def vouching(database: str) -> AsyncIterator[tuple[Desk, Provider]]:
    """A desk of a Santral whose agents also sign in by a provider."""
    async with Provider().running() as provider:
        oidc = {"issuer": provider.issuer, "client_id": "santral", "client_secret": "hush", "name": "Acme"}
        async with _desk_on(database, sign_in={"oidc": {**oidc, "create": "agent"}}) as desk:
            yield desk, provider


@pytest.fixture
async def doomed(tmp_path: Path) -> AsyncIterator[Doomed]:
    """A desk with a database of its own, which the test may stop and start."""
    doomed = Doomed(tmp_path)
    await doomed.start()
    try:
        async with _desk_on(doomed.url) as doomed.desk:
            yield doomed
    finally:
        await doomed.stop()


@contextlib.asynccontextmanager
async def _desk_on(database: str, timezone: str = "UTC", **more: Any) -> AsyncIterator[Desk]:
    port = free_port()
    config = Config.model_validate(
        {
            "inbox": {"public_url": PUBLIC_URL, "timezone": timezone},
            "server": {"port": port},
            "storage": {"url": database},
            "webhooks": {"allow_networks": ["127.77.0.0/16"]},
            "channels": [{"id": name, "connector": "letterbox"} for name in ("letters", "second")],
            **more,
        }
    )
    async with serving(config, CONNECTORS, PARTS) as (santral, _):
        now = datetime.now(UTC)
        tokens = {role: await santral.store.staff.new_token("Ada", role, now) for role in ROLES}
        desk = Desk(f"http://127.0.0.1:{port}", tokens)
        try:
            await desk.eventually(desk.ready)
            yield desk
        finally:
            await desk.http.close()
