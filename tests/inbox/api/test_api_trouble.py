"""When something of ours breaks: clear answers, and what is not broken goes on."""

from __future__ import annotations

import asyncio
import contextlib

import aiohttp
import structlog
from aiohttp import web
from api_desk import Desk, Doomed
from harness import PATIENCE, served

from inbox.api import problems


async def test_while_the_database_is_away_everybody_is_told_to_come_back(doomed: Doomed) -> None:
    desk = doomed.desk
    message = await desk.letter("hello")
    reader = await desk.http.ws_connect("/api/v1/stream")
    await reader.receive_json()
    await doomed.stop()

    refused = await asyncio.gather(
        desk.problem("GET", "/api/v1/conversations"),
        desk.problem("GET", f"/api/v1/messages/{message['id']}/original"),
        desk.problem("GET", "/api/v1/events"),
        desk.problem("POST", "/hooks/letters", json={"id": "1"}),
        desk.problem("POST", f"/api/v1/conversations/{message['conversation_id']}/messages", json={"text": "hi"}),
    )
    for problem in refused:
        assert (problem["status"], problem["type"]) == (503, "unavailable")
        assert int(problem["headers"]["Retry-After"]) > 0
    async with desk.http.get("/readyz") as answer:
        assert (answer.status, (await answer.json())["database"]) == (503, False)
    async with desk.http.get("/healthz") as answer:
        assert answer.status == 200

    await doomed.start()
    await desk.eventually(desk.ready)
    later = await desk.letter("hello again")
    while (await reader.receive_json(timeout=PATIENCE))["message_id"] != later["id"]:
        pass
    await reader.close()


async def test_readers_are_told_when_santral_stops(leaving: tuple[Desk, contextlib.AsyncExitStack]) -> None:
    desk, santral = leaving
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {desk.token}"}) as http:
        socket = await http.ws_connect(f"{desk.url}/api/v1/stream")
        await socket.receive_json()
        reading = asyncio.create_task(socket.receive())
        await santral.aclose()
        end = await reading

    assert (end.type, socket.close_code) == (aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.GOING_AWAY)


async def test_a_mistake_of_ours_is_logged_once_and_not_told() -> None:
    async def mistaken(_: web.Request) -> web.Response:
        raise RuntimeError("the secret is 42")

    app = web.Application(middlewares=[problems.middleware])
    app.router.add_get("/mistake", mistaken)
    with structlog.testing.capture_logs() as logs:
        async with served(app) as url, aiohttp.ClientSession() as http, http.get(f"{url}/mistake") as answer:
            body = await answer.text()

    assert (answer.status, answer.content_type) == (500, "application/problem+json")
    assert "secret" not in body
    (line,) = logs
    assert (line["event"], line["status"], line["path"]) == ("request failed", 500, "/mistake")
