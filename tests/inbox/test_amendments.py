"""Replies that are changed or taken back where the recipient fetches them, and where nothing can be."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from harness import PATIENCE
from switchboard import Switchboard, switchboard


@pytest.fixture
async def desk(mongod_url: str) -> AsyncIterator[Switchboard]:
    mail = {"id": "mail", "connector": "email", "address": "support@example.com", "receive": {"smtp": {"port": 0}}}
    async with switchboard(mongod_url, {"id": "site", "connector": "webchat"}, mail) as desk:
        yield desk


@contextlib.asynccontextmanager
async def visitor(desk: Switchboard) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{desk.url}/chat/site/ws") as socket:
        await socket.send_json({"type": "hello", "token": None, "cursor": None})
        await socket.send_json({"type": "message", "client_id": "c-1", "text": "hello"})
        yield socket


async def shown(socket: aiohttp.ClientWebSocketResponse, **wanted: Any) -> dict[str, Any]:
    """The next message that a visitor sees and that has all this."""
    while True:
        frame = await socket.receive_json(timeout=PATIENCE)
        message: dict[str, Any] = frame.get("message") or {}
        if frame["type"] == "message" and wanted.items() <= message.items():
            return message


async def test_a_visitor_sees_what_an_agent_changes(desk: Switchboard) -> None:
    async with visitor(desk) as socket:
        await shown(socket, text="hello")
        (said,) = await desk.stored()
        reply = await desk.reply(said, "We open at nine")
        await shown(socket, text="We open at nine")
        await desk.call("PATCH", f"/api/v1/messages/{reply['id']}", {"text": "We open at ten"})
        changed = await shown(socket, text="We open at ten")
        assert changed["id"] == reply["id"]

        await desk.call("DELETE", f"/api/v1/messages/{reply['id']}")
        gone = await shown(socket, id=reply["id"])
        assert "We open" not in str(gone["text"])


async def test_what_a_channel_cannot_is_refused(desk: Switchboard) -> None:
    async with visitor(desk) as socket:
        await shown(socket, text="hello")
    (said,) = await desk.stored()
    problem = await desk.call("POST", f"/api/v1/messages/{said['id']}/reactions", {"emoji": "👍"}, status=422)
    assert (problem["type"], problem["detail"]) == ("not-amendable", 'channel "site" cannot react to a message')
    for method, body in (("PATCH", {"text": "x"}), ("DELETE", None)):
        problem = await desk.call(method, f"/api/v1/messages/{said['id']}", body, status=422)
        assert problem["type"] == "not-a-reply"
    note = await desk.reply(said, "between us", direction="note")
    assert (await desk.call("DELETE", f"/api/v1/messages/{note['id']}", status=422))["type"] == "not-a-reply"


async def test_a_scheduled_mail_can_still_be_written_anew(desk: Switchboard) -> None:
    person = {"kind": "email", "value": "ada@example.net"}
    await desk.post("/api/v1/conversations", {"identity": person, "channel": "mail", "text": "hello", "subject": "x"})
    (begun,) = await desk.stored()
    reply = await desk.reply(begun, "Good morning", send_at="2099-01-01T08:00:00Z", channel="mail")
    path = f"/api/v1/messages/{reply['id']}"

    assert (await desk.call("PATCH", path, {"text": "Good day", "html": "<p>Good <b>day</b>"}))["html"] == (
        "<p>Good <b>day</b></p>"
    )
    assert (await desk.call("DELETE", path, status=422))["detail"] == "it has not left yet: cancel it"
    assert (await desk.call("PATCH", path, {"text": "  "}, status=422))["type"] == "invalid-body"
