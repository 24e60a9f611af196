"""Two bots of one company, and people who write to both: who shuts one out still talks with the other."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
from harness import eventually
from switchboard import Switchboard, switchboard

from connectors.testing.bot_api import CUSTOMER, BotApiServer
from connectors.testing.server import serving

SALES, SUPPORT = "tg-sales", "tg-support"
BOB = 2002
BLOCKED = "Ada Byron blocked the bot"


class Company(NamedTuple):
    """A desk, and the two bots that people write to."""

    desk: Switchboard
    bots: dict[str, BotApiServer]

    async def hears(self, channel: str, text: str, chat: int = CUSTOMER) -> dict[str, Any]:
        """Somebody writes to a bot: the message."""
        bot = self.bots[channel]
        assert await bot.push(bot.update("message", bot.message(text, chat=chat))) == [200]

        def comes(found: list[dict[str, Any]]) -> bool:
            return any(one["channel"] == channel and one["text"] == text for one in found)

        found = await self.desk.until(str(chat), comes)
        return next(one for one in found if one["channel"] == channel and one["text"] == text)

    async def blocked(self, channel: str, said: dict[str, Any], chat: int = CUSTOMER) -> None:
        """Who said that blocks a bot; returns once this is known."""
        bot = self.bots[channel]
        member = bot.message(chat=chat)
        told = {name: member[name] for name in ("chat", "from", "date")}
        assert await bot.push(bot.update("my_chat_member", {**told, "new_chat_member": {"status": "kicked"}})) == [200]

        async def known() -> bool:
            ways = [way for way in await self.ways(said) if way["identity"]["value"] == str(chat)]
            return any(way["channel"] == channel and way["refused"] for way in ways)

        await eventually(known)

    async def ways(self, said: dict[str, Any]) -> list[dict[str, Any]]:
        page = await self.desk.get(f"/api/v1/conversations/{said['conversation_id']}/ways")
        found: list[dict[str, Any]] = page["items"]
        return found

    async def refusals(self, said: dict[str, Any]) -> dict[str, str | None]:
        """Why each channel does not carry an answer."""
        return {way["channel"]: way["refused"] and way["refused"]["type"] for way in await self.ways(said)}


def hooked(channel: str, bot: BotApiServer, token: str) -> dict[str, Any]:
    """A channel that is that bot, called by its hook."""
    how = {"mode": "hook", "secret_token": "hook-secret_0123456789"}
    return {"id": channel, "connector": "telegram", "token": token, "api_url": bot.url, **how}


@pytest.fixture
async def company(mongod_url: str) -> AsyncIterator[Company]:
    tokens = {SALES: f"777:{'s' * 35}", SUPPORT: f"888:{'t' * 35}"}
    async with contextlib.AsyncExitStack() as stack:
        bots = {one: await stack.enter_async_context(serving(BotApiServer(token))) for one, token in tokens.items()}
        channels = [hooked(one, bot, tokens[one]) for one, bot in bots.items()]
        desk = await stack.enter_async_context(switchboard(mongod_url, *channels))
        for bot in bots.values():
            await bot.hooked()
        yield Company(desk, bots)


async def test_who_blocks_one_bot_is_reached_by_the_other_until_they_write_to_it_again(company: Company) -> None:
    asked = await company.hears(SALES, "how much?")
    helped = await company.hears(SUPPORT, "it is broken")
    await company.blocked(SALES, asked)

    (identity,) = {way["identity"]["id"]: way["identity"] for way in await company.ways(helped)}.values()
    assert identity["unreachable"] == {SALES: BLOCKED}
    assert await company.refusals(helped) == {SALES: "unreachable", SUPPORT: None}
    assert (await company.desk.reply(asked, "Are you there?", status=422))["type"] == "unreachable"
    await company.desk.fate(await company.desk.reply(helped, "We mend it"), "sent")
    assert [one["text"] for one in company.bots[SUPPORT].written()] == ["We mend it"]

    await company.hears(SUPPORT, "thank you")
    assert await company.refusals(helped) == {SALES: "unreachable", SUPPORT: None}
    await company.hears(SALES, "back again")
    assert await company.refusals(helped) == {SALES: None, SUPPORT: None}
    await company.desk.fate(await company.desk.reply(asked, "Ten"), "sent")


async def test_a_bot_that_they_never_started_takes_no_other_from_them(company: Company) -> None:
    said = await company.hears(SUPPORT, "hello")
    company.bots[SALES].blocked.add(CUSTOMER)
    await company.desk.fate(await company.desk.reply(said, "An offer", channel=SALES), "failed")

    assert await company.refusals(said) == {SALES: "unreachable", SUPPORT: None}
    await company.desk.fate(await company.desk.reply(said, "Hello", channel=SUPPORT), "sent")


async def test_of_two_addresses_the_newest_that_the_bot_reaches_is_written_to(company: Company) -> None:
    ada, other = [await company.hears(SUPPORT, "I am Ada", chat) for chat in (CUSTOMER, BOB)]
    for chat in (CUSTOMER, BOB):
        await company.hears(SALES, "I am Ada", chat)
    await company.desk.post(f"/api/v1/customers/{other['customer_id']}/merge", {"into": ada["customer_id"]}, status=200)
    for channel in (SUPPORT, SALES):
        await company.blocked(channel, other, BOB)
        await company.desk.fate(await company.desk.reply(ada, "Hello", channel=SALES), "sent")

    assert [len(company.bots[SALES].written(chat)) for chat in (CUSTOMER, BOB)] == [1, 1]
