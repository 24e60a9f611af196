from __future__ import annotations

import asyncio
import contextlib
import uuid
from typing import Any

import aiohttp
import pytest
from api_desk import Desk
from harness import PATIENCE

STREAM = "/api/v1/stream"
EVENTS = "/api/v1/events"


async def frames_until(socket: aiohttp.ClientWebSocketResponse, message_id: str) -> list[dict[str, Any]]:
    """The events that come, up to the one that tells of the message: somebody may be told to have gone beside them."""
    found: list[dict[str, Any]] = []
    while not found or found[-1]["message_id"] != message_id:
        frame = await socket.receive_json(timeout=PATIENCE)
        if frame["type"] != "presence":
            found.append(frame)
    return found


async def test_events_go_on_from_a_cursor(desk: Desk) -> None:
    start = await desk.get(EVENTS)
    assert start["items"] == []
    message = await desk.letter("hello", **{"from": str(uuid.uuid4())})

    page = await desk.get(EVENTS, after=start["next"])

    mine = {item["type"]: item for item in page["items"] if item["conversation_id"] == message["conversation_id"]}
    assert mine.keys() == {"message.created", "conversation.created"}
    assert mine["message.created"]["message_id"] == message["id"]
    assert mine["message.created"]["data"]["message"] == message
    assert "customer.created" in {item["type"] for item in page["items"]}
    assert page["next"] == page["items"][-1]["id"]
    later = await desk.get(EVENTS, after=page["next"])
    assert all(item not in page["items"] for item in later["items"])
    one_by_one = [(await desk.get(EVENTS, after=start["next"], limit=1))["items"][0]]
    while len(one_by_one) < len(page["items"]):
        one_by_one += (await desk.get(EVENTS, after=one_by_one[-1]["id"], limit=1))["items"]
    assert one_by_one == page["items"]


async def test_the_stream_tells_the_same_live(desk: Desk) -> None:
    async with desk.http.ws_connect(STREAM) as socket:
        hello = await socket.receive_json()
        message = await desk.letter("hello", **{"from": str(uuid.uuid4())})
        frames = await frames_until(socket, message["id"])

    assert hello["type"] == "hello"
    page = await desk.get(EVENTS, after=hello["cursor"])
    assert frames == page["items"][: len(frames)]


async def test_the_stream_goes_on_without_gap_or_repeat(desk: Desk) -> None:
    start = (await desk.get(EVENTS))["next"]
    for text in ("1", "2"):
        last = await desk.letter(text)
    async with desk.http.ws_connect(STREAM, params={"after": start}) as socket:
        assert await socket.receive_json() == {"type": "hello", "cursor": start}
        older = await frames_until(socket, last["id"])
    newest = await desk.letter("3")
    async with desk.http.ws_connect(STREAM, params={"after": older[-1]["id"]}) as socket:
        await socket.receive_json()
        newer = await frames_until(socket, newest["id"])

    page = await desk.get(EVENTS, after=start, limit=200)
    assert [*older, *newer] == page["items"][: len(older) + len(newer)]


async def test_garbage_that_a_reader_sends_breaks_nothing(desk: Desk) -> None:
    async with desk.http.ws_connect(STREAM) as socket:
        await socket.receive_json()
        await socket.send_str("{garbage")
        while (frame := await socket.receive_json(timeout=PATIENCE))["type"] != "problem":
            pass
        assert frame["problem"]["type"] == "invalid-frame"
        await socket.send_bytes(b"\xff\x00")
        message = await desk.letter("still there?")
        assert await frames_until(socket, message["id"])


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://inbox.example.com", 101),
        ("https://INBOX.example.com", 101),
        ("{own}", 101),
        ("https://evil.example", 403),
        ("https://inbox.example.com.evil.example", 403),
        ("http://inbox.example.com", 403),
        ("null", 403),
        ("", 403),
        ("http://[", 403),
    ],
)
async def test_pages_of_other_sites_get_no_stream(desk: Desk, origin: str, status: int) -> None:
    headers = {"Origin": origin.format(own=desk.url)}
    if status == 101:
        async with desk.http.ws_connect(STREAM, headers=headers) as socket:
            assert (await socket.receive_json())["type"] == "hello"
    else:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await desk.http.ws_connect(STREAM, headers=headers)
        assert refused.value.status == status


async def test_an_expired_cursor_is_told(desk: Desk) -> None:
    future = "MTo5MjIzMzcyMDM2ODU0Nzc1ODA2"  # a position that a restore undid

    problem = await desk.problem("GET", EVENTS, params={"after": future})
    assert (problem["status"], problem["type"]) == (410, "cursor-expired")
    async with desk.http.ws_connect(STREAM, params={"after": future}) as socket:
        frame = await socket.receive_json()
        end = await socket.receive()

    assert (frame["type"], frame["problem"]["type"], frame["problem"]["status"]) == ("problem", "cursor-expired", 410)
    assert (end.type, socket.close_code) == (aiohttp.WSMsgType.CLOSE, 4410)


async def test_a_plain_request_for_the_stream_is_refused(desk: Desk) -> None:
    assert (await desk.problem("GET", STREAM))["status"] in (400, 426)


async def test_who_asks_for_some_events_gets_no_others(desk: Desk) -> None:
    cursor = (await desk.get(EVENTS))["next"]
    message, other = await desk.letter("one"), await desk.letter("two")
    conversation = message["conversation_id"]

    of_one = await desk.get(EVENTS, after=cursor, conversation=conversation)
    created = await desk.get(EVENTS, after=cursor, types="message.created,customer.created")

    assert {item["conversation_id"] for item in of_one["items"]} == {conversation}
    assert {item["type"] for item in created["items"]} <= {"message.created", "customer.created"}
    assert {message["id"], other["id"]} <= {item["message_id"] for item in created["items"]}
    async with desk.http.ws_connect(f"/api/v1/stream?after={cursor}&types=message.created") as stream:
        await stream.receive_json()
        told = await frames_until(stream, other["id"])
    assert [item["message_id"] for item in told] == [message["id"], other["id"]]
    for path in (EVENTS, "/api/v1/stream"):
        problem = await desk.problem("GET", path, params={"types": "message.created,lamp.broken"})
        assert (problem["status"], problem["errors"][0]["field"]) == (400, "types")


async def test_a_long_poll_answers_as_soon_as_something_happens(desk: Desk) -> None:
    cursor = (await desk.get(EVENTS))["next"]
    began = asyncio.get_running_loop().time()
    waiting = asyncio.create_task(desk.get(EVENTS, after=cursor, wait=30, types="message.created"))
    await desk.letter("at last")
    page = await waiting
    assert [item["data"]["message"]["text"] for item in page["items"]] == ["at last"]
    assert asyncio.get_running_loop().time() - began < 20
    quiet = await desk.get(EVENTS, after=page["next"], wait=1, types="conversation.merged")
    assert quiet["items"] == []
    assert (await desk.problem("GET", EVENTS, params={"wait": "31"}))["status"] == 400


async def test_a_long_poll_ends_when_santral_stops(leaving: tuple[Desk, contextlib.AsyncExitStack]) -> None:
    desk, stack = leaving
    cursor = (await desk.get(EVENTS))["next"]
    async with aiohttp.ClientSession(desk.url, headers=desk.http.headers) as other:
        asked = {"after": cursor, "wait": "30", "types": "message.created"}
        follower = asyncio.create_task(desk.get(EVENTS, **asked))
        waiting = asyncio.create_task(other.get(EVENTS, params={**asked, "types": "conversation.merged"}))
        await desk.letter("both are waiting by now")
        await follower
        async with asyncio.timeout(25):  # less than it would wait
            await stack.aclose()
            async with await waiting as answer:
                assert (answer.status, (await answer.json())["items"]) == (200, [])
