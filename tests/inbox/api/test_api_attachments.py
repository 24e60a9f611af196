from __future__ import annotations

import base64
from collections.abc import AsyncIterator

import aiohttp
import pytest
from api_desk import Desk

ATTACHMENTS = "/api/v1/attachments"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


async def given(desk: Desk, name: str, type_: str, data: bytes) -> aiohttp.ClientResponse:
    """The answer to a download of a file that a customer sent."""
    file = {"type": type_, "data": base64.b64encode(data).decode()}
    message = await desk.letter("see here", files={name: file})
    (attachment,) = message["attachments"]
    async with desk.http.get(f"{ATTACHMENTS}/{attachment['id']}") as answer:
        assert answer.status == 200
        assert await answer.read() == data
        return answer


@pytest.mark.parametrize(
    ("type_", "shown"),
    [
        ("image/png", "inline"),
        ("image/JPEG", "inline"),
        ("audio/ogg", "inline"),
        ("video/mp4", "inline"),
        ("image/svg+xml", "attachment"),
        ("image/png\r\nX-Evil: 1", "attachment"),
        ("text/html", "attachment"),
        ("application/xhtml+xml", "attachment"),
        ("application/pdf", "attachment"),
        ("image", "attachment"),
    ],
)
async def test_only_what_runs_nothing_is_shown(desk: Desk, type_: str, shown: str) -> None:
    answer = await given(desk, "file", type_, b"<script>alert(1)</script>")

    assert answer.headers["Content-Disposition"].partition(";")[0] == shown
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "X-Evil" not in answer.headers


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("şema çizimi.png", "filename=\"_ema _izimi.png\"; filename*=UTF-8''%C5%9Fema%20%C3%A7izimi.png"),
        ('a"b\\c;d\r\n.png', "filename=\"a_b_c;d__.png\"; filename*=UTF-8''a%22b%5Cc%3Bd%0D%0A.png"),
        ("%2e.png", "filename=\"_2e.png\"; filename*=UTF-8''%252e.png"),
    ],
)
async def test_names_survive(desk: Desk, name: str, expected: str) -> None:
    answer = await given(desk, name, "application/pdf", b"x")

    assert answer.headers["Content-Disposition"] == f"attachment; {expected}"


async def test_an_upload_goes_out_with_a_reply(desk: Desk) -> None:
    message = await desk.letter("please send a picture")
    async with desk.http.post(ATTACHMENTS, params={"filename": "résumé.png"}, data=PNG) as answer:
        assert answer.status == 201
        attachment = await answer.json()
    assert (attachment["filename"], attachment["content_type"]) == ("résumé.png", "image/png")
    assert (attachment["size"], attachment["state"]) == (len(PNG), "ready")

    path = f"/api/v1/conversations/{message['conversation_id']}/messages"
    reply = await desk.send("POST", path, {"text": "", "attachments": [attachment["id"]]}, status=201)

    assert reply["attachments"] == [attachment]
    async with desk.http.get(f"{ATTACHMENTS}/{attachment['id']}") as answer:
        assert await answer.read() == PNG


async def test_a_form_may_carry_the_file(desk: Desk) -> None:
    form = aiohttp.FormData()
    form.add_field("comment", "nothing")
    form.add_field("file", PNG, filename="dot.png", content_type="text/html")
    async with desk.http.post(ATTACHMENTS, data=form) as answer:
        assert answer.status == 201
        attachment = await answer.json()

    assert (attachment["filename"], attachment["content_type"]) == ("dot.png", "image/png")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no form at all",
        b"--x\r\n\r\n",
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nhi\r\n--x--',
        b"--x\r\nA: \x15\r\n\r\nhi\r\n--x--",
    ],
)
async def test_a_broken_form_is_refused(desk: Desk, body: bytes) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    problem = await desk.problem("POST", ATTACHMENTS, data=body, headers=headers)

    assert (problem["status"], problem["type"]) == (400, "invalid-form")


async def test_a_form_without_boundary_is_refused(desk: Desk) -> None:
    headers = {"Content-Type": "multipart/form-data"}

    assert (await desk.problem("POST", ATTACHMENTS, data=b"x", headers=headers))["status"] == 400


async def test_too_much_is_refused_and_not_kept(desk: Desk) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(60):
            yield b"\0" * (1 << 20)

    problem = await desk.problem("POST", ATTACHMENTS, data=endless())

    assert (problem["status"], problem["type"]) == (413, "too-large")
