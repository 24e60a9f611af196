"""What visitors learn of their conversation beside its messages, where they and the agents are at other processes."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import aiohttp
from harness import PATIENCE, Visitor, eventually


async def told(socket: Any, kind: str, **like: Any) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE):
        while True:
            frame: dict[str, Any] = await socket.receive_json()
            if frame["type"] == kind and all(frame.get(key) == value for key, value in like.items()):
                return frame


async def test_visitors_learn_who_took_it_what_was_seen_and_when_it_is_over(santral: Any) -> None:
    first, second = await santral(), await santral()
    longer, visitor = Visitor(first.url), Visitor(first.url)
    async with longer.connected() as before, visitor.connected() as chat, second.desk() as desk:
        await longer.say(before, "before-you")
        assert (await told(before, "queue"))["position"] == 1
        said = await visitor.say(chat, "hello")
        assert await told(chat, "queue") == {"type": "queue", "position": 2, "wait_seconds": None}
        conversations = await eventually(lambda: _two(desk))
        ours = next(one for one in conversations if one["last_message"]["text"] == "hello")
        path = f"/api/v1/conversations/{ours['id']}"

        async with desk.http.post(f"{path}/read", json={"seq": 1}) as answer:
            assert answer.status == 204
        assert (await told(chat, "read"))["message_id"] == said["message"]["id"]
        me = await desk.get("/api/v1/me")
        await desk.patch(path, {"assignee": me["id"]})
        assert (await told(chat, "queue"))["position"] == 0
        assert (await told(chat, "agent"))["author"] == {"type": "agent", "name": "Ada", "picture": None}
        await desk.post(f"{path}/messages", {"text": "Hello!"})
        await desk.patch(path, {"status": "resolved"})
        assert (await told(chat, "rating"))["conversation_id"] == ours["id"]

        await chat.send_json({"type": "rate", "score": 5, "client_id": "r-1"})
        await told(chat, "ack", client_id="r-1")

        async def rated() -> bool:
            async with aiohttp.ClientSession() as http:
                hello = {"type": "hello", "token": visitor.token}
                async with http.post(f"{first.url}/chat/site/poll", json=hello) as answer:
                    welcome = (await answer.json())["frames"][0]
            assert welcome["agent"]["name"] == "Ada"
            return welcome["rating"] is None

        await eventually(rated)


async def _two(desk: Any) -> Any:
    found = await desk.conversations()
    return found if len(found) == 2 else None


async def test_logout_reaches_the_tabs_at_other_processes(santral: Any) -> None:
    first, second = await santral(), await santral()
    visitor = Visitor(first.url)
    async with visitor.connected() as chat:
        elsewhere = Visitor(second.url, visitor.token)
        async with elsewhere.connected() as other:
            await chat.send_json({"type": "logout"})
            async with asyncio.timeout(PATIENCE):
                while not other.closed:
                    await other.receive()
            assert other.close_code == 4401
        again = Visitor(second.url, elsewhere.token)
        async with again.connected():
            assert again.token != elsewhere.token


async def test_rates_hold_over_all_processes(santral: Any) -> None:
    """Who sent too much to one process is soon refused by the other."""
    few = {"id": "few", "connector": "webchat", "rate": {"session": {"per_second": 0.1, "burst": 200}}}
    first, second = await santral(more=[few]), await santral(more=[few])
    async with contextlib.AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())

        async def tab(url: str, token: str | None) -> tuple[Any, str]:
            socket = await stack.enter_async_context(http.ws_connect(f"{url}/chat/few/ws"))
            await socket.send_json({"type": "hello", "token": token})
            return socket, (await told(socket, "welcome"))["token"]

        async def say(socket: Any, number: int) -> str:
            await socket.send_json({"type": "message", "client_id": f"c-{number}", "text": "x"})
            async with asyncio.timeout(PATIENCE):
                while True:
                    frame = await socket.receive_json()
                    if frame.get("client_id") == f"c-{number}" and frame["type"] in ("ack", "error"):
                        return str(frame.get("code", "ack"))

        one, token = await tab(first.url, None)
        other, _ = await tab(second.url, token)
        assert {await say(one, number) for number in range(180)} == {"ack"}
        numbers = iter(range(200, 1000))

        async def refused() -> bool:
            return await say(other, next(numbers)) == "rate_limited"

        await eventually(refused)
        assert next(numbers) < 400  # by itself it would take 200
        await eventually(lambda: _is(say(one, next(numbers)), "rate_limited"))


async def _is(answer: Any, wanted: str) -> bool:
    return await answer == wanted
