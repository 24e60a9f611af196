"""A Slack of our own, and Santrals that are its app."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from harness import PATIENCE
from switchboard import Switchboard, switchboard

from connectors.testing.server import serving
from connectors.testing.slack_server import APP_TOKEN, BOT_TOKEN, SIGNING, SlackServer

OpenDesk = Callable[..., contextlib.AbstractAsyncContextManager[Switchboard]]


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    async with serving(SlackServer()) as server:
        server.ack_seconds = PATIENCE  # the database behind the app may take its time
        yield server


@pytest.fixture
def app(slack: SlackServer, mongod_url: str) -> OpenDesk:
    """A Santral whose channel `slack` is the app; by its hook, or with `socket=True` over sockets."""

    @contextlib.asynccontextmanager
    async def open_desk(*, socket: bool = False, **options: Any) -> AsyncIterator[Switchboard]:
        way = {"app_token": APP_TOKEN} if socket else {"signing_secret": SIGNING}
        channel = {"id": "slack", "connector": "slack", "bot_token": BOT_TOKEN, "api_url": f"{slack.url}/api/"}
        async with switchboard(mongod_url, {**channel, **way, **options}) as desk:
            slack.hook = None if socket else f"{desk.url}/hooks/slack"
            yield desk

    return open_desk


@pytest.fixture
async def desk(app: OpenDesk) -> AsyncIterator[Switchboard]:
    """One that Slack posts to."""
    async with app() as desk:
        yield desk
