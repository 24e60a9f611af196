"""What people do on Telegram, as agents see it: through a real Bot API client, a real database and the API."""

from __future__ import annotations

import asyncio
import io
import json
import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from harness import PATIENCE, eventually
from switchboard import Switchboard

from connectors.telegram import hook
from connectors.testing.bot_api import CUSTOMER, BotApiServer
from connectors.testing.server import serving
from inbox.store import Store
from normalizer.outcomes import AVATAR_BYTES

GROUP = -1001234567890
CHAT = str(CUSTOMER)


async def pushed(bot_api: BotApiServer, kind: str, content: dict[str, Any]) -> None:
    assert await bot_api.push(bot_api.update(kind, content)) == [200]


def texts(messages: list[dict[str, Any]]) -> list[str]:
    return [message["text"] for message in messages]


async def test_a_message_names_its_writer_and_its_chat(desk: Switchboard, bot_api: BotApiServer) -> None:
    said = bot_api.message("Do you deliver to İzmir? 🙂")
    await pushed(bot_api, "message", said)
    (message,) = await desk.until(CHAT, len)

    assert message["text"] == "Do you deliver to İzmir? 🙂"
    assert message["html"] is None
    assert message["author"]["type"] == "customer"
    assert message["author"]["name"] == "Ada Byron"
    assert message["external"]["id"] == f"{CUSTOMER}/{said['message_id']}"
    conversation = await desk.get(f"/api/v1/conversations/{message['conversation_id']}")
    assert conversation["channels"] == ["tg"]


async def test_formatting_counts_in_utf_16(desk: Switchboard, bot_api: BotApiServer) -> None:
    text = "👨‍👩‍👧 say <hi> there"
    offset = len(text[: text.index("<hi>")].encode("utf-16-le")) // 2
    entities = [
        {"type": "bold", "offset": offset, "length": 4},
        {"type": "text_link", "offset": offset + 5, "length": 5, "url": "https://example.com/?a=1&b=2"},
        {"type": "text_link", "offset": 0, "length": 2, "url": "javascript:alert(1)"},
        {"type": "italic", "offset": 900, "length": 4},
    ]
    await pushed(bot_api, "message", bot_api.message(text, entities=entities))
    (message,) = await desk.until(CHAT, len)

    assert message["text"] == text
    assert message["html"] == (
        "👨‍👩‍👧 say <b>&lt;hi&gt;</b> "
        '<a href="https://example.com/?a=1&amp;b=2" rel="noopener noreferrer nofollow">there</a>'
    )


async def test_an_edit_is_a_revision_in_any_order(desk: Switchboard, bot_api: BotApiServer) -> None:
    said = bot_api.message("one")
    second = {**said, "text": "two", "edit_date": said["date"] + 10}
    third = {**said, "text": "three", "edit_date": said["date"] + 20}
    await pushed(bot_api, "edited_message", third)
    await pushed(bot_api, "message", said)
    await pushed(bot_api, "edited_message", second)
    (message,) = await desk.until(CHAT, lambda found: len(found[0]["revisions"]) == 2)

    assert message["text"] == "three"
    assert [revision["text"] for revision in message["revisions"]] == ["one", "two"]


async def test_a_live_location_is_where_it_is_now(desk: Switchboard, bot_api: BotApiServer) -> None:
    place = {"latitude": 38.4, "longitude": 27.0, "live_period": 900}
    said = bot_api.message(location=place)
    await pushed(bot_api, "message", said)
    for minute in range(1, 4):
        moved = {**said, "location": {**place, "longitude": 27.0 + minute}, "edit_date": said["date"] + 60 * minute}
        await pushed(bot_api, "edited_message", moved)
    (message,) = await desk.until(CHAT, lambda found: "38.4, 30.0" in found[0]["text"])

    assert message["parts"][0]["data"]["longitude"] == 30.0
    assert message["revisions"] == []

    late = {**said, "location": {**place, "longitude": 29.5}, "edit_date": said["date"] + 150}
    await pushed(bot_api, "edited_message", late)
    await pushed(bot_api, "message", bot_api.message("and then"))
    message, _ = await desk.until(CHAT, lambda found: len(found) == 2)
    assert message["parts"][0]["data"]["longitude"] == 30.0


async def test_an_edited_caption_fetches_nothing_again_and_another_file_takes_the_first_away(
    desk: Switchboard, bot_api: BotApiServer, mongod_url: str
) -> None:
    said = bot_api.message(caption="My bil", document=bot_api.file(b"bill", file_name="bill.pdf"))
    await pushed(bot_api, "message", said)
    await desk.until(CHAT, lambda found: found[0]["attachments"][0]["state"] == "ready")
    await pushed(bot_api, "edited_message", {**said, "caption": "My bill", "edit_date": said["date"] + 1})
    (message,) = await desk.until(CHAT, lambda found: found[0]["text"] == "My bill")

    assert message["attachments"][0]["state"] == "ready"
    assert len(bot_api.called("getFile")) == 1

    other = {**said, "document": bot_api.file(b"the bill", file_name="bill.pdf"), "edit_date": said["date"] + 2}
    await pushed(bot_api, "edited_message", other)
    first = message["attachments"][0]["id"]

    def is_other(found: list[dict[str, Any]]) -> bool:
        (file,) = found[0]["attachments"]
        return file["id"] != first and file["state"] == "ready"

    (edited,) = await desk.until(CHAT, is_other)
    store = await Store.open(mongod_url)
    assert await store.files.sweep(datetime.now(UTC) + timedelta(days=3)) == 1
    with pytest.raises(LookupError):
        await anext(store.files.open(first))
    await store.close()
    assert await desk.download(edited["attachments"][0]) == b"the bill"


async def test_too_large_and_vanished_files_are_shown_so(desk: Switchboard, bot_api: BotApiServer) -> None:
    large = {**bot_api.file(b"x", file_name="film.mp4"), "file_size": 21 * 1024 * 1024}
    gone = bot_api.file(b"y", file_name="gone.pdf")
    del bot_api.files[gone["file_id"]]
    await pushed(bot_api, "message", bot_api.message(document=large))
    await pushed(bot_api, "message", bot_api.message(document=gone))
    first, second = await desk.until(
        CHAT, lambda found: len(found) == 2 and found[1]["attachments"][0]["state"] != "pending"
    )

    assert [one["state"] for one in (*first["attachments"], *second["attachments"])] == ["too_large", "expired"]
    assert [call.arguments["file_id"] for call in bot_api.called("getFile")] == [gone["file_id"]]


async def test_a_file_that_cannot_be_had_now_comes_later(desk: Switchboard, bot_api: BotApiServer) -> None:
    bot_api.fail("busy", "getFile", times=1)
    await pushed(bot_api, "message", bot_api.message(voice=bot_api.file(b"sound", mime_type="audio/ogg")))
    (message,) = await desk.until(CHAT, lambda found: found[0]["attachments"][0]["state"] == "ready")

    assert await desk.download(message["attachments"][0]) == b"sound"


async def test_reactions_come_and_go(desk: Switchboard, bot_api: BotApiServer) -> None:
    said = bot_api.message("Done?")
    thumb, heart, fire = ({"type": "emoji", "emoji": emoji} for emoji in "👍❤🔥")
    told = {"chat": said["chat"], "message_id": said["message_id"], "user": said["from"]}
    await pushed(bot_api, "message", said)
    changes: list[tuple[int, list[Any], list[Any]]] = [
        *((9, [fire], []), (8, [], [fire])),  # in this order they arrive
        *((0, [], [thumb]), (1, [thumb], [heart])),
    ]
    for seconds, before, after in changes:
        change = {"date": said["date"] + seconds, "old_reaction": before, "new_reaction": after}
        await pushed(bot_api, "message_reaction", {**told, **change})
    (message,) = await desk.until(CHAT, lambda found: [one["emoji"] for one in found[0]["reactions"]] == ["❤"])

    assert message["reactions"][0]["author"]["name"] == "Ada Byron"


async def test_a_pressed_button_is_what_its_label_says(desk: Switchboard, bot_api: BotApiServer) -> None:
    await pushed(bot_api, "message", bot_api.message("hello"))
    (said,) = await desk.until(CHAT, len)
    reply = await desk.fate(await desk.reply(said, "Shall we?"), "sent")
    (sent,) = bot_api.written()
    keyboard = {"inline_keyboard": [[{"text": "Yes, please", "callback_data": "yes"}]]}
    await bot_api.press({**sent, "reply_markup": keyboard}, "yes")
    *_, choice = await desk.until(CHAT, lambda found: len(found) == 3)

    assert choice["text"] == "Yes, please"
    assert choice["parts"] == [{"type": "choice", "text": "Yes, please", "data": {"value": "yes"}}]
    assert choice["relations"]["reply_to"] == reply["id"]

    async def answered() -> Any:
        return bot_api.called("answerCallbackQuery")

    await eventually(answered)


async def test_who_blocks_the_bot_cannot_be_answered_until_they_are_back(
    desk: Switchboard, bot_api: BotApiServer
) -> None:
    said = bot_api.message("hello")
    await pushed(bot_api, "message", said)
    (message,) = await desk.until(CHAT, len)
    member = {"chat": said["chat"], "from": said["from"], "date": said["date"]}
    await pushed(bot_api, "my_chat_member", {**member, "new_chat_member": {"status": "kicked"}})

    async def shut_out() -> Any:
        (way,) = (await desk.get(f"/api/v1/conversations/{message['conversation_id']}/ways"))["items"]
        return way["refused"] and way

    way = await eventually(shut_out)
    assert way["refused"] == {"type": "unreachable", "detail": "nothing can be sent: Ada Byron blocked the bot"}
    assert way["identity"]["unreachable"] == {"tg": "Ada Byron blocked the bot"}
    problem = await desk.reply(message, "Are you there?", status=422)
    assert (problem["type"], problem["detail"]) == ("unreachable", way["refused"]["detail"])

    await pushed(bot_api, "my_chat_member", {**member, "new_chat_member": {"status": "member"}})
    await pushed(bot_api, "message", bot_api.message("back again"))
    *_, last = await desk.until(CHAT, lambda found: len(found) == 2)
    await desk.fate(await desk.reply(last, "Welcome back"), "sent")


async def test_a_group_is_the_conversation_and_its_members_are_authors(
    desk: Switchboard, bot_api: BotApiServer
) -> None:
    ada = bot_api.message("I am Ada", chat=GROUP)
    bob = bot_api.message("I am Bob", chat=GROUP)
    bob["from"] = {"id": 99, "is_bot": False, "first_name": "Bob"}
    for said in (ada, bob):
        await pushed(bot_api, "message", said)
    first, second = await desk.until(str(GROUP), lambda found: len(found) == 2)

    assert first["conversation_id"] == second["conversation_id"]
    assert [first["author"]["name"], second["author"]["name"]] == ["Ada Byron", "Bob"]
    conversation = await desk.get(f"/api/v1/conversations/{first['conversation_id']}")
    assert conversation["customer"]["name"] == "Machines"
    reply = await desk.fate(await desk.reply(second, "Hello both"), "sent")
    assert reply["external"]["thread_key"] == str(GROUP)
    assert [one["text"] for one in bot_api.written(GROUP)] == ["Hello both"]
    await pushed(bot_api, "edited_message", {**ada, "text": "I was Ada", "edit_date": ada["date"] + 5})
    edited, *_ = await desk.until(str(GROUP), lambda found: found[0]["revisions"])
    assert edited["channel_data"]["telegram.chat"]["id"] == GROUP  # of more than 32 bits


async def test_a_topic_is_a_thread_of_its_own_and_is_answered_there(desk: Switchboard, bot_api: BotApiServer) -> None:
    topics: dict[str, dict[str, Any]] = {
        "7": {"message_thread_id": 7, "is_topic_message": True},
        "direct:8": {"direct_messages_topic": {"topic_id": 8}},
    }
    said = []
    for topic, fields in topics.items():
        await pushed(bot_api, "message", bot_api.message("in a topic", chat=GROUP, **fields))
        said += await desk.until(f"{GROUP}/{topic}", len)
    await pushed(bot_api, "message", bot_api.message("in general", chat=GROUP))
    said += await desk.until(str(GROUP), len)

    assert len({message["conversation_id"] for message in said}) == 3
    begun = time.monotonic()
    for reply in [await desk.reply(message, "there") for message in said]:
        await desk.fate(reply, "sent")
    assert time.monotonic() - begun >= 1.9  # a group bears one message a second, whatever its topics
    written = bot_api.written(GROUP)
    places = [(one.get("message_thread_id"), one.get("direct_messages_topic_id")) for one in written]
    assert sorted(places, key=str) == [("7", None), (None, "8"), (None, None)]


async def test_who_talks_with_a_channel_is_the_customer_and_the_channel_answers(
    desk: Switchboard, bot_api: BotApiServer
) -> None:
    ada = {"id": CUSTOMER, "is_bot": False, "first_name": "Ada", "last_name": "Byron"}
    talk = {"direct_messages_topic": {"topic_id": 8, "user": ada}}
    channel = {"id": -1009, "type": "channel", "title": "Machines"}
    await pushed(bot_api, "message", bot_api.message("hello", chat=GROUP, **talk))
    await pushed(bot_api, "message", bot_api.message("good day", chat=GROUP, sender_chat=channel, **talk))
    asked, answered = await desk.until(f"{GROUP}/direct:8", lambda found: len(found) == 2)

    conversation = await desk.get(f"/api/v1/conversations/{asked['conversation_id']}")
    assert conversation["customer"]["name"] == "Ada Byron"
    assert (asked["direction"], asked["author"]["type"]) == ("inbound", "customer")
    assert (answered["direction"], answered["author"]["type"]) == ("outbound", "agent")
    assert answered["author"]["name"] == "Machines"
    assert conversation["waiting_since"] is None


async def test_a_button_that_bots_cannot_reach_is_pressed_in_its_talk_with_a_channel(
    desk: Switchboard, bot_api: BotApiServer
) -> None:
    ada = {"id": CUSTOMER, "is_bot": False, "first_name": "Ada", "last_name": "Byron"}
    talk = {"direct_messages_topic": {"topic_id": CUSTOMER, "user": ada}}
    key = f"{GROUP}/direct:{CUSTOMER}"
    await pushed(bot_api, "message", bot_api.message("hello", chat=GROUP, **talk))
    (said,) = await desk.until(key, len)
    reply = await desk.fate(await desk.reply(said, "Shall we?"), "sent")
    chat = {"id": GROUP, "type": "supergroup", "title": "Machines", "is_direct_messages": True}
    number = int(reply["external"]["id"].rpartition("/")[2])
    await bot_api.press({"chat": chat, "message_id": number, "date": 0}, "yes")
    *_, pressed = await desk.until(key, lambda found: len(found) == 3)

    assert (pressed["text"], pressed["relations"]["reply_to"]) == ("yes", reply["id"])
    assert pressed["conversation_id"] == said["conversation_id"]
    assert pressed["customer_id"] == said["customer_id"]


async def test_a_button_that_bots_cannot_reach_is_pressed_in_its_topic_of_a_forum(
    desk: Switchboard, bot_api: BotApiServer
) -> None:
    forum = {"is_topic_message": True, "message_thread_id": 5}
    await pushed(bot_api, "message", bot_api.message("hello", chat=GROUP, **forum))
    (said,) = await desk.until(f"{GROUP}/5", len)
    reply = await desk.fate(await desk.reply(said, "Shall we?"), "sent")
    chat = {"id": GROUP, "type": "supergroup", "title": "Machines", "is_forum": True}
    number = int(reply["external"]["id"].rpartition("/")[2])
    await bot_api.press({"chat": chat, "message_id": number, "date": 0}, "yes")
    await bot_api.press({"chat": chat, "message_id": number + 1000, "date": 0}, "of what nobody knows")
    *_, pressed = await desk.until(f"{GROUP}/5", lambda found: len(found) == 3)
    (unknown,) = await desk.until(str(GROUP), len)

    assert (pressed["text"], pressed["relations"]["reply_to"]) == ("yes", reply["id"])
    assert pressed["conversation_id"] == said["conversation_id"]
    assert (unknown["text"], unknown["relations"]["reply_to"]) == ("of what nobody knows", None)


@pytest.mark.parametrize("mode", ["hook", "polling"])
async def test_another_bot_in_the_place_of_one_numbers_anew(bot: Any, bot_api: BotApiServer, mode: str) -> None:
    async with bot(mode=mode) as desk:
        if mode == "hook":
            await bot_api.hooked()
        for number in range(3):
            await bot_api.push(bot_api.update("message", bot_api.message(f"old {number}")))
        await desk.until(CHAT, lambda found: len(found) == 3)
    token = "777:another_0123456789abcdefghijklmno"
    async with serving(BotApiServer(token)) as other:
        first = other.update("message", other.message("new"))
        if mode == "polling":  # it waits since before we are there
            await other.push(first)
        async with bot(mode=mode, token=token, api_url=other.url) as desk:
            if mode == "hook":
                await other.hooked()
                await other.push(first)
            found = await desk.until(CHAT, lambda found: len(found) == 4)
    assert texts(found)[-1] == "new"
    assert found[-1]["external"]["id"] == found[0]["external"]["id"]


async def test_groups_can_be_ignored(bot: Any, bot_api: BotApiServer) -> None:
    async with bot(groups="ignore", mode="polling") as desk:
        update = bot_api.update("message", bot_api.message("in a group", chat=GROUP))
        await bot_api.push(update, bot_api.update("message", bot_api.message("alone")))
        await desk.until(CHAT, len)
        assert texts(await desk.stored()) == ["alone"]


async def test_an_answer_names_the_message_that_it_answers(desk: Switchboard, bot_api: BotApiServer) -> None:
    await pushed(bot_api, "message", bot_api.message("hello"))
    (said,) = await desk.until(CHAT, len)
    reply = await desk.fate(await desk.reply(said, "Which lamp?"), "sent")
    (sent,) = bot_api.written()
    quote = {"text": "lamp", "position": 6}
    await pushed(bot_api, "message", bot_api.message("This one", reply_to_message=sent, quote=quote))
    *_, answer = await desk.until(CHAT, lambda found: len(found) == 3)

    assert answer["relations"]["reply_to"] == reply["id"]
    assert answer["quoted"] == "lamp"


async def test_a_group_that_moves_stays_one_conversation(desk: Switchboard, bot_api: BotApiServer) -> None:
    old, new = -77, -1007700000000
    await pushed(bot_api, "message", bot_api.message("before", chat=old))
    await pushed(bot_api, "message", bot_api.message(chat=old, migrate_to_chat_id=new))
    await pushed(bot_api, "message", bot_api.message("after", chat=new))
    await desk.until(str(new), lambda found: len(found) == 2)

    messages = await desk.stored()
    assert texts(messages) == ["before", "This group became a supergroup", "after"]
    assert len({message["conversation_id"] for message in messages}) == 1


async def test_names_and_pictures_are_asked_for(desk: Switchboard, bot_api: BotApiServer) -> None:
    png = b"\x89PNG\r\n\x1a\n" + random.Random(1).randbytes(100)
    bot_api.files["avatar"] = png
    await pushed(bot_api, "message", bot_api.message("hello"))
    (message,) = await desk.until(CHAT, len)

    async def pictured() -> Any:
        return (await desk.get(f"/api/v1/customers/{message['customer_id']}"))["avatar"]

    async with desk.http.get(await eventually(pictured)) as answer:
        assert await answer.read() == png


async def test_a_picture_that_is_too_large_does_not_cost_the_name(desk: Switchboard, bot_api: BotApiServer) -> None:
    bot_api.files["avatar"] = b"\x89PNG\r\n\x1a\n" + bytes(AVATAR_BYTES)
    bot_api.message("not sent")["chat"]["first_name"] = "Augusta"  # which is what `getChat` tells
    await pushed(bot_api, "message", bot_api.message("hello"))
    (message,) = await desk.until(CHAT, len)

    async def named() -> Any:
        customer = await desk.get(f"/api/v1/customers/{message['customer_id']}")
        return customer if customer["identities"][0]["name"] == "Augusta Byron" else None

    assert (await eventually(named))["avatar"] is None


async def test_what_no_document_foresees_is_kept_and_shown(desk: Switchboard, bot_api: BotApiServer) -> None:
    await pushed(bot_api, "message", bot_api.message(hologram={"depth": 3}))
    (message,) = await desk.until(CHAT, len)

    assert message["text"] == "A message that this version cannot show (hologram)"
    async with desk.http.get(f"/api/v1/messages/{message['id']}/original") as answer:
        assert (await answer.json())["message"]["hologram"] == {"depth": 3}


@pytest.mark.parametrize(
    "body",
    [
        b'{"update_id": 1, "message": {"mess',
        b"[1, 2]",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"update_id": "seven", "message": 8}',
        b'{"update_id": 12, "message": {"message_id": [], "chat": {"id": {}}, "text": 7, "date": "x"}}',
        b'{"update_id": 99999999999999999999, "message": {"message_id": 1, "chat": {"id": 1e99}}}',
        b'{"update_id": 13, "message": {"message_id": 1, "chat": {"id": 5, "type": 9}, "photo": {}, "entities": 1}}',
        b'{"update_id": 14, "message": {"message_id": 1, "date": 1e400, "chat": {"id": 6}, "text": "\\ud800"}}',
    ],
)
async def test_what_is_no_update_is_taken_and_harms_nobody(
    desk: Switchboard, bot_api: BotApiServer, body: bytes
) -> None:
    headers = {"X-Telegram-Bot-Api-Secret-Token": bot_api.hook["secret_token"]}
    async with aiohttp.ClientSession() as http, http.post(f"{desk.url}/hooks/tg", data=body, headers=headers) as answer:
        assert answer.status == 200
    await pushed(bot_api, "message", bot_api.message("still here"))
    await desk.until(CHAT, lambda found: texts(found) == ["still here"])

    assert (await desk.get("/api/v1/ingest/failed"))["items"] == []


async def test_ten_megabytes_are_refused(desk: Switchboard, bot_api: BotApiServer) -> None:
    headers = {"X-Telegram-Bot-Api-Secret-Token": bot_api.hook["secret_token"]}
    body = io.BytesIO(json.dumps({"update_id": 1, "message": {"text": "x" * 10_000_000}}).encode())
    async with aiohttp.ClientSession() as http, http.post(f"{desk.url}/hooks/tg", data=body, headers=headers) as answer:
        assert answer.status == 413


async def test_a_secret_that_is_no_text_is_a_wrong_one(desk: Switchboard) -> None:
    there = urlsplit(desk.url)
    reader, writer = await asyncio.open_connection(there.hostname, there.port)
    writer.write(
        b"POST /hooks/tg HTTP/1.1\r\nHost: santral\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
        b"X-Telegram-Bot-Api-Secret-Token: \xff\xfe\r\n\r\n{}"
    )
    assert await reader.readline() == b"HTTP/1.1 401 Unauthorized\r\n"
    writer.close()


async def test_a_hook_is_set_when_telegram_wishes(
    bot: Any, bot_api: BotApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hook, "RETRY_SECONDS", (600.0,))
    bot_api.fail("busy", "setWebhook", times=1)
    async with bot(), asyncio.timeout(PATIENCE):
        await bot_api.hooked()


async def test_a_hook_that_was_taken_away_is_set_again(
    bot: Any, bot_api: BotApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hook, "AGAIN_SECONDS", 0.1)
    async with bot() as desk, asyncio.timeout(PATIENCE):
        await bot_api.hooked()
        bot_api.hook = None
        await bot_api.hooked()
        await pushed(bot_api, "message", bot_api.message("still here?"))
        await desk.until(CHAT, len)


@pytest.mark.parametrize("secret", [None, "", "hook-secret_0123456788", "hook-secret_0123456789x", "ğ"])
async def test_a_wrong_secret_changes_nothing(desk: Switchboard, bot_api: BotApiServer, secret: str | None) -> None:
    headers = {} if secret is None else {"X-Telegram-Bot-Api-Secret-Token": secret}
    update = bot_api.update("message", bot_api.message("let me in"))
    async with aiohttp.ClientSession() as http, http.post(f"{desk.url}/hooks/tg", json=update, headers=headers) as it:
        assert it.status == 401
    await pushed(bot_api, "message", bot_api.message("me too"))
    await desk.until(CHAT, lambda found: texts(found) == ["me too"])
    async with desk.http.get("/metrics") as answer:
        assert 'santral_requests_turned_away_total{channel="tg",reason="secret"} 1.0' in await answer.text()
