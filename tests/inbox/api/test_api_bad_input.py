"""Whatever comes, the answer is a clear problem document, and the next request is served."""

from __future__ import annotations

import asyncio
import gzip
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
from api_desk import Desk
from harness import PATIENCE
from yarl import URL

from inbox.api import attachments, reading

LIST = "/api/v1/conversations"
REPLY = "/api/v1/conversations/none/messages"
HUGE = 10**30


@pytest.mark.parametrize(
    "path",
    [
        f"{LIST}/nothing",
        f"{LIST}/nothing/messages",
        "/api/v1/customers/nothing",
        "/api/v1/customers/nothing/timeline",
        "/api/v1/messages/nothing",
        "/api/v1/messages/nothing/original",
        "/api/v1/ingest/nothing/original",
        "/api/v1/attachments/nothing",
        f"{LIST}/%00",
        f"{LIST}/%ff",
        f"{LIST}/{'x' * 4000}",
        f"{LIST}/$ne",
        "/api/v1/nothing",
        "/nothing",
        "/api/v2/conversations",
    ],
)
async def test_unknown_things_are_404(desk: Desk, path: str) -> None:
    assert (await desk.problem("GET", URL(path, encoded=True)))["status"] == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", f"{LIST}/nothing", {"status": "open"}),
        ("POST", f"{LIST}/nothing/messages", {"text": "hi"}),
        ("POST", f"{LIST}/nothing/read", {"seq": 1}),
        ("POST", "/api/v1/messages/nothing/retry", None),
        ("POST", "/api/v1/messages/nothing/cancel", None),
        ("POST", "/api/v1/ingest/nothing/replay", None),
        ("POST", LIST, {"customer_id": "nothing", "channel": "letters", "text": "hi"}),
    ],
)
async def test_nothing_can_be_done_to_unknown_things(desk: Desk, method: str, path: str, body: Any) -> None:
    assert (await desk.problem(method, path, json=body))["status"] == 404


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=201", "limit"),
        ("limit=1000000", "limit"),
        (f"limit={HUGE}", "limit"),
        ("limit=ten", "limit"),
        ("limit=", "limit"),
        ("limit=1&limit=2", "limit"),
        ("status=closed", "status"),
        ("status[$ne]=open", "status[$ne]"),
        ("sort=name", "sort"),
        ("page=2", "page"),
        ("cursor=abc", "cursor"),
        ("cursor=%20", "cursor"),
        ("cursor=", "cursor"),
        ("cursor=W10", "cursor"),
        ("cursor=WyItdXBkYXRlZF9hdCIsbnVsbCwieCJd", "cursor"),
        ("cursor=WyJ3YWl0aW5nIiwiMjAyNi0wMS0wMVQwMDowMDowMFoiLCJ4Il0", "cursor"),
        ("cursor=\U0001f600", "cursor"),
        ("query=lamp", "query"),
    ],
)
async def test_a_bad_query_is_400_and_names_the_field(desk: Desk, query: str, field: str) -> None:
    problem = await desk.problem("GET", f"{LIST}?{query}")

    assert (problem["status"], problem["type"]) == (400, "invalid-query")
    assert problem["errors"][0]["field"] == field


@pytest.mark.parametrize(
    "cursor", ["abc", "MTo", "MTotMQ", "MjoxMg", "%F0%9F%98%80", "MTo5OTk5OTk5OTk5OTk5OTk5OTk5OTk5"]
)
async def test_a_forged_event_cursor_is_400(desk: Desk, cursor: str) -> None:
    for path in ("/api/v1/events", "/api/v1/stream"):
        assert (await desk.problem("GET", f"{path}?after={cursor}"))["status"] == 400


@pytest.mark.parametrize("query", [f"after_seq={HUGE}", "after_seq=-1", "before_seq=x", "after_seq=1.5", "cursor=1"])
async def test_a_bad_place_in_a_conversation_is_400(desk: Desk, query: str) -> None:
    assert (await desk.problem("GET", f"{REPLY}?{query}"))["status"] == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"text=hello",
        b"\xff\xfe{}",
        b'{"text": "\xff"}',
        b'{"text": "\\ud800"}',
        b'{"text": "\\udc00 hello"}',
        b'{"text": NaN}',
        b"\xef\xbb\xbf{}",
        b'{"text": "a"} {"text": "b"}',
    ],
)
async def test_what_is_no_json_is_400(desk: Desk, body: bytes) -> None:
    problem = await desk.problem("POST", REPLY, data=body, headers={"Content-Type": "application/json"})

    assert (problem["status"], problem["type"]) == (400, "invalid-json")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("null", ""),
        ("[]", ""),
        ("5", ""),
        ("{}", "text"),
        ('{"text": 5}', "text"),
        ('{"text": null}', "text"),
        ('{"text": ["a"]}', "text"),
        ('{"text": "  "}', "text"),
        ('{"text": "a", "html": {}}', "html"),
        ('{"text": "a", "color": "red"}', "color"),
        ('{"text": "a", "direction": "inbound"}', "direction"),
        ('{"text": "a", "attachments": "x"}', "attachments"),
        ('{"text": "a", "attachments": [1]}', "attachments[0]"),
        ('{"text": "a", "to": ["a"]}', "to[0]"),
        ('{"text": "a", "send_at": "tomorrow"}', "send_at"),
        ('{"text": "a", "send_at": "2027-01-01T00:00:00"}', "send_at"),
        ('{"text": "a", "send_at": "2020-01-01T00:00:00Z"}', "send_at"),
        ('{"text": "a", "send_at": "2999-01-01T00:00:00Z", "direction": "note"}', "send_at"),
        ('{"text": "a", "send_at": "0001-01-01T00:00:00+14:00"}', "send_at"),
        ('{"text": "a", "client_id": ""}', "client_id"),
        ('{"text": %s}' % ("[" * 100_000), "text"),
        ('{"bomb": %s1%s}' % ("[" * 100_000, "]" * 100_000), "bomb"),  # noqa: UP031
    ],
)
async def test_a_body_of_another_shape_is_422_and_names_the_field(desk: Desk, body: str, field: str) -> None:
    problem = await desk.problem("POST", REPLY, data=body.encode(), headers={"Content-Type": "application/json"})

    assert (problem["status"], problem["type"]) == (422, "invalid-body")
    assert problem["errors"][0]["field"] == field
    assert "Traceback" not in problem["detail"]


@pytest.mark.parametrize(
    "body", [{}, {"status": "closed"}, {"status": None}, {"tags": "a"}, {"tags": [""]}, {"id": "x"}, {"assignee": 5}]
)
async def test_a_bad_change_is_422(desk: Desk, body: Any) -> None:
    assert (await desk.problem("PATCH", f"{LIST}/none", json=body))["status"] == 422


@pytest.mark.parametrize("value", ["", "1", '"1", "2"', '"'])
async def test_a_bad_if_match_is_400(desk: Desk, value: str) -> None:
    message = await desk.letter("hello")
    path = f"{LIST}/{message['conversation_id']}"

    problem = await desk.problem("PATCH", path, json={"tags": []}, headers={"If-Match": value})

    assert problem["status"] == 400


async def test_a_body_of_more_than_a_megabyte_is_413(desk: Desk) -> None:
    assert (await desk.problem("POST", REPLY, data=io.BytesIO(b" " * (1 << 20) + b"{}")))["status"] == 413


async def test_a_bomb_is_not_unpacked(desk: Desk) -> None:
    bomb = gzip.compress(b" " * 100_000_000)

    problem = await desk.problem("POST", REPLY, data=bomb, headers={"Content-Encoding": "gzip", "Connection": "close"})

    assert problem["status"] == 413


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("path", [REPLY, "/api/v1/attachments"])
async def test_a_broken_encoding_is_400(desk: Desk, path: str, encoding: str) -> None:
    headers = {"Content-Encoding": encoding, "Connection": "close"}

    problem = await desk.problem("POST", path, data=b"garbage", headers=headers)

    assert (problem["status"], problem["type"]) == (400, "broken-body")


async def test_another_method_is_405(desk: Desk) -> None:
    problem = await desk.problem("DELETE", LIST)

    assert problem["status"] == 405
    assert problem["headers"]["Allow"] == "GET,POST"


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer wrong", "bearer wrong", "Bearer ş", "Bearer " + "x" * 4000],
)
@pytest.mark.parametrize(("method", "path"), [("GET", LIST), ("POST", REPLY), ("GET", "/api/v1/stream")])
async def test_without_a_token_nothing_is_told(desk: Desk, header: str, method: str, path: str) -> None:
    problem = await desk.problem(
        method, path, data=b"{" if method == "POST" else None, headers={"Authorization": header}
    )

    assert (problem["status"], problem["type"]) == (401, "unauthorized")
    assert problem["headers"]["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "target",
    [
        b"/api/v1/conversations/\xff\xfe",
        b"/api/v1/conversations?channel=\xff",
        b"/api/v1/conversations?\xff=1",
    ],
)
async def test_raw_bytes_in_the_request_line_are_no_500(desk: Desk, target: bytes) -> None:
    url = URL(desk.url)
    assert url.host is not None
    reader, writer = await asyncio.open_connection(url.host, url.port)
    head = b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer %s\r\n\r\n"
    writer.write(head % (target, desk.token.encode()))
    answer = await reader.read()
    writer.close()

    assert answer.split()[1].startswith(b"4")


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/api/v1/teams", {}),
        ("/api/v1/attachments", {"Content-Type": "text/plain"}),
    ],
)
async def test_a_body_that_does_not_come_is_not_waited_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, path: str, headers: dict[str, str]
) -> None:
    for module in (reading, attachments):
        monkeypatch.setattr(module, "BODY_SECONDS", 0.2)
    never = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b'{"name": '
        await never.wait()

    problem = await desk.problem("POST", path, data=body(), headers=headers)
    assert (problem["status"], problem["type"]) == (408, "slow-body")


async def test_thousands_of_connections_that_say_nothing_keep_nobody_out(desk: Desk) -> None:
    port = int(desk.url.rpartition(":")[2])
    held = []
    try:
        for number in range(2000):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n" + b"\r\n{" * (number % 2))
            held.append(writer)
        async with asyncio.timeout(PATIENCE):
            await desk.letter("still there?")
    finally:
        for writer in held:
            writer.close()
