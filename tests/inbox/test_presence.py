"""Agent and visitor see each other type, also where each is at another process."""

from __future__ import annotations

import asyncio
from typing import Any

from harness import PATIENCE, Visitor, eventually


async def told(socket: Any, kind: str) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE):
        while True:
            frame: dict[str, Any] = await socket.receive_json()
            if frame["type"] == kind:
                return frame


async def test_a_visitor_and_an_agent_of_other_processes_see_each_other_type(santral: Any) -> None:
    first, second = await santral(), await santral()
    visitor = Visitor(first.url)
    async with visitor.connected() as chat, second.desk() as desk:
        await visitor.say(chat, "hello")
        (conversation,) = await eventually(desk.conversations)
        async with desk.http.ws_connect("/api/v1/stream") as stream:
            await stream.receive_json()

            await stream.send_json({"type": "viewing", "conversation_id": conversation["id"]})
            assert (await told(stream, "presence"))["state"] == "here"  # from now on the visitor hears of it
            await stream.send_json({"type": "typing", "conversation_id": conversation["id"]})
            shown = await told(chat, "typing")
            assert shown["author"] == {"type": "agent", "name": "Ada", "picture": None}
            await chat.send_json({"type": "typing"})
            typing = await told(stream, "typing")
            assert (typing["conversation_id"], typing["author"]["type"]) == (conversation["id"], "customer")
            async with visitor.connected():  # another tab of the same visitor
                assert (await told(stream, "presence"))["state"] == "here"
            assert (await told(stream, "presence"))["state"] == "gone"


async def test_a_visitor_is_here_from_the_first_message_on(santral: Any) -> None:
    first, second = await santral(), await santral()
    visitor = Visitor(first.url)
    async with visitor.connected() as chat, second.desk() as desk:
        await visitor.say(chat, "hello")
        (conversation,) = await eventually(desk.conversations)
        async with desk.http.ws_connect("/api/v1/stream") as stream:
            await stream.receive_json()
            await stream.send_json({"type": "viewing", "conversation_id": conversation["id"]})
            here = await told(stream, "presence")
            assert (here["state"], here["author"]["type"]) == ("here", "customer")
