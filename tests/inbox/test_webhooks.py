"""Webhooks of a whole Santral that is killed: nothing is missed."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web
from harness import Visitor, eventually
from receiver import listening


async def test_what_a_killed_santral_owes_is_told_by_the_next(santral: Any) -> None:
    one = await santral()
    one.kill()
    one.config["webhooks"] = {"allow_networks": ["127.77.0.0/16"]}
    await one.start()
    async with listening("127.77.0.3") as receiver:
        hanging = asyncio.Event()

        async def hang(request: web.Request) -> web.Response:
            receiver.calls.append((dict(request.headers), await request.read()))
            await hanging.wait()
            return web.Response()

        answering, receiver.handle = receiver.handle, hang  # type: ignore[method-assign]
        async with one.desk() as desk:
            body = {"url": receiver.url, "events": ["message.created"]}
            async with desk.http.post("/api/v1/webhooks", json=body) as answer:
                webhook = await answer.json()
        visitor = Visitor(one.url)
        async with visitor.connected() as chat:
            for number in range(20):
                await visitor.say(chat, f"n-{number}")

        async def called() -> bool:
            return bool(receiver.calls)

        await eventually(called)
        one.kill()  # in the middle of calls, and with events of which it has not read
        hanging.set()
        receiver.calls.clear()
        receiver.handle = answering  # type: ignore[method-assign]
        await one.start()

        async def all_come() -> bool:
            return all(any(f'"n-{number}"'.encode() in call for _, call in receiver.calls) for number in range(20))

        await eventually(all_come)  # what was on its way is another's to try after 20 seconds
        async with one.desk() as desk:
            assert (await desk.get(f"/api/v1/webhooks/{webhook['id']}"))["active"]
