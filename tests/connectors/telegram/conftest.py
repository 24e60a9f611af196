"""A Bot API of our own, and Santrals that are its bot."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from switchboard import Switchboard, switchboard

from connectors.testing.bot_api import CUSTOMER, TOKEN, BotApiServer
from connectors.testing.server import serving

SECRET = "hook-secret_0123456789"

OpenDesk = Callable[..., contextlib.AbstractAsyncContextManager[Switchboard]]


@pytest.fixture
async def bot_api() -> AsyncIterator[BotApiServer]:
    async with serving(BotApiServer()) as server:
        yield server


@pytest.fixture
def bot(bot_api: BotApiServer, mongod_url: str) -> OpenDesk:
    """A Santral whose channel `tg` is the bot of `bot_api`; by its hook unless it is told to poll."""

    def open_desk(**options: Any) -> contextlib.AbstractAsyncContextManager[Switchboard]:
        how = {"mode": "hook", "secret_token": SECRET, **options}
        return switchboard(
            mongod_url, {"id": "tg", "connector": "telegram", "token": TOKEN, "api_url": bot_api.url, **how}
        )

    return open_desk


@pytest.fixture
async def desk(bot: OpenDesk, bot_api: BotApiServer) -> AsyncIterator[Switchboard]:
    """One that Telegram calls."""
    async with bot() as desk:
        await bot_api.hooked()
        yield desk


@pytest.fixture
async def said(desk: Switchboard, bot_api: BotApiServer) -> dict[str, Any]:
    """What a customer has said."""
    await bot_api.push(bot_api.update("message", bot_api.message("hello")))
    (message,) = await desk.until(str(CUSTOMER), len)
    return message
