"""Long-poll, attachments, origins and pages: what goes over plain HTTP."""

from __future__ import annotations

import asyncio
import io
import json
from datetime import UTC
from typing import Any

import aiohttp
import jwt
import pytest
from harness import eventually
from pydantic import ValidationError

from connectors import UnavailableError
from connectors.base import Reply
from connectors.errors import PermanentError
from connectors.hours import OfficeHours
from connectors.webchat import WebChatConnector
from normalizer.outcomes import Person
from normalizer.schema import Author, Message

LIMIT = 25 * 1024 * 1024
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 16


async def post(chat: Any, frame: dict[str, Any], token: str | None = None, **headers: str) -> tuple[int, Any]:
    if token:
        headers["Authorization"] = f"Bearer {token}"
    async with chat.http.post(chat.url("poll"), json=frame, headers=headers) as answer:
        return answer.status, (await answer.json())["frames"]


async def poll(chat: Any, token: str, **query: Any) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    async with chat.http.get(chat.url("poll"), params=query, headers=headers) as answer:
        assert answer.status == 200
        return await answer.json()


async def upload(chat: Any, token: str, body: Any, name: str = "a.txt") -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}", "X-Filename": name}
    async with chat.http.post(chat.url("attachments"), data=body, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None)


async def test_whole_conversation_by_long_poll(chat: Any) -> None:
    _, (welcome,) = await post(chat, {"type": "hello", "token": None, "cursor": None})
    token = welcome["token"]
    message = {"type": "message", "client_id": "c-1", "text": "no sockets here", "attachments": []}
    status, (ack,) = await post(chat, message, token)
    assert (status, ack["type"], ack["message"]["text"]) == (200, "ack", "no sockets here")
    _, (again,) = await post(chat, {**message, "token": token})
    assert again["message"]["id"] == ack["message"]["id"]

    news = await poll(chat, token, cursor=welcome["cursor"], wait=5)
    assert [frame["message"]["client_id"] for frame in news["frames"]] == ["c-1"]
    visitor = chat.said()[0].envelope["visitor"]
    waiting = asyncio.create_task(poll(chat, token, cursor=news["cursor"], wait=5))
    reply = await chat.context.reply(visitor, "hello by poll")
    assert [frame["message"]["text"] for frame in (await waiting)["frames"]] == ["hello by poll"]
    assert chat.context.state(visitor, reply.id) == "delivered"


async def test_restart_ends_waiting_polls(chat: Any) -> None:
    _, (welcome,) = await post(chat, {"type": "hello"})
    query = {"token": welcome["token"], "cursor": welcome["cursor"], "wait": "25"}
    visitor = jwt.decode(welcome["token"], options={"verify_signature": False})["sub"]
    waiting = asyncio.create_task(chat.http.get(chat.url("poll"), params=query))

    async def taken_up() -> bool:
        return bool(chat.context.feed.attendants(visitor))

    await eventually(taken_up)
    chat.task.cancel()
    async with await waiting as answer:
        assert answer.status == 503


async def test_restart_lets_no_poll_wait_that_was_on_its_way(chat: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, (welcome,) = await post(chat, {"type": "hello"})
    query = {"token": welcome["token"], "cursor": welcome["cursor"], "wait": "25"}
    asked, going_on = asyncio.Event(), asyncio.Event()
    find = chat.context.keys.find

    async def slowly(kid: str) -> bytes | None:
        asked.set()
        await going_on.wait()
        key: bytes | None = await find(kid)
        return key

    monkeypatch.setattr(chat.context.keys, "find", slowly)
    waiting = asyncio.create_task(chat.http.get(chat.url("poll"), params=query))
    await asked.wait()
    chat.task.cancel()
    await asyncio.gather(chat.task, return_exceptions=True)
    going_on.set()
    async with await waiting as answer:
        assert answer.status == 503


async def test_poll_ends_without_news_and_keeps_the_cursor(chat: Any) -> None:
    _, (welcome,) = await post(chat, {"type": "hello"})
    assert await poll(chat, welcome["token"], cursor=welcome["cursor"], wait=0) == {
        "frames": [],
        "cursor": welcome["cursor"],
    }


async def test_lost_cursor_is_answered_by_a_welcome(chat: Any) -> None:
    _, (welcome,) = await post(chat, {"type": "hello"})
    await post(chat, {"type": "message", "client_id": "c-1", "text": "kept"}, welcome["token"])
    (frame,) = (await poll(chat, welcome["token"], cursor="nonsense"))["frames"]
    assert (frame["type"], frame["reload"], len(frame["messages"])) == ("welcome", True, 1)


@pytest.mark.parametrize(
    ("frame", "status", "code"),
    [
        ({"type": "nonsense"}, 400, "bad_frame"),
        ({"type": "typing"}, 401, "unauthorized"),
        ({"type": "typing", "token": 7}, 401, "unauthorized"),
        ({"type": "message", "client_id": "c", "text": "x" * 300_000}, 413, "too_large"),
    ],
)
async def test_refusals_set_the_status(chat: Any, frame: dict[str, Any], status: int, code: str) -> None:
    answered, (error,) = await post(chat, frame)
    assert (answered, error["code"]) == (status, code)


async def test_unavailable_is_503(chat: Any) -> None:
    _, (welcome,) = await post(chat, {"type": "hello"})
    chat.context.trouble = UnavailableError("the database is away")
    status, (error,) = await post(chat, {"type": "message", "client_id": "c-1", "text": "x"}, welcome["token"])
    assert (status, error["code"], error["client_id"]) == (503, "unavailable", "c-1")


@pytest.mark.parametrize("query", [{}, {"token": "nonsense"}, {"token": "", "wait": "x"}])
async def test_poll_needs_a_token(chat: Any, query: dict[str, str]) -> None:
    async with chat.http.get(chat.url("poll"), params=query) as answer:
        assert (answer.status, answer.content_type) == (401, "application/problem+json")


@pytest.mark.parametrize("multipart", [False, True])
async def test_file_goes_up_into_a_message_and_comes_down(chat: Any, *, multipart: bool) -> None:
    tab = await chat.tab()
    body: Any = PNG
    if multipart:
        body = aiohttp.FormData(quote_fields=False)
        body.add_field("comment", "not the file")
        body.add_field("file", PNG, filename="../şekil.png", content_type="text/html")
    status, file = await upload(chat, tab.token, body, name="..%2F%C5%9Fekil%0A.png")
    assert status == 201
    assert (file["content_type"], file["size"]) == ("image/png", len(PNG))
    assert "/" not in file["filename"]
    assert "şekil" in file["filename"]
    await tab.say("", "c-1", [file["id"]])
    (shown,) = (await tab.next("message"))["message"]["attachments"]
    assert shown["id"] == file["id"]
    headers = {"Authorization": f"Bearer {tab.token}"}
    async with chat.http.get(chat.url(f"attachments/{file['id']}"), headers=headers) as answer:
        assert await answer.read() == PNG
        assert answer.headers["Content-Disposition"].startswith("inline")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == "sandbox"


async def test_page_is_only_ever_saved(chat: Any) -> None:
    tab = await chat.tab()
    _, file = await upload(chat, tab.token, b"<script>alert(1)</script>", name="x.png")
    headers = {"Authorization": f"Bearer {tab.token}"}
    async with chat.http.get(chat.url(f"attachments/{file['id']}"), headers=headers) as answer:
        assert answer.headers["Content-Disposition"].startswith("attachment")


async def test_file_of_another_visitor_is_not_there(chat: Any) -> None:
    owner, stranger = await chat.tab(), await chat.tab()
    _, file = await upload(chat, owner.token, b"private")
    headers = {"Authorization": f"Bearer {stranger.token}"}
    async with chat.http.get(chat.url(f"attachments/{file['id']}"), headers=headers) as answer:
        assert answer.status == 404
    async with chat.http.get(chat.url(f"attachments/{file['id']}")) as answer:
        assert answer.status == 401
    assert (await stranger.say("stolen", "c-1", [file["id"]]))["code"] == "bad_frame"


@pytest.mark.parametrize("chunked", [False, True])
async def test_file_over_25_megabytes_is_refused(chat: Any, *, chunked: bool) -> None:
    tab = await chat.tab()

    async def pieces() -> Any:
        for _ in range(26):
            yield b"x" * (1024 * 1024)

    status, problem = await upload(chat, tab.token, pieces() if chunked else io.BytesIO(b"x" * (LIMIT + 100_000)))
    assert (status, problem["status"]) == (413, 413)
    assert not chat.context.files.kept


async def test_file_of_25_megabytes_is_taken(chat: Any) -> None:
    tab = await chat.tab()
    form = aiohttp.FormData()
    form.add_field("file", io.BytesIO(b"x" * LIMIT), filename="large.bin")
    assert (await upload(chat, tab.token, form))[0] == 201


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "multipart/form-data"}])
async def test_multipart_without_a_file_is_refused(chat: Any, headers: dict[str, str]) -> None:
    tab = await chat.tab()
    form = aiohttp.FormData({"comment": "no file"}, default_to_multipart=True)
    headers["Authorization"] = f"Bearer {tab.token}"
    async with chat.http.post(
        chat.url("attachments"), data=b"x" if len(headers) > 1 else form, headers=headers
    ) as answer:
        assert answer.status == 400


async def test_only_allowed_origins_may_talk(chat: Any) -> None:
    for origin in ("https://www.example.com", "https://inbox.example.com", str(chat.url("").origin())):
        assert (await chat.tab(origin=origin)).token
        async with chat.http.options(chat.url("poll"), headers={"Origin": origin}) as answer:
            assert answer.status == 204
            assert answer.headers["Access-Control-Allow-Origin"] == origin
            assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    for origin in ("https://evil.example", "http://www.example.com", "null", "https://www.example.com.evil.example"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await chat.tab(origin=origin)
        assert refused.value.status == 403
        async with chat.http.post(chat.url("poll"), json={"type": "hello"}, headers={"Origin": origin}) as answer:
            assert answer.status == 403
            assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("tail", ["demo", "demo.css", "demo.js", "widget.js"])
async def test_pages_allow_no_inline_script(chat: Any, tail: str) -> None:
    async with chat.http.get(chat.url(tail)) as answer:
        assert answer.status == 200
        assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
        assert "<script>" not in await answer.text()


async def test_settings_tell_what_a_widget_shows_first(serve: Any) -> None:
    async with serve(greeting="Hoş geldiniz") as chat, chat.http.get(chat.url("settings")) as answer:
        assert await answer.json() == {
            "name": "Santral",
            "locale": "en",
            "greeting": "Hoş geldiniz",
            "theme": {"accent": None, "side": "right"},
            "prechat": None,
            "hours": None,
            "rating": True,
            "call_back": False,
            "identifies": False,
        }


async def test_settings_tell_whether_somebody_is_there(serve: Any) -> None:
    never_closed, never_open = (((0, 1440),),) * 7, ((),) * 7
    for week, is_open in ((never_closed, True), (never_open, False)):
        async with serve(hours=OfficeHours(zone=UTC, week=week)) as chat, chat.http.get(chat.url("settings")) as answer:
            assert (await answer.json())["hours"] == {"open": is_open, "changes_at": None}
            assert answer.headers["Cache-Control"] == "no-cache"


async def test_settings_tell_of_the_form(serve: Any) -> None:
    form = {
        "fields": ["name", {"name": "email", "required": True}, "phone", {"name": "order", "label": "Sipariş no"}],
        "consent": "I have read the [notice](https://www.example.com/privacy)",
    }
    look = {"accent": "#0b6b5d", "side": "left"}
    async with (
        serve(prechat=form, theme=look, call_back=True, rating=False, identity_secret="s" * 32) as chat,
        chat.http.get(chat.url("settings")) as answer,
    ):
        told = await answer.json()
    assert told["prechat"]["consent"] == form["consent"]
    assert told["prechat"]["fields"] == [
        {"name": "name", "label": None, "type": "text", "required": False},
        {"name": "email", "label": None, "type": "email", "required": True},
        {"name": "phone", "label": None, "type": "tel", "required": False},
        {"name": "order", "label": "Sipariş no", "type": "text", "required": False},
    ]
    assert (told["theme"], told["call_back"], told["rating"], told["identifies"]) == (look, True, False, True)


@pytest.mark.parametrize(("method", "tail"), [("GET", ""), ("GET", "nothing"), ("PUT", "poll"), ("GET", "../x")])
async def test_nothing_else_is_there(chat: Any, method: str, tail: str) -> None:
    async with chat.http.request(method, chat.url(tail)) as answer:
        assert answer.status == 404


async def test_plain_request_for_the_socket_is_refused(chat: Any) -> None:
    async with chat.http.get(chat.url("ws")) as answer:
        assert answer.status == 400


@pytest.mark.parametrize(
    "options",
    [
        {"origins": ["www.example.com"]},
        {"origins": ["https://www.example.com/page"]},
        {"identity_secret": "short"},
        {"identity_secret": ["s" * 32, "short"]},
        {"rate": {"session": {"per_second": 0, "burst": 1}}},
        {"unknown": 1},
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        WebChatConnector.options_model(**options)


def test_secret_is_not_printed() -> None:
    options = WebChatConnector.options_model.model_validate({"identity_secret": "s" * 32})
    assert "s" * 32 not in repr(options) + json.dumps(options.model_dump(mode="json"))


def test_nothing_can_be_sent(chat: Any) -> None:
    connector = WebChatConnector(WebChatConnector.options_model(), chat.context.channel)
    message = Message(author=Author(type="agent"), text="x")
    reply = Reply(message=message, person=Person(kind="visitor", value="v"), files=chat.context.files)
    with pytest.raises(PermanentError):
        connector.send(reply, ())
