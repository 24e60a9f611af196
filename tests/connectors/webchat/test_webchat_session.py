"""The protocol over a WebSocket, as a browser sees it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from harness import eventually

from connectors import UnavailableError


async def test_message_is_acked_once_it_is_journaled_and_comes_back_live(chat: Any) -> None:
    tab = await chat.tab()
    ack = await tab.say("  Merhaba 👋\n", "c-1")
    assert ack["message"]["text"] == "  Merhaba 👋\n"
    assert ack["message"]["client_id"] == "c-1"
    assert ack["message"]["received_at"].endswith("Z")
    live = await tab.next("message")
    assert live["message"]["id"] == ack["message"]["id"]
    assert live["message"]["client_id"] == "c-1"
    (raw,) = chat.said()
    assert raw.key == f"{chat.visitor(tab)}:c-1"


async def test_same_client_id_is_one_message(chat: Any) -> None:
    tab = await chat.tab()
    first, second = await tab.say("once", "c-1"), await tab.say("once", "c-1")
    assert first["message"]["id"] == second["message"]["id"]
    assert len(chat.said()) == 1


async def test_client_ids_of_two_visitors_do_not_meet(chat: Any) -> None:
    one, two = await chat.tab(), await chat.tab()
    assert (await one.say("mine", "c-1"))["message"]["id"] != (await two.say("yours", "c-1"))["message"]["id"]
    assert await one.next("message")
    assert await one.quiet()


async def test_reply_reaches_every_tab_and_is_delivered_once(chat: Any) -> None:
    one = await chat.tab()
    two = await chat.tab(token=one.token)
    reply = await chat.context.reply(chat.visitor(one), "Hello!")
    for tab in (one, two):
        shown = (await tab.next("message"))["message"]
        assert (shown["text"], shown["author"]) == ("Hello!", {"type": "agent", "name": "Ayşe", "picture": None})
        assert "secret" not in json.dumps(shown)
        assert await tab.quiet()
    assert chat.context.state(chat.visitor(one), reply.id) == "delivered"
    assert sum(key.startswith("delivered:") for key in chat.context.journal) == 1


async def test_pipelined_messages_keep_their_order(chat: Any) -> None:
    tab = await chat.tab()
    for number in range(200):
        await tab.send(type="message", client_id=f"c-{number}", text=str(number))
    acks = [(await tab.next("ack"))["message"]["text"] for _ in range(200)]
    assert acks == [str(number) for number in range(200)]
    assert [json.loads(raw.body)["text"] for raw in chat.said()] == acks


async def test_cursor_brings_what_was_missed_and_nothing_twice(chat: Any) -> None:
    tab = await chat.tab()
    await tab.say("before", "c-1")
    await tab.next("message")
    await tab.socket.close()
    await chat.context.reply(chat.visitor(tab), "while you were away")
    back = await chat.tab(token=tab.token, cursor=tab.cursor)
    assert [message["text"] for message in back.welcome["messages"]] == ["while you were away"]
    assert not back.welcome["reload"]
    assert await back.quiet()
    await chat.context.reply(chat.visitor(tab), "and live again")
    assert (await back.next("message"))["message"]["text"] == "and live again"


@pytest.mark.parametrize("cursor", ["nonsense", "-1", ""])
async def test_lost_cursor_reloads_the_history(chat: Any, cursor: str) -> None:
    tab = await chat.tab()
    await tab.say("kept", "c-1")
    back = await chat.tab(token=tab.token, cursor=cursor)
    assert back.welcome["reload"]
    assert [message["text"] for message in back.welcome["messages"]] == ["kept"]
    assert back.welcome["conversation_id"] == "conversation-1"


async def test_text_keeps_every_code_point_but_lone_surrogates(chat: Any) -> None:
    tab = await chat.tab()
    text = "\0 \u202e <b>&amp; \U0001f468\u200d\U0001f469 \u0130\u0131 e\u0301"
    assert (await tab.say(text, "c-1"))["message"]["text"] == text
    await tab.socket.send_str(r'{"type":"message","client_id":"c-2","text":"cut \ud83d, whole \ud83d\ude00"}')
    assert (await tab.next("ack", client_id="c-2"))["message"]["text"] == "cut \ufffd, whole \U0001f600"


async def test_unavailable_is_told_and_the_message_sent_again_arrives(chat: Any) -> None:
    tab = await chat.tab()
    chat.context.trouble = UnavailableError("the database is away")
    refused = await tab.say("keep me", "c-1")
    assert (refused["code"], refused["client_id"]) == ("unavailable", "c-1")
    chat.context.trouble = None
    assert (await tab.say("keep me", "c-1"))["type"] == "ack"


async def test_visitor_who_reads_nothing_is_let_go(chat: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.webchat.session.SLOW_SECONDS", 3.0)  # who does read is quicker on any machine
    tab = await chat.tab()
    deaf = await chat.tab(token=tab.token)

    async def let_go() -> bool:
        return len(chat.context.feed.attendants(chat.visitor(tab))) == 1

    transport = deaf.socket._response.connection.transport
    transport.pause_reading()
    for number in range(100):
        await chat.context.reply(chat.visitor(tab), f"{number} " + "x" * 200_000)
        await tab.next("message")
    await eventually(let_go)
    transport.resume_reading()
    assert await deaf.closed() == 1006
    assert (await tab.say("unharmed", "c-1"))["type"] == "ack"


async def test_restart_asks_browsers_to_connect_again(chat: Any) -> None:
    tab = await chat.tab()
    chat.task.cancel()
    assert await tab.closed() == 1012
    assert (await chat.http.get(chat.url("demo"))).status == 503
    await asyncio.gather(chat.task, return_exceptions=True)
