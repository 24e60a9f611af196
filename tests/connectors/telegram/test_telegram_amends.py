"""What agents change of what they sent, as Telegram shows it, and typing."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from harness import eventually
from switchboard import Switchboard

from connectors.testing.bot_api import CUSTOMER, BotApiServer

CHAT = str(CUSTOMER)
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


async def test_a_reply_gets_another_text(desk: Switchboard, bot_api: BotApiServer, said: Any) -> None:
    reply = await desk.fate(await desk.reply(said, "It left today"), "sent")
    edited = await desk.call("PATCH", f"/api/v1/messages/{reply['id']}", {"text": "It left", "html": "<b>It</b> left"})

    assert (edited["text"], edited["html"]) == ("It left", "<b>It</b> left")
    assert [one["text"] for one in edited["revisions"]] == ["It left today"]
    assert [one["text"] for one in bot_api.written()] == ["It left"]
    assert bot_api.called("editMessageText")[0].arguments["text"] == "<b>It</b> left"
    assert [one["text"] for one in await desk.thread(CHAT)] == ["hello", "It left"]


async def test_a_caption_gets_another_text(desk: Switchboard, bot_api: BotApiServer, said: Any) -> None:
    picture = await desk.upload(PNG, "lamp.png", "image/png")
    reply = await desk.fate(await desk.reply(said, "This lamp?", attachments=[picture]), "sent")
    await desk.call("PATCH", f"/api/v1/messages/{reply['id']}", {"text": "That lamp?"})

    assert [one["caption"] for one in bot_api.written()] == ["That lamp?"]


async def test_a_shorter_text_takes_the_rest_back(desk: Switchboard, bot_api: BotApiServer, said: Any) -> None:
    reply = await desk.fate(await desk.reply(said, "word " * 1500), "sent")
    assert len(bot_api.written()) == 2
    await desk.call("PATCH", f"/api/v1/messages/{reply['id']}", {"text": "one word"})

    assert [one["text"] for one in bot_api.written()] == ["one word"]
    problem = await desk.call("PATCH", f"/api/v1/messages/{reply['id']}", {"text": "word " * 1500}, status=422)
    assert problem["type"] == "refused-there"
    assert "another message" in problem["detail"]


async def test_a_shorter_text_changes_nothing_where_the_rest_stays(
    desk: Switchboard, bot_api: BotApiServer, said: Any
) -> None:
    reply = await desk.fate(await desk.reply(said, "word " * 1500), "sent")
    before = [one["text"] for one in bot_api.written()]
    for one in bot_api.written():
        one["date"] -= 49 * 60 * 60
    problem = await desk.call("PATCH", f"/api/v1/messages/{reply['id']}", {"text": "one word"}, status=422)

    assert problem["type"] == "refused-there"
    assert "can't be deleted" in problem["detail"]
    assert [one["text"] for one in bot_api.written()] == before
    assert (await desk.thread(CHAT))[-1]["text"] == reply["text"]


async def test_a_reply_is_taken_back(desk: Switchboard, bot_api: BotApiServer, said: Any) -> None:
    pictures = [await desk.upload(PNG + bytes([number]), "lamp.png", "image/png") for number in range(2)]
    reply = await desk.fate(await desk.reply(said, "These", attachments=pictures), "sent")
    deleted = await desk.call("DELETE", f"/api/v1/messages/{reply['id']}")

    assert deleted["deleted_at"]
    assert bot_api.written() == []
    assert (await desk.call("PATCH", f"/api/v1/messages/{reply['id']}", {"text": "no"}, status=422))["type"] == (
        "not-amendable"
    )


async def test_an_agents_reaction_stands_there_and_here(desk: Switchboard, bot_api: BotApiServer, said: Any) -> None:
    path = f"/api/v1/messages/{said['id']}/reactions"
    reacted = await desk.post(path, {"emoji": "👍"}, status=200)
    number = int(said["external"]["id"].partition("/")[2])

    assert [(one["emoji"], one["author"]["name"]) for one in reacted["reactions"]] == [("👍", "Ada")]
    assert bot_api.chats[CUSTOMER][number]["reaction"] == [{"type": "emoji", "emoji": "👍"}]
    gone = await desk.post(path, {"emoji": "👍", "on": False}, status=200)
    assert (gone["reactions"], bot_api.chats[CUSTOMER][number]["reaction"]) == ([], [])


async def test_customers_see_the_newest_reaction_that_stands_here(
    desk: Switchboard, bot_api: BotApiServer, said: Any
) -> None:
    path = f"/api/v1/messages/{said['id']}/reactions"
    number = int(said["external"]["id"].partition("/")[2])

    async def shown(emoji: str, *, on: bool) -> tuple[list[str], list[str]]:
        """What stands there and what stands here, after an agent's click."""
        reacted = await desk.post(path, {"emoji": emoji, "on": on}, status=200)
        there = bot_api.chats[CUSTOMER][number]["reaction"]
        return [one["emoji"] for one in there], [one["emoji"] for one in reacted["reactions"]]

    assert await shown("👍", on=True) == (["👍"], ["👍"])
    assert await shown("❤", on=True) == (["❤"], ["👍", "❤"])
    assert await shown("🔥", on=True) == (["🔥"], ["👍", "❤", "🔥"])
    assert await shown("👍", on=False) == (["🔥"], ["❤", "🔥"])
    assert await shown("🔥", on=False) == (["❤"], ["❤"])
    assert await shown("❤", on=False) == ([], [])


async def test_a_reaction_stands_there_until_no_agent_has_it(
    desk: Switchboard, bot_api: BotApiServer, said: Any
) -> None:
    path = f"/api/v1/messages/{said['id']}/reactions"
    number = int(said["external"]["id"].partition("/")[2])
    token = (await desk.post("/api/v1/tokens", {"name": "Grace"}, status=201))["token"]
    async with aiohttp.ClientSession(desk.url, headers={"Authorization": f"Bearer {token}"}) as http:
        grace = Switchboard(http, desk.url)
        for agent in (desk, grace):
            await agent.post(path, {"emoji": "👍"}, status=200)
        left = await desk.post(path, {"emoji": "👍", "on": False}, status=200)
        assert [one["author"]["name"] for one in left["reactions"]] == ["Grace"]
        assert bot_api.chats[CUSTOMER][number]["reaction"] == [{"type": "emoji", "emoji": "👍"}]
        await desk.post(path, {"emoji": "👍", "on": False}, status=200)  # which is not Ada's
        assert bot_api.chats[CUSTOMER][number]["reaction"] == [{"type": "emoji", "emoji": "👍"}]
        await grace.post(path, {"emoji": "👍", "on": False}, status=200)

    assert bot_api.chats[CUSTOMER][number]["reaction"] == []


@pytest.mark.parametrize(("how", "status", "type_"), [("refuse", 422, "refused-there"), ("broken", 503, "unavailable")])
async def test_what_telegram_does_not_do_is_not_done_here(
    desk: Switchboard, bot_api: BotApiServer, said: Any, how: Any, status: int, type_: str
) -> None:
    reply = await desk.fate(await desk.reply(said, "It left today"), "sent")
    bot_api.fail(how, "editMessageText", times=1)
    problem = await desk.call("PATCH", f"/api/v1/messages/{reply['id']}", {"text": "no"}, status=status)

    assert (problem["type"], "Telegram" in problem["detail"]) == (type_, True)
    assert (await desk.thread(CHAT))[-1]["text"] == "It left today"


async def test_what_has_not_left_is_changed_here_alone(desk: Switchboard, bot_api: BotApiServer, said: Any) -> None:
    reply = await desk.reply(said, "Good morning", send_at="2099-01-01T08:00:00Z")
    edited = await desk.call("PATCH", f"/api/v1/messages/{reply['id']}", {"text": "Good day"})

    assert edited["text"] == "Good day"
    assert bot_api.called("editMessageText") == []


async def test_customers_see_that_an_agent_types(desk: Switchboard, bot_api: BotApiServer, said: Any) -> None:
    async with desk.http.ws_connect("/api/v1/stream") as stream:
        for _ in range(3):
            await stream.send_json({"type": "typing", "conversation_id": said["conversation_id"]})

        async def shown() -> Any:
            return bot_api.called("sendChatAction")

        (call,) = await eventually(shown)
        assert call.arguments == {"chat_id": CHAT, "action": "typing"}
