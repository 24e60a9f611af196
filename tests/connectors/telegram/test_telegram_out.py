"""What agents answer, as it arrives at Telegram, and what Telegram says to it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from switchboard import Switchboard, opened

from connectors.testing.bot_api import CUSTOMER, BotApiServer

CHAT = str(CUSTOMER)
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


async def test_html_becomes_telegrams_markup(desk: Switchboard, bot_api: BotApiServer, said: Any) -> None:
    html = '<p>Dear <b>Ada</b>, see <a href="https://example.com/?a=1&amp;b=2">5 &lt; 6</a></p><ul><li>one</li></ul>'
    await desk.fate(await desk.reply(said, "Dear Ada", html=html), "sent")

    (call,) = bot_api.called("sendMessage")
    assert call.arguments["text"] == (
        'Dear <b>Ada</b>, see <a href="https://example.com/?a=1&amp;b=2">5 &lt; 6</a>\n\n• one'
    )
    assert call.arguments["parse_mode"] == "HTML"


async def test_a_text_that_looks_like_markup_stays_text(desk: Switchboard, bot_api: BotApiServer, said: Any) -> None:
    await desk.fate(await desk.reply(said, "if a <b & c> then </i>"), "sent")

    assert [one["text"] for one in bot_api.written()] == ["if a <b & c> then </i>"]


async def test_a_long_text_is_split_between_words(desk: Switchboard, bot_api: BotApiServer, said: Any) -> None:
    text = " ".join(f"word{number}🙂" for number in range(900))
    html = f"<p>{text} <b>{'bold ' * 300}</b></p>"
    reply = await desk.fate(await desk.reply(said, text, html=html), "sent")

    pieces = [one["text"] for one in bot_api.written()]
    assert len(pieces) == 3
    assert all(len(piece.encode("utf-16-le")) // 2 <= 4096 for piece in pieces)
    assert " ".join("".join(pieces).split()) == f"{text} {'bold ' * 300}".strip()
    assert all(piece.split()[0].startswith(("word", "bold")) for piece in pieces)
    bold = [call.arguments["text"].count("<b>") for call in bot_api.called("sendMessage")]
    assert bold == [0, 0, 1]
    assert len(reply["external"]["ids"]) == 3


async def test_a_picture_bears_the_text(desk: Switchboard, bot_api: BotApiServer, said: Any) -> None:
    picture = await desk.upload(PNG, "lamp.png", "image/png")
    await desk.fate(await desk.reply(said, "This lamp?", attachments=[picture]), "sent")

    (sent,) = bot_api.written()
    assert (sent["caption"], sent["photo"]) == ("This lamp?", PNG)


@pytest.mark.parametrize("count", [1, 2])
async def test_a_picture_that_telegram_does_not_show_leaves_as_a_file(
    desk: Switchboard, bot_api: BotApiServer, said: Any, count: int
) -> None:
    bot_api.refusing["photo"] = "PHOTO_INVALID_DIMENSIONS"
    pictures = [await desk.upload(PNG + bytes([number]), "long.png", "image/png") for number in range(count)]
    await desk.fate(await desk.reply(said, "As long as the street", attachments=pictures), "sent")

    written = bot_api.written()
    assert [one["document"] for one in written] == [PNG + bytes([number]) for number in range(count)]
    assert written[0]["caption"] == "As long as the street"


async def test_files_leave_as_albums_of_their_kind(desk: Switchboard, bot_api: BotApiServer, said: Any) -> None:
    pictures = [await desk.upload(PNG + bytes([number]), f"{number}.png", "image/png") for number in range(11)]
    papers = [await desk.upload(f"paper {number}".encode(), f"{number}.txt", "text/plain") for number in range(2)]
    reply = await desk.fate(await desk.reply(said, "", attachments=[*pictures, *papers]), "sent")

    assert [call.method for call in bot_api.calls if call.method.startswith("send")] == [
        "sendMediaGroup",
        "sendPhoto",
        "sendMediaGroup",
    ]
    assert [one["document"] for one in bot_api.written() if "document" in one] == [b"paper 0", b"paper 1"]
    assert len(reply["external"]["ids"]) == 13


async def test_a_reply_names_the_message_that_it_answers(desk: Switchboard, bot_api: BotApiServer, said: Any) -> None:
    await desk.fate(await desk.reply(said, "To this", reply_to=said["id"]), "sent")

    (sent,) = bot_api.written()
    number = int(said["external"]["id"].partition("/")[2])
    assert sent["reply_parameters"] == {"message_id": number, "allow_sending_without_reply": True}


@pytest.mark.parametrize(
    ("how", "state", "code"),
    [("refuse", "failed", "400"), ("lost", "unknown", None), ("garbage", "unknown", None)],
)
async def test_what_telegram_says_is_what_the_agent_reads(
    desk: Switchboard, bot_api: BotApiServer, said: Any, how: Any, state: str, code: str | None
) -> None:
    bot_api.fail(how, "sendMessage", times=1)
    reply = await desk.fate(await desk.reply(said, "hello"), state)

    assert reply["delivery"]["error"]["code"] == code
    assert "Telegram" in reply["delivery"]["error"]["text"]
    await desk.post(f"/api/v1/messages/{reply['id']}/retry", {}, status=200)
    await desk.fate(reply, "sent")


async def test_what_a_gateway_did_not_wait_for_may_have_left(
    desk: Switchboard, bot_api: BotApiServer, said: Any
) -> None:
    bot_api.fail("gateway", "sendMessage")
    reply = await desk.fate(await desk.reply(said, "hello"), "unknown")

    assert "may have done it" in reply["delivery"]["error"]["text"]
    assert [one["text"] for one in bot_api.written()] == ["hello"]


@pytest.mark.parametrize("how", ["busy", "broken"])
async def test_what_passes_is_tried_again(desk: Switchboard, bot_api: BotApiServer, said: Any, how: Any) -> None:
    bot_api.fail(how, "sendMessage", times=1)
    reply = await desk.fate(await desk.reply(said, "hello"), "sent")

    assert reply["delivery"]["attempts"] == 2
    assert [one["text"] for one in bot_api.written()] == ["hello"]


async def test_a_blocked_bot_is_told_and_the_next_reply_is_refused(
    desk: Switchboard, bot_api: BotApiServer, said: Any
) -> None:
    bot_api.blocked.add(CUSTOMER)
    reply = await desk.fate(await desk.reply(said, "hello"), "failed")

    assert reply["delivery"]["error"]["text"] == "Telegram: Forbidden: bot was blocked by the user"
    assert (await desk.reply(said, "again", status=422))["type"] == "unreachable"
    bot_api.blocked.clear()
    await bot_api.push(bot_api.update("message", bot_api.message("sorry")))
    await desk.until(CHAT, lambda found: found[-1]["text"] == "sorry")
    await desk.fate(await desk.reply(said, "no harm done"), "sent")


async def test_where_files_are_banned_texts_are_not(desk: Switchboard, bot_api: BotApiServer, said: Any) -> None:
    bot_api.refusing["photo"] = "not enough rights to send photos to the chat"
    picture = await desk.upload(PNG, "lamp.png", "image/png")
    reply = await desk.fate(await desk.reply(said, "This lamp?", attachments=[picture]), "failed")

    assert reply["delivery"]["error"]["text"] == "Telegram: Not enough rights to send photos to the chat"
    await desk.fate(await desk.reply(said, "The one on the left"), "sent")


async def test_a_chat_bears_one_message_a_second(desk: Switchboard, bot_api: BotApiServer, said: Any) -> None:
    begun = time.monotonic()
    replies = [await desk.reply(said, f"line {number}") for number in range(3)]
    for reply in replies:
        await desk.fate(reply, "sent")

    assert time.monotonic() - begun >= 1.9
    assert [one["text"] for one in bot_api.written()] == ["line 0", "line 1", "line 2"]


async def test_telegram_is_away_and_comes_back(bot: Any, bot_api: BotApiServer) -> None:
    async with bot(mode="polling") as desk:
        bot_api.fail("broken", "getUpdates", times=3)
        updates = [bot_api.update("message", bot_api.message(f"{number}")) for number in range(5)]
        await bot_api.push(*updates, *reversed(updates))
        await desk.until(CHAT, lambda found: len(found) == 5)
        await bot_api.confirmed(updates[-1])

        assert [message["text"] for message in await desk.stored()] == ["0", "1", "2", "3", "4"]


async def test_a_gateway_that_does_not_wait_for_updates_ends_no_polling(bot: Any, bot_api: BotApiServer) -> None:
    async with bot(mode="polling") as desk:
        await bot_api.polled()
        bot_api.fail("gateway", "getUpdates")
        await bot_api.push(bot_api.update("message", bot_api.message("one")))  # who has asked before has this one
        await desk.until(CHAT, len)
        await bot_api.push(bot_api.update("message", bot_api.message("two")))
        state = await desk.channel("tg", "backing_off")
        bot_api.fail(None, "getUpdates")
        await desk.until(CHAT, lambda found: len(found) == 2)

        assert "has not answered" in state["reason"]


@pytest.mark.parametrize(
    ("how", "told"), [("conflict", "another program receives for this bot"), ("refuse", "Telegram: Refused for good")]
)
async def test_what_ends_polling_is_told_and_tried_again(bot: Any, bot_api: BotApiServer, how: Any, told: str) -> None:
    async with bot(mode="polling") as desk:
        await bot_api.polled()
        bot_api.fail(how, "getUpdates")
        await bot_api.push(bot_api.update("message", bot_api.message("that ends the present one")))
        state = await desk.channel("tg", "backing_off")

        assert told in state["reason"]


async def test_updates_that_cannot_be_confirmed_are_asked_for_with_pauses(bot: Any, bot_api: BotApiServer) -> None:
    async with bot(mode="polling") as desk:
        await bot_api.push({"update_id": "seven", "message": 8})
        state = await desk.channel("tg", "backing_off")
        assert "no numbers" in state["reason"]
        bot_api.pending.clear()
        await bot_api.push(bot_api.update("message", bot_api.message("hello")))
        await desk.until(CHAT, len)


async def test_a_wrong_token_stops_the_channel_and_says_what_to_do(bot_api: BotApiServer, mongod_url: str) -> None:
    wrong = "7000000001:another_0123456789abcdefghij"
    channel = {"id": "tg", "connector": "telegram", "token": wrong, "api_url": bot_api.url}
    async with opened(mongod_url, channel) as desk:
        state = await desk.channel("tg", "failed")

    assert "ask BotFather for the token" in state["reason"]
    assert wrong not in state["reason"]


async def test_a_group_that_moved_meanwhile_is_answered_where_it_is_now(
    desk: Switchboard, bot_api: BotApiServer
) -> None:
    old, new = -77, -1007700000000
    await bot_api.push(bot_api.update("message", bot_api.message("before", chat=old)))
    (before,) = await desk.until(str(old), len)
    told = bot_api.move(old, new)  # and nobody has told us yet

    reply = await desk.fate(await desk.reply(before, "word " * 900), "sent")
    assert [int(call.arguments["chat_id"]) for call in bot_api.called("sendMessage")] == [old, new, new]
    assert len(bot_api.written(new)) == 2
    await bot_api.push(bot_api.update("message", bot_api.message("after", chat=new)))
    (after,) = await desk.until(str(new), len)
    await bot_api.push(bot_api.update("message", told))
    *_, event = await desk.until(str(new), lambda found: found[-1]["kind"] == "event")
    assert {one["conversation_id"] for one in (reply, after, event)} == {before["conversation_id"]}

    await desk.call("PATCH", f"/api/v1/messages/{reply['id']}", {"text": "one word"})
    assert [one["text"] for one in bot_api.written(new)] == ["one word"]
    again = await desk.fate(await desk.reply(before, "and by its new number"), "sent")
    assert again["external"]["thread_key"] == str(new)
