"""Agents' pictures: who gives them, what they may be, and who sees them."""

from __future__ import annotations

import base64
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from api_desk import Desk

from connectors import Picture
from inbox.attachments import Attachments
from inbox.faces import Faces
from inbox.staff import Agent
from inbox.store import Store
from inbox.store.files import FACES

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
PASSWORD = "correct horse battery"

_numbers = iter(range(1_000))


@pytest.fixture
async def agent(desk: Desk) -> dict[str, Any]:
    email = f"face{next(_numbers)}@example.com"
    made = {"email": email, "password": PASSWORD, "name": "Grace"}
    return dict(await desk.send("POST", "/api/v1/agents", made, status=201))


@pytest.fixture
async def herself(desk: Desk, agent: dict[str, Any]) -> AsyncIterator[aiohttp.ClientSession]:
    """Her page's calls."""
    said = {"email": agent["email"], "password": PASSWORD}
    async with desk.http.post("/api/v1/session", json=said, headers={"Authorization": ""}) as answer:
        csrf = (await answer.json())["csrf_token"]
        cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in answer.cookies.items())
    async with aiohttp.ClientSession(desk.url, headers={"Cookie": cookie, "X-CSRF-Token": csrf}) as http:
        yield http


async def shown(desk: Desk, picture: str) -> tuple[int, str, bytes]:
    async with desk.http.get(f"/api/v1/pictures/{picture}") as answer:
        return answer.status, answer.content_type, await answer.read()


async def test_an_agent_gives_herself_a_picture_and_another_and_none(
    desk: Desk, agent: dict[str, Any], herself: aiohttp.ClientSession
) -> None:
    assert agent["picture"] is None
    async with herself.put("/api/v1/me/picture", data=PNG) as answer:
        first = (await answer.json())["picture"]
    assert await shown(desk, first) == (200, "image/png", PNG)
    form = aiohttp.FormData()
    form.add_field("file", GIF, filename="me.png", content_type="image/png")
    async with herself.put("/api/v1/me/picture", data=form) as answer:
        second = (await answer.json())["picture"]

    assert await shown(desk, second) == (200, "image/gif", GIF)  # by its bytes, not by what it is called
    assert (await shown(desk, first))[0] == 404
    assert (await desk.get(f"/api/v1/agents/{agent['id']}"))["picture"] == second
    async with herself.get("/api/v1/me") as answer:
        assert (await answer.json())["picture"] == second
    async with herself.delete("/api/v1/me/picture") as answer:
        assert answer.status == 204
    assert (await shown(desk, second))[0] == 404
    assert (await desk.get(f"/api/v1/agents/{agent['id']}"))["picture"] is None


async def test_nothing_runs_in_it_and_a_browser_keeps_it(desk: Desk, agent: dict[str, Any]) -> None:
    path = f"/api/v1/agents/{agent['id']}/picture"
    async with desk.http.put(path, data=PNG + b"<script>alert(1)</script>") as answer:
        picture = (await answer.json())["picture"]
    async with desk.http.get(f"/api/v1/pictures/{picture}") as answer:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert "immutable" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<html>", b"%PDF-1.7", b"BM" + b"\0" * 60],
)
async def test_what_is_no_picture_is_refused(desk: Desk, agent: dict[str, Any], content: bytes) -> None:
    path = f"/api/v1/agents/{agent['id']}/picture"
    problem = await desk.problem("PUT", path, data=content, headers={"Content-Type": "image/png"})
    assert (problem["status"], problem["type"]) == (422, "not-a-picture")
    assert (await desk.get(f"/api/v1/agents/{agent['id']}"))["picture"] is None


async def test_it_has_a_mebibyte_at_the_most(desk: Desk, agent: dict[str, Any]) -> None:
    path = f"/api/v1/agents/{agent['id']}/picture"
    problem = await desk.problem("PUT", path, data=io.BytesIO(PNG + b"\0" * (1 << 20)))
    assert (problem["status"], problem["type"]) == (413, "too-large")
    async with desk.http.put(path, data=io.BytesIO(PNG + b"\0" * ((1 << 20) - len(PNG)))) as answer:
        assert answer.status == 200


async def test_a_token_has_none_and_nobody_has_a_strangers(desk: Desk) -> None:
    assert (await desk.problem("PUT", "/api/v1/me/picture", data=PNG))["type"] == "not-an-agent"
    assert (await desk.problem("DELETE", "/api/v1/me/picture"))["type"] == "not-an-agent"
    for method in ("PUT", "DELETE"):
        assert (await desk.problem(method, "/api/v1/agents/nobody/picture", data=PNG))["type"] == "not-found"


async def test_an_upload_is_no_picture(desk: Desk) -> None:
    async with desk.http.post("/api/v1/attachments?filename=a.png", data=PNG) as answer:
        upload = (await answer.json())["id"]
    assert (await desk.problem("GET", f"/api/v1/pictures/{upload}"))["type"] == "not-found"


async def test_a_channel_shows_who_writes_and_what_a_crash_left_is_swept(store: Store) -> None:
    now = datetime.now(UTC)
    await store.staff.add_agent(
        Agent(id="grace", email="g@example.com", name="Grace", role="agent", created_at=now), ""
    )
    files = Attachments(store)
    faces = Faces(store, files)
    assert await faces.find("grace") is None
    changed = await faces.change("grace", pieces(PNG))
    assert changed is not None
    assert changed.picture is not None
    left = await files.save(pieces(GIF), filename="picture", owner=FACES, limit=1000)

    assert await store.files.sweep(now + timedelta(days=3)) == 1
    assert await faces.find("grace") == changed.picture
    assert await Faces(store, files).find("grace") == changed.picture
    assert await faces.open(changed.picture) == Picture(content_type="image/png", content=PNG)
    assert await faces.open(left.id) is None
    # Nor is there anything of a picture of somebody who is not there.
    assert await faces.change("nobody", pieces(GIF)) is None
    assert await store.files.sweep(now + timedelta(days=3)) == 0


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    yield content
