"""Whole Santrals that poll one bot: killed while they read, and two of them at once."""

from __future__ import annotations

import asyncio
from typing import Any

from harness import PATIENCE, Desk, eventually

from connectors.testing.bot_api import TOKEN, BotApiServer

CHATS = (501, 502, 503)


def bot(bot_api: BotApiServer) -> dict[str, Any]:
    return {"id": "tg", "connector": "telegram", "token": TOKEN, "api_url": bot_api.url}


async def texts(desk: Desk, chat: int) -> list[str]:
    found = await desk.everything()
    messages = [one for each in found.values() for one in each if one["external"]["thread_key"] == str(chat)]
    return [message["text"] for message in messages]


async def test_what_is_read_while_it_is_killed_stands_once_and_in_order(
    santral: Any, mongod_url: str, bot_api: BotApiServer
) -> None:
    running = await santral(storage=mongod_url, more=[bot(bot_api)])
    wanted: dict[int, list[str]] = {chat: [] for chat in CHATS}
    for round_ in range(3):
        for number in range(60):
            for chat in CHATS:
                text = f"{round_}-{number}"
                wanted[chat].append(text)
                await bot_api.push(bot_api.update("message", bot_api.message(text, chat=chat)))
        before = len(bot_api.called("getUpdates"))

        async def polled(before: int = before) -> bool:
            return len(bot_api.called("getUpdates")) > before

        await eventually(polled)
        running.kill()
        await running.start()
    async with running.desk() as desk:
        for chat in CHATS:

            async def all_there(chat: int = chat) -> bool:
                return len(await texts(desk, chat)) >= len(wanted[chat])

            await eventually(all_there)
            assert await texts(desk, chat) == wanted[chat]
        assert (await desk.get("/api/v1/ingest/failed"))["items"] == []


async def test_of_two_processes_one_polls_and_the_other_takes_over(
    santral: Any, mongod_url: str, bot_api: BotApiServer
) -> None:
    first = await santral(storage=mongod_url, more=[bot(bot_api)])
    second = await santral(storage=mongod_url, more=[bot(bot_api)])
    await bot_api.push(bot_api.update("message", bot_api.message("to the first")))
    async with second.desk() as desk:

        async def heard(text: str) -> bool:
            return text in await texts(desk, 4_200_000_042)

        await eventually(lambda: heard("to the first"))
        first.kill()
        last = bot_api.update("message", bot_api.message("to the second"))
        await bot_api.push(last)
        await eventually(lambda: heard("to the second"))
        await asyncio.wait_for(bot_api.confirmed(last), PATIENCE)
        assert await texts(desk, 4_200_000_042) == ["to the first", "to the second"]
