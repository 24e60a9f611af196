"""What a hostile or broken client sends hurts nobody, and is told what is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

BAD_FRAMES = [
    b"",
    b"not json",
    b"[]",
    b"null",
    b'{"type":"nonsense"}',
    b'{"type":7}',
    b'{"type":"message"}',
    b'{"type":"message","client_id":"c","text":7}',
    b'{"type":"message","client_id":"c","text":"x","attachments":"y"}',
    b'{"type":"message","client_id":"","text":"x"}',
    b'{"type":"message","client_id":"c\\n","text":"x"}',
    b'{"type":"message","client_id":"' + b"c" * 65 + b'","text":"x"}',
    b'{"type":"message","client_id":"c","text":""}',
    b'{"type":"message","client_id":"c","text":"x","attachments":["of somebody else"]}',
    b'{"type":"message","client_id":"c","attachments":' + json.dumps(["a"] * 11).encode() + b"}",
    b'{"type":"rate","score":' + b"9" * 5000 + b"}",
    b'{"type":"rate","score":NaN}',
    b'{"type":"message","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"type":"read","message_id":"of somebody else"}',
    b'{"type":"choose","message_id":"of somebody else","value":"x"}',
]


@pytest.mark.parametrize("frame", BAD_FRAMES, ids=range(len(BAD_FRAMES)))
async def test_bad_frame_is_told_and_the_socket_goes_on(chat: Any, frame: bytes) -> None:
    tab = await chat.tab()
    await tab.socket.send_str(frame.decode())
    error = await tab.next("error")
    assert error["code"] == "bad_frame"
    assert "Traceback" not in error["detail"]
    assert (await tab.say("still here", "c-1"))["type"] == "ack"
    assert len(chat.context.journal) == 1


async def test_error_names_the_message_where_it_can(chat: Any) -> None:
    tab = await chat.tab()
    await tab.send(type="message", client_id="c-9", text={"not": "text"})
    assert (await tab.next("error"))["client_id"] == "c-9"


async def test_deep_json_in_an_unknown_field_is_harmless(chat: Any) -> None:
    tab = await chat.tab()
    deep = "[" * 200 + "]" * 200
    await tab.socket.send_str(f'{{"type":"message","client_id":"c-1","text":"ok","extra":{deep}}}')
    assert (await tab.next("ack"))["message"]["text"] == "ok"


@pytest.mark.parametrize("text", ["x" * 10_001, "x" * 1_000_000])
async def test_large_message_is_too_large(chat: Any, text: str) -> None:
    tab = await chat.tab()
    await tab.send(type="message", client_id="c-1", text=text)
    assert (await tab.next("error"))["code"] == "too_large"
    assert (await tab.say("\U0001f600" * 10_000, "c-2"))["type"] == "ack"


async def test_monstrous_frame_closes_its_own_socket_alone(chat: Any) -> None:
    neighbour, tab = await chat.tab(), await chat.tab()
    await tab.send(type="message", client_id="c-1", text="x" * 3_000_000)
    assert await tab.closed() == 1009
    assert (await neighbour.say("unharmed", "c-1"))["type"] == "ack"


async def test_binary_frame_is_refused(chat: Any) -> None:
    tab = await chat.tab()
    await tab.socket.send_bytes(b'{"type":"typing"}')
    assert (await tab.next("error"))["code"] == "bad_frame"


async def test_garbage_again_and_again_closes_the_socket(chat: Any) -> None:
    tab = await chat.tab()
    for _ in range(10):
        await tab.socket.send_str("garbage")
    assert await tab.closed() == 1008


async def test_first_frame_must_be_hello(chat: Any) -> None:
    tab = await chat.tab(hello=False)
    error = await tab.say("too early", "c-1")
    assert (error["code"], error["client_id"]) == ("unauthorized", "c-1")
    assert await tab.hello()
    assert not chat.context.journal


async def test_silent_socket_is_closed(chat: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.webchat.session.HELLO_SECONDS", 0.05)
    tab = await chat.tab(hello=False)
    assert await tab.closed() == 1008


async def test_failure_inside_is_unavailable_and_not_the_end(chat: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tab = await chat.tab()

    async def broken(raw: object) -> None:
        raise RuntimeError("secret details")

    with monkeypatch.context() as patch:
        patch.setattr(chat.context, "receive", broken)
        error = await tab.say("hello", "c-1")
    assert error["code"] == "unavailable"
    assert "secret" not in json.dumps(error)
    assert (await tab.say("hello", "c-1"))["type"] == "ack"


async def test_hello_that_failed_may_be_said_again(chat: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tab = await chat.tab()

    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret details")

    with monkeypatch.context() as patch:
        patch.setattr(chat.context.feed, "history", broken)
        await tab.send(type="hello", token=tab.token)
        assert (await tab.next("error"))["code"] == "unavailable"
    assert (await tab.say("too early", "c-1"))["code"] == "unauthorized"
    await tab.hello(tab.token)
    assert (await tab.say("now", "c-1"))["type"] == "ack"


async def test_too_many_messages_are_refused_and_others_are_not(serve: Any) -> None:
    few = {"session": {"per_second": 0.01, "burst": 3}}
    async with serve(rate=few) as chat:
        tab, neighbour = await chat.tab(), await chat.tab()
        answers = [await tab.say("again", f"c-{number}") for number in range(4)]
        assert [answer["type"] for answer in answers] == ["ack", "ack", "ack", "error"]
        assert (answers[3]["code"], answers[3]["client_id"]) == ("rate_limited", "c-3")
        second = await chat.tab(token=tab.token)
        assert (await second.say("from another tab", "d-1"))["code"] == "rate_limited"
        assert (await neighbour.say("unharmed", "c-1"))["type"] == "ack"


async def test_address_is_limited_over_all_its_visitors(serve: Any) -> None:
    async with serve(rate={"address": {"per_second": 0.01, "burst": 3}}) as chat:
        one, two = await chat.tab(), await chat.tab()
        assert (await one.say("third", "c-1"))["type"] == "ack"
        assert (await two.say("fourth", "c-1"))["code"] == "rate_limited"
