"""What a visitor is told beside messages: who took the conversation, what was seen, the queue, and how to rate."""

from __future__ import annotations

import asyncio
from typing import Any

from connectors.context import Picture, Standing
from normalizer.schema import Author

AYSE = Author(type="agent", id="secret-agent", name="Ayşe")
SHOWN = {"type": "agent", "name": "Ayşe", "picture": None}


async def test_welcome_tells_how_the_conversation_stands(chat: Any) -> None:
    tab = await chat.tab()
    assert [tab.welcome[key] for key in ("agent", "read", "rating")] == [None, None, None]
    ack = await tab.say("hello", "c-1")
    standing = Standing(
        conversation_id="conversation-1", agent=AYSE, read=ack["message"]["id"], resolved=True, rated=False
    )
    chat.context.feed.standings[chat.visitor(tab)] = standing
    back = await chat.tab(token=tab.token)
    assert (back.welcome["agent"], back.welcome["read"]) == (SHOWN, ack["message"]["id"])
    assert back.welcome["rating"] == "conversation-1"


async def test_each_change_is_told_once(chat: Any) -> None:
    tab = await chat.tab()
    visitor, feed = chat.visitor(tab), chat.context.feed
    await tab.say("hello", "c-1")
    await tab.next("message")
    feed.stands(visitor, Standing(conversation_id="conversation-1", ahead=2, wait_seconds=61.6))
    assert await tab.next("queue") == {"type": "queue", "position": 3, "wait_seconds": 62}
    feed.stands(visitor, Standing(conversation_id="conversation-1", agent=AYSE, read="message-1"))
    assert (await tab.next("queue"))["position"] == 0
    assert await tab.next("agent") == {"type": "agent", "author": SHOWN}
    assert await tab.next("read") == {"type": "read", "message_id": "message-1"}
    done = Standing(conversation_id="conversation-1", agent=AYSE, read="message-1", resolved=True)
    feed.stands(visitor, done)
    assert await tab.next("rating") == {"type": "rating", "conversation_id": "conversation-1"}
    feed.stands(visitor, done)
    assert await tab.quiet()


async def test_who_writes_first_is_told_their_place(chat: Any) -> None:
    tab = await chat.tab()
    chat.context.feed.standings[chat.visitor(tab)] = Standing(conversation_id="conversation-1", ahead=0)
    await tab.say("anybody there?", "c-1")
    assert await tab.next("queue") == {"type": "queue", "position": 1, "wait_seconds": None}
    back = await chat.tab(token=tab.token)
    assert (await back.next("queue"))["position"] == 1


async def test_nobody_is_asked_for_a_rating_where_that_is_off(serve: Any) -> None:
    async with serve(rating=False) as chat:
        tab = await chat.tab()
        await tab.say("hello", "c-1")
        await tab.next("message")
        resolved = Standing(conversation_id="conversation-1", agent=AYSE, resolved=True)
        chat.context.feed.stands(chat.visitor(tab), resolved)
        assert (await tab.next("agent"))["author"] == SHOWN
        assert await tab.quiet()
        assert (await chat.tab(token=tab.token)).welcome["rating"] is None


async def test_poll_tells_all_of_it(chat: Any) -> None:
    async def poll(**frame: Any) -> list[dict[str, Any]]:
        async with chat.http.post(chat.url("poll"), json=frame, headers=headers) as answer:
            frames: list[dict[str, Any]] = (await answer.json())["frames"]
            return frames

    headers: dict[str, str] = {}
    (welcome,) = await poll(type="hello")
    headers["Authorization"] = f"Bearer {welcome['token']}"
    await poll(type="message", client_id="c-1", text="hello")
    (visitor,) = {raw.sender for raw in chat.said()}
    feed = chat.context.feed
    feed.standings[visitor] = Standing(conversation_id="conversation-1", ahead=4)
    again, queue = await poll(type="hello", token=welcome["token"])
    assert (again["type"], queue["position"]) == ("welcome", 5)

    async def heard(happens: Any) -> list[dict[str, Any]]:
        waiting = asyncio.create_task(
            chat.http.get(chat.url("poll"), params={"cursor": again["cursor"], "wait": "5"}, headers=headers)
        )
        while not feed.attendants(visitor):
            await asyncio.sleep(0.01)
        happens()
        async with await waiting as answer:
            frames: list[dict[str, Any]] = (await answer.json())["frames"]
            return frames

    assert await heard(lambda: feed.typing(visitor, AYSE)) == [{"type": "typing", "author": SHOWN}]
    taken = Standing(conversation_id="conversation-1", agent=AYSE)
    assert {"type": "agent", "author": SHOWN} in await heard(lambda: feed.stands(visitor, taken))


async def test_agents_are_shown_with_their_picture(chat: Any) -> None:
    chat.context.faces.of["secret-agent"] = "p-1"
    chat.context.faces.pictures["p-1"] = Picture(content_type="image/png", content=b"png")
    tab = await chat.tab()
    await chat.context.reply(chat.visitor(tab), "Hello!")
    author = (await tab.next("message"))["message"]["author"]
    assert author == {**SHOWN, "picture": "pictures/p-1"}
    async with chat.http.get(chat.url(author["picture"])) as answer:
        assert (answer.status, answer.content_type, await answer.read()) == (200, "image/png", b"png")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    chat.context.feed.typing(chat.visitor(tab), AYSE)
    assert (await tab.next("typing"))["author"]["picture"] == "pictures/p-1"
    async with chat.http.get(chat.url("pictures/p-2")) as answer:
        assert answer.status == 404
