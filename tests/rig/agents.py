"""Agents: streams that remember every event, and hands that answer what they tell of."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp

from rig.ledger import Reply, Stream
from rig.world import BROKEN, World

ANSWERED = 0.4  # of the customers' messages
HANDS = 16
AGAIN_SECONDS = 0.3


async def watch(world: World, stream: Stream, begin: str, told: asyncio.Queue[dict[str, Any]] | None = None) -> None:
    """Follows the event log from the cursor `begin` until cancelled, at one Santral after another.

    Messages of customers are put into `told`.
    """
    chances = world.random(stream.name)
    while True:
        at = chances.randrange(len(world.santrals))
        try:
            await _follow(world, stream, at, stream.seen[-1] if stream.seen else begin, told)
        except (*BROKEN, TypeError):  # aiohttp's word for a close frame where text was expected
            stream.breaks += 1
        await asyncio.sleep(AGAIN_SECONDS)


async def _follow(
    world: World, stream: Stream, at: int, after: str, told: asyncio.Queue[dict[str, Any]] | None
) -> None:
    url = f"{world.santrals[at].url}/api/v1/stream"
    async with world.http.ws_connect(url, params={"after": after}, headers=world.headers) as socket:
        while True:
            frame = await socket.receive_json()
            if frame["type"] == "problem":
                world.chronicle.fault(f"{stream.name} at {after}: {frame['problem']}", world.chronicle.now())
                return
            if frame["type"] == "hello":
                continue
            stream.seen.append(frame["id"])
            if told is not None and frame["type"] == "message.created":
                message = frame["data"]["message"]
                if message["direction"] == "inbound":
                    told.put_nowait(message)


async def answer_all(world: World, name: str, told: asyncio.Queue[dict[str, Any]]) -> None:
    """Answers some of what is told, one after another, until cancelled."""
    chances = world.random(name)
    while True:
        message = await told.get()
        if chances.random() < ANSWERED and not world.over.is_set():
            lines = chances.randint(1, 3) if message["channel"] == "courier" else 1
            text = "\n".join(f"re {message['text']} line {n}" for n in range(lines))
            await _answer(world, message, text, chances.randrange(len(world.santrals)))
        told.task_done()


async def _answer(world: World, message: dict[str, Any], text: str, at: int) -> None:
    """Says the same under the same `client_id` until it is taken."""
    body = {"text": text, "client_id": f"re-{message['id']}", "channel": message["channel"]}
    path = f"/api/v1/conversations/{message['conversation_id']}/messages"
    while True:
        try:
            if await _answered(world, f"{world.santrals[at].url}{path}", body):
                return
        except BROKEN as error:
            world.ledger.refused[f"agent: {type(error).__name__}"] += 1
        at = (at + 1) % len(world.santrals)
        await asyncio.sleep(AGAIN_SECONDS)


async def _answered(world: World, url: str, body: dict[str, str]) -> bool:
    async with world.http.post(url, json=body, headers=world.headers) as answer:
        if answer.status == 503:
            world.ledger.refused["agent: 503"] += 1
            return False
        if answer.status != 201:
            world.chronicle.fault(
                f"the reply {body['text']!r} was refused: {answer.status} {await answer.text()}", world.chronicle.now()
            )
            return answer.status < 500
        taken = await answer.json()
    reply = Reply(
        id=taken["id"],
        conversation=taken["conversation_id"],
        channel=body["channel"],
        text=body["text"],
        at=world.chronicle.now(),
    )
    world.ledger.replies[reply.id] = reply
    return True


async def every_event(world: World, begin: str) -> list[str]:
    """The ids in the event log after a cursor, in its order."""
    found: list[str] = []
    url = f"{world.santrals[0].url}/api/v1/events"
    while True:
        query = {"after": found[-1] if found else begin, "limit": "200"}
        async with world.http.get(url, params=query, headers=world.headers) as answer:
            if answer.status != 200:
                raise aiohttp.ClientError(f"the event log: {answer.status} {await answer.text()}")
            page = (await answer.json())["items"]
        if not page:
            return found
        found += [event["id"] for event in page]
