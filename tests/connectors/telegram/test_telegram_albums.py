"""Albums on Telegram, as agents see them: several items that are one message, each of which may change and go."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from switchboard import Switchboard

from connectors.testing.bot_api import CUSTOMER, BotApiServer

THREAD = f"{CUSTOMER}@b"  # of a business: only there Telegram tells what was deleted
BUSINESS = {"business_connection_id": "b"}


@pytest.fixture
def items(bot_api: BotApiServer) -> list[dict[str, Any]]:
    """Three, of which the first and the last have captions."""
    captions = [{"caption": "The <old> lamp"}, {}, {"caption": "The new one", "caption_entities": [BOLD]}]
    return [
        bot_api.message(media_group_id="a", photo=photo(bot_api, f"{number}"), **caption, **BUSINESS)
        for number, caption in enumerate(captions)
    ]


BOLD = {"type": "bold", "offset": 4, "length": 3}


def photo(bot_api: BotApiServer, content: str) -> list[dict[str, Any]]:
    return [bot_api.file(content.encode(), width=9, height=9)]


async def came(bot_api: BotApiServer, *items: dict[str, Any]) -> None:
    await bot_api.push(*(bot_api.update("business_message", item) for item in items))


async def edited(bot_api: BotApiServer, item: dict[str, Any], seconds: int, **fields: Any) -> None:
    edit = {**item, **fields, "edit_date": item["date"] + seconds}
    await bot_api.push(bot_api.update("edited_business_message", edit))


async def deleted(bot_api: BotApiServer, *items: dict[str, Any]) -> None:
    told = {**BUSINESS, "chat": items[0]["chat"], "message_ids": [item["message_id"] for item in items]}
    await bot_api.push(bot_api.update("deleted_business_messages", told))


async def shown(desk: Switchboard, text: str, *contents: bytes) -> dict[str, Any]:
    """The one message, as soon as it says this and its files are these."""
    (message,) = await desk.until(
        THREAD,
        lambda found: (
            found[0]["text"] == text and [one["state"] for one in found[0]["attachments"]] == ["ready"] * len(contents)
        ),
    )
    assert [await desk.download(one) for one in message["attachments"]] == list(contents)
    return message


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_an_album_is_one_message_in_any_order(desk: Switchboard, bot_api: BotApiServer, order: Any) -> None:
    contents = [b"first" * 100, b"second" * 100, b"third" * 100]
    items = [
        bot_api.message(
            media_group_id="album-1",
            document=bot_api.file(content, file_name=f"{number}.txt", mime_type="text/plain"),
            **({"caption": "Three bills"} if number == 1 else {}),
        )
        for number, content in enumerate(contents)
    ]
    for number in order:
        await bot_api.push(bot_api.update("message", items[number]))
    (message,) = await desk.until(
        str(CUSTOMER), lambda found: [one["state"] for one in found[0]["attachments"]] == ["ready"] * 3
    )

    assert message["text"] == "Three bills"
    assert [one["filename"] for one in message["attachments"]] == ["0.txt", "1.txt", "2.txt"]
    assert [await desk.download(one) for one in message["attachments"]] == contents
    assert message["external"]["ids"] == [f"{CUSTOMER}/{item['message_id']}" for item in items]
    assert message["relations"]["group_id"] == "album-1"


async def test_captions_stand_in_the_order_of_their_items(desk: Switchboard, bot_api: BotApiServer, items: Any) -> None:
    live = {**items[1], "live_photo": bot_api.file(b"1 moves", width=9, height=9, duration=3)}
    await came(bot_api, items[2], live, items[0])
    message = await shown(desk, "The <old> lamp\nThe new one", b"0", b"1", b"1 moves", b"2")

    assert message["html"] == "The &lt;old&gt; lamp<br>The <b>new</b> one"
    first, picture, video, last = (one["id"] for one in message["attachments"])
    assert [(one["text"], one["files"]) for one in message["external"]["items"]] == [
        ("The <old> lamp", [first]),
        ("", [picture, video]),
        ("The new one", [last]),
    ]


async def test_an_item_is_changed_alone(desk: Switchboard, bot_api: BotApiServer, items: Any) -> None:
    await came(bot_api, *items)
    await edited(bot_api, items[1], 10, caption="A cable", photo=photo(bot_api, "a cable"))
    await edited(bot_api, items[0], 5, caption="")
    await edited(bot_api, items[1], 8, caption="A cabel")
    await edited(bot_api, items[2], 9, caption="The new one", caption_entities=[])
    message = await shown(desk, "A cable\nThe new one", b"0", b"a cable", b"2")

    await desk.until(THREAD, lambda found: found[0]["html"] is None)
    before = ["The <old> lamp\nThe new one", "The <old> lamp\nA cable\nThe new one", "A cable\nThe new one"]
    assert [one["text"] for one in message["revisions"]] == before[: len(message["revisions"])]


async def test_an_item_is_deleted_alone_and_the_message_with_the_last(
    desk: Switchboard, bot_api: BotApiServer, items: Any
) -> None:
    await deleted(bot_api, items[2])
    await came(bot_api, *items)
    await deleted(bot_api, items[0])
    message = await shown(desk, "", b"1")

    assert message["deleted_at"] is None
    assert message["external"]["id"] == f"{THREAD}/{items[1]['message_id']}"
    await deleted(bot_api, items[1])
    (message,) = await desk.until(THREAD, lambda found: found[0]["deleted_at"])
    assert len(message["attachments"]) == 1
    late = bot_api.message(media_group_id="a", photo=photo(bot_api, "late"), caption="And this", **BUSINESS)
    await came(bot_api, late)
    assert (await shown(desk, "And this", b"late"))["deleted_at"] is None


async def test_a_piece_of_a_reply_is_changed_and_deleted_alone(desk: Switchboard, bot_api: BotApiServer) -> None:
    await came(bot_api, bot_api.message("hello", **BUSINESS))
    (said,) = await desk.until(THREAD, len)
    reply = await desk.fate(await desk.reply(said, "word " * 900), "sent")
    first, second = bot_api.written()
    await edited(bot_api, first, 1, text="another", **BUSINESS)
    await deleted(bot_api, first)
    *_, left = await desk.until(THREAD, lambda found: len(found[-1]["external"]["ids"]) == 1)

    assert (left["text"], left["deleted_at"], left["revisions"]) == (reply["text"], None, [])
    assert left["external"]["ids"] == [f"{THREAD}/{second['message_id']}"]
    await deleted(bot_api, second)
    await desk.until(THREAD, lambda found: found[-1]["deleted_at"])
