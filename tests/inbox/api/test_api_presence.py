"""Who is looking at a conversation and who types in it, as other agents are told."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from aiohttp import ClientWebSocketResponse
from api_desk import Desk
from harness import PATIENCE

from inbox.api.live import FRAMES_A_SECOND


@asynccontextmanager
async def streaming(desk: Desk, name: str, query: str = "", **rights: Any) -> AsyncIterator[ClientWebSocketResponse]:
    body = {"name": name, **rights}
    token = (await desk.send("POST", "/api/v1/tokens", body, status=201))["token"]
    path = f"/api/v1/stream{query}"
    async with desk.http.ws_connect(path, headers={"Authorization": f"Bearer {token}"}) as stream:
        assert (await stream.receive_json())["type"] == "hello"
        yield stream


async def told(stream: ClientWebSocketResponse, kind: str, *conversations: str) -> dict[str, Any]:
    """The next frame of that kind about these conversations: who left another test's may be told only now."""
    async with asyncio.timeout(PATIENCE):
        while True:
            frame: dict[str, Any] = await stream.receive_json()
            if frame["type"] == kind and (not conversations or frame["conversation_id"] in conversations):
                return frame


async def view(stream: ClientWebSocketResponse, conversation: str | None) -> None:
    await stream.send_json({"type": "viewing", "conversation_id": conversation})


async def test_agents_see_each_other_come_type_and_go(desk: Desk) -> None:
    conversation = (await desk.letter("hello", **{"from": str(uuid.uuid4())}))["conversation_id"]
    async with streaming(desk, "Grace") as grace, streaming(desk, "Ada") as ada:
        await view(grace, conversation)
        came = await told(ada, "presence", conversation)
        assert (came["state"], came["author"]["name"], came["conversation_id"]) == ("here", "Grace", conversation)

        await view(ada, conversation)  # who comes later is told who is there
        assert [(await told(stream, "presence", conversation))["author"]["name"] for stream in (grace, ada)] == [
            "Ada",
            "Grace",
        ]

        await grace.send_json({"type": "typing", "conversation_id": conversation})
        typing = await told(ada, "typing", conversation)
        assert (typing["author"]["type"], typing["author"]["name"], typing.get("state")) == ("agent", "Grace", None)

        await view(grace, None)
        assert (await told(ada, "presence", conversation))["state"] == "gone"
        await view(grace, conversation)
        assert (await told(ada, "presence", conversation))["state"] == "here"
        await grace.close()
        assert (await told(ada, "presence", conversation))["state"] == "gone"


async def test_who_opens_a_stream_is_told_who_is_where_of_what_they_see(desk: Desk) -> None:
    team = (await desk.send("POST", "/api/v1/teams", {"name": "hushed"}, status=201))["id"]
    hidden, open_ = [(await desk.letter("hello", **{"from": str(uuid.uuid4())}))["conversation_id"] for _ in range(2)]
    await desk.send("PATCH", f"/api/v1/conversations/{hidden}", {"team": team})
    async with (
        streaming(desk, "Grace", teams=[team]) as grace,
        streaming(desk, "Hedy", teams=[team]) as hedy,
        streaming(desk, "watch", role="admin") as watch,
    ):
        await view(grace, hidden)
        await view(hedy, open_)
        assert {(await told(watch, "presence", hidden, open_))["conversation_id"] for _ in range(2)} == {hidden, open_}
        async with streaming(desk, "late") as late:
            came = await told(late, "presence", hidden, open_)
            assert (came["state"], came["author"]["name"], came["conversation_id"]) == ("here", "Hedy", open_)
        async with streaming(desk, "late", teams=[team]) as late:
            assert {(await told(late, "presence", hidden, open_))["author"]["name"] for _ in range(2)} == {
                "Grace",
                "Hedy",
            }


async def test_a_stream_begins_with_hello_however_much_goes_on(desk: Desk) -> None:
    conversation = (await desk.letter("hello", **{"from": str(uuid.uuid4())}))["conversation_id"]
    over = asyncio.Event()

    async def comes_and_goes(stream: ClientWebSocketResponse) -> None:
        while not over.is_set():
            for looked_at in (conversation, None):
                await view(stream, looked_at)
                await asyncio.sleep(1 / FRAMES_A_SECOND)

    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        for number in range(10):
            group.create_task(comes_and_goes(await stack.enter_async_context(streaming(desk, f"Busy {number}"))))
        for _ in range(100):
            async with streaming(desk, "Newcomer"):
                pass
        over.set()


async def test_who_closes_one_of_two_windows_is_still_here(desk: Desk) -> None:
    conversation = (await desk.letter("hello", **{"from": str(uuid.uuid4())}))["conversation_id"]
    token = (await desk.send("POST", "/api/v1/tokens", {"name": "Grace"}, status=201))["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    async with (
        streaming(desk, "Ada") as ada,
        desk.http.ws_connect("/api/v1/stream", headers=bearer) as one,
        desk.http.ws_connect("/api/v1/stream", headers=bearer) as other,
    ):
        await view(one, conversation)
        await view(other, conversation)
        assert [(await told(ada, "presence", conversation))["state"] for _ in range(2)] == ["here", "here"]
        await view(one, None)
        assert [(await told(ada, "presence", conversation))["state"] for _ in range(2)] == ["gone", "here"]
        await view(other, None)
        assert (await told(ada, "presence", conversation))["state"] == "gone"


async def test_nobody_is_told_of_what_they_do_not_see(desk: Desk) -> None:
    team = (await desk.send("POST", "/api/v1/teams", {"name": "quiet"}, status=201))["id"]
    hidden, open_ = [(await desk.letter("hello", **{"from": str(uuid.uuid4())}))["conversation_id"] for _ in range(2)]
    await desk.send("PATCH", f"/api/v1/conversations/{hidden}", {"team": team})
    async with (
        streaming(desk, "inside", teams=[team]) as inside,
        streaming(desk, "outside") as outside,
        streaming(desk, "elsewhere", f"?conversation={hidden}", role="admin") as elsewhere,
    ):
        for conversation in (hidden, open_):
            await inside.send_json({"type": "typing", "conversation_id": conversation})
        assert (await told(outside, "typing", hidden, open_))["conversation_id"] == open_
        assert (await told(elsewhere, "typing", hidden, open_))["conversation_id"] == hidden
        await outside.send_json({"type": "typing", "conversation_id": hidden})
        assert (await told(outside, "problem"))["problem"]["type"] == "not-found"


async def test_a_frame_that_means_nothing_is_answered_and_too_many_are_passed_over(desk: Desk) -> None:
    conversation = (await desk.letter("hello", **{"from": str(uuid.uuid4())}))["conversation_id"]
    async with streaming(desk, "Grace") as grace, streaming(desk, "Ada") as ada:
        for frame in ("no json", "[" * 3000, '{"type":"dance"}', '{"type":"typing","conversation_id":5}'):
            await grace.send_str(frame)
            assert (await told(grace, "problem"))["problem"]["type"] == "invalid-frame"
            await asyncio.sleep(0.2)  # the pace that is allowed
        loop = asyncio.get_running_loop()
        began = loop.time()
        for _ in range(200):
            await grace.send_json({"type": "typing", "conversation_id": conversation})
        message = await desk.letter("the end", **{"from": str(uuid.uuid4())})
        seen = 0
        async with asyncio.timeout(PATIENCE):
            while (frame := await ada.receive_json()).get("message_id") != message["id"]:
                seen += frame["type"] == "typing"
        assert seen <= FRAMES_A_SECOND * (1 + loop.time() - began)  # a second's worth at once, and then at that pace
