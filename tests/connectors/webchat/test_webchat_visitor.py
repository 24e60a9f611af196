"""Who a visitor is, and what they may do beside writing."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from connectors.context import Attendant
from connectors.webchat.tokens import LIFETIME, VisitorTokens
from normalizer.chat import normalize
from normalizer.outcomes import Draft, Person
from normalizer.schema import Delivery, Part, Revision

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


def signed(key: bytes | str = "s" * 32, **claims: Any) -> str:
    return jwt.encode({"sub": "42", "exp": NOW + HOUR, **claims}, key, "HS256")


async def test_token_brings_the_visitor_back(chat: Any) -> None:
    tab = await chat.tab()
    await tab.say("remember me", "c-1")
    back = await chat.tab(token=tab.token)
    assert back.token == tab.token
    assert [message["text"] for message in back.welcome["messages"]] == ["remember me"]


async def test_token_past_half_its_life_is_renewed_and_an_expired_one_is_not_good(chat: Any) -> None:
    tokens = VisitorTokens(chat.context.keys, "site")
    stale = await tokens.issue("v-1", NOW - LIFETIME * 0.6)
    tab = await chat.tab(token=stale)
    assert tab.token != stale
    assert chat.visitor(tab) == "v-1"
    expired = await tokens.issue("v-1", NOW - LIFETIME * 1.1)
    assert chat.visitor(await chat.tab(token=expired)) != "v-1"


async def test_old_key_is_still_good_after_a_new_one_came(chat: Any) -> None:
    tab = await chat.tab()
    chat.context.keys.keys["k2"] = b"2" * 32
    assert chat.visitor(await chat.tab(token=tab.token)) == chat.visitor(tab)
    assert jwt.get_unverified_header((await chat.tab()).token)["kid"] == "k2"


FORGERIES = [
    "nonsense",
    "a.b.c",
    "\x00",
    jwt.encode({"sub": "v-1", "aud": "site", "exp": NOW + HOUR}, "", "none"),
    jwt.encode({"sub": "v-1", "aud": "site", "exp": NOW + HOUR}, "x" * 32, "HS256", headers={"kid": "k1"}),
    jwt.encode({"sub": "v-1", "aud": "site", "exp": NOW + HOUR}, b"1" * 32, "HS256", headers={"kid": "k9"}),
    jwt.encode({"sub": "v-1", "aud": "site", "exp": NOW + HOUR}, b"1" * 64, "HS512", headers={"kid": "k1"}),
    jwt.encode({"sub": "v-1", "aud": "other", "exp": NOW + HOUR}, b"1" * 32, "HS256", headers={"kid": "k1"}),
    jwt.encode({"sub": "v-1", "aud": "site"}, b"1" * 32, "HS256", headers={"kid": "k1"}),
]


@pytest.mark.parametrize("token", FORGERIES, ids=range(len(FORGERIES)))
async def test_token_that_is_not_good_here_makes_a_fresh_visitor(chat: Any, token: str) -> None:
    tab = await chat.tab(token=token, cursor="0")
    assert chat.visitor(tab) != "v-1"
    assert tab.welcome["reload"]


async def test_hello_after_logout_is_somebody_else(chat: Any) -> None:
    tab = await chat.tab()
    before, token = chat.visitor(tab), tab.token
    await tab.say("mine", "c-1")
    await tab.send(type="logout")
    assert (await tab.say("nobody's", "c-2"))["code"] == "unauthorized"
    await tab.hello(token)
    assert chat.visitor(tab) != before
    assert tab.welcome["messages"] == []
    await chat.context.reply(before, "for the one before")
    assert (await tab.say("mine", "c-1"))["type"] == "ack"
    assert all(frame["message"]["text"] != "for the one before" for frame in [await tab.next("message")])


async def test_logout_ends_every_tab_and_makes_the_token_worthless(chat: Any) -> None:
    tab = await chat.tab()
    other = await chat.tab(token=tab.token)
    await tab.say("mine", "c-1")
    await tab.send(type="logout")
    assert await other.closed() == 4401
    await tab.hello()
    thief = await chat.tab(token=other.token)
    assert chat.visitor(thief) != chat.visitor(other)
    assert thief.welcome["messages"] == []
    headers = {"Authorization": f"Bearer {other.token}"}
    async with chat.http.get(chat.url("poll"), headers=headers) as answer:
        assert answer.status == 401
    async with chat.http.post(chat.url("attachments"), headers=headers, data=b"x") as answer:
        assert answer.status == 401


async def test_logout_ends_a_tab_that_was_let_in_and_heard_of_nothing_yet(
    chat: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hears, attended = asyncio.Event(), chat.context.feed.attended

    @contextlib.asynccontextmanager
    async def late(thread_key: str, attendant: Attendant) -> AsyncIterator[None]:
        await hears.wait()
        async with attended(thread_key, attendant):
            yield

    tab = await chat.tab()
    monkeypatch.setattr(chat.context.feed, "attended", late)
    other = await chat.tab(token=tab.token)
    await tab.send(type="logout")
    await tab.hello(tab.token)  # the logout before it is done
    hears.set()
    assert await other.closed() == 4401


async def test_logout_by_poll_is_one_too(chat: Any) -> None:
    tab = await chat.tab()
    frame = {"type": "logout", "token": tab.token}
    async with chat.http.post(chat.url("poll"), json=frame) as answer:
        assert (answer.status, await answer.json()) == (200, {"frames": []})
    assert await tab.closed() == 4401
    async with chat.http.post(chat.url("poll"), json=frame) as answer:
        assert answer.status == 401


async def test_form_and_page_come_with_the_message(chat: Any) -> None:
    tab = await chat.tab()
    details = {"fields": {"name": "Ayşe", "email": "Ayse@Example.com", "order": "42"}, "consent": "the notice"}
    page = "https://www.example.com/basket"
    await tab.send(type="message", client_id="c-1", text="Where is it?", page=page, details=details)
    shown = (await tab.next("message"))["message"]
    (part,) = shown["parts"]
    assert (shown["text"], part["type"], part["data"]) == ("Where is it?", "details", details)
    assert part["text"] == "name: Ayşe\nemail: Ayse@Example.com\norder: 42\nAgreed to: the notice"
    (draft,) = normalize(chat.said()[0])
    assert isinstance(draft, Draft)
    person = Person(kind="visitor", value=chat.visitor(tab), name="Ayşe", email="ayse@example.com", verified=False)
    assert (draft.customer, draft.message.channel_data) == (person, {"webchat.page": page})


NO_ADDRESSES = ["", "ayse", "a@b", "a b@example.com", "<a@b.co>", "a@example.com,b@example.com", "x" * 250 + "@b.co"]


@pytest.mark.parametrize("email", NO_ADDRESSES)
async def test_what_is_no_address_stays_text(chat: Any, email: str) -> None:
    tab = await chat.tab()
    await tab.send(type="message", client_id="c-1", text="x", details={"fields": {"email": email}})
    await tab.next("ack")
    (draft,) = normalize(chat.said()[0])
    assert isinstance(draft, Draft)
    assert draft.customer.email is None
    assert email in draft.message.parts[0].text


@pytest.mark.parametrize(
    "frame", [{"type": "rate", "score": 4, "comment": "iyi"}, {"type": "call_back", "phone": "1", "when": "at 5"}]
)
async def test_what_bears_a_client_id_is_acked_and_counts_once(chat: Any, frame: dict[str, Any]) -> None:
    tab = await chat.tab()
    acks = []
    for _ in range(2):
        await tab.send(**frame, client_id="c-1")
        acks.append(await tab.next("ack", client_id="c-1"))
    assert acks[0]["message"]["id"] == acks[1]["message"]["id"]
    assert len(chat.context.events) == 1


async def test_choice_bears_a_client_id_too(chat: Any) -> None:
    tab = await chat.tab()
    buttons = Part(type="buttons", text="Yes", data={"buttons": [{"label": "Evet", "value": "yes"}]})
    offer = await chat.context.reply(chat.visitor(tab), "Shall I?", parts=(buttons,))
    await tab.next("message")
    for _ in range(2):
        await tab.send(type="choose", message_id=offer.id, value="yes", client_id="c-1")
        assert (await tab.next("ack", client_id="c-1"))["message"]["text"] == "Evet"
    await tab.send(type="choose", message_id=offer.id, value="maybe", client_id="c-2")
    assert (await tab.next("error", client_id="c-2"))["code"] == "bad_frame"
    assert sum(raw.key.startswith("choose:") for raw in chat.context.received) == 1


async def test_reply_that_was_read_is_shown_so_when_one_comes_back(chat: Any) -> None:
    tab = await chat.tab()
    reply = await chat.context.reply(chat.visitor(tab), "Hello!")
    assert not (await tab.next("message"))["message"]["read"]
    await tab.send(type="read", message_id=reply.id)
    assert await tab.quiet()
    (shown,) = (await chat.tab(token=tab.token)).welcome["messages"]
    assert shown["read"]


async def test_website_vouches_for_its_user(chat: Any) -> None:
    tab = await chat.tab()
    token = signed(email="Ayse@example.com", name="Ayşe")
    await tab.send(type="identify", token=token)
    await tab.send(type="identify", token=token)
    assert await tab.quiet()
    (event,) = chat.context.events
    assert (event.part.type, event.customer.verified) == ("identified", True)
    assert (event.customer.email, event.customer.name) == ("Ayse@example.com", "Ayşe")
    assert event.customer.value == event.thread_key == chat.visitor(tab)
    assert not any(token.encode() in raw.body for raw, _ in chat.context.journal.values())


WRONG = [
    "nonsense",
    signed("x" * 32),
    signed(exp=NOW - timedelta(seconds=1)),
    signed(sub=42),
    signed(email=["a@example.com"]),
    jwt.encode({"sub": "42"}, "s" * 32, "HS256"),
    jwt.encode({"exp": NOW + HOUR}, "s" * 32, "HS256"),
    jwt.encode({"sub": "42", "exp": NOW + HOUR}, "", "none"),
]


@pytest.mark.parametrize("token", WRONG, ids=range(len(WRONG)))
async def test_wrong_identity_token_is_unauthorized(chat: Any, token: str) -> None:
    tab = await chat.tab()
    await tab.send(type="identify", token=token)
    assert (await tab.next("error"))["code"] == "unauthorized"
    assert not chat.context.journal


async def test_identity_secret_may_be_a_list_while_it_changes(serve: Any) -> None:
    async with serve(identity_secret=["n" * 32, "s" * 32]) as chat:
        tab = await chat.tab()
        await tab.send(type="identify", token=signed("s" * 32))
        await tab.send(type="identify", token=signed("n" * 32))
        assert await tab.quiet()
        assert len(chat.context.events) == 2


async def test_notes_and_hidden_replies_are_never_shown(chat: Any) -> None:
    tab = await chat.tab()
    visitor = chat.visitor(tab)
    await chat.context.reply(visitor, "internal", direction="note")
    await chat.context.reply(visitor, "later", state="scheduled")
    await chat.context.reply(visitor, "withdrawn", state="cancelled")
    await chat.context.reply(visitor, "public")
    assert (await tab.next("message"))["message"]["text"] == "public"
    assert [message["text"] for message in (await chat.tab(token=tab.token)).welcome["messages"]] == ["public"]


async def test_reply_that_was_cancelled_is_taken_back(chat: Any) -> None:
    online, away = await chat.tab(), await chat.tab()
    for tab in (online, away):
        await tab.say("help", "c-1")
        await tab.next("message")
    await away.socket.close()
    for tab in (online, away):
        reply = await chat.context.reply(chat.visitor(tab), "wrong customer, sorry", state="queued")
        await chat.context.change(chat.visitor(tab), reply.id, delivery=Delivery(state="cancelled"))
    assert [(await online.next("message"))["message"]["deleted"] for _ in range(2)] == [False, True]
    assert (await chat.tab(token=away.token, cursor=away.cursor)).welcome["messages"] == []


async def test_scheduled_reply_is_not_reported_as_delivered(chat: Any) -> None:
    tab = await chat.tab()
    reply = await chat.context.reply(chat.visitor(tab), "tomorrow", state="scheduled")
    assert await (await chat.tab(token=tab.token)).quiet()
    assert await tab.quiet()
    assert chat.context.state(chat.visitor(tab), reply.id) == "scheduled"


async def test_reply_that_arrived_in_another_tab_is_not_missed(chat: Any) -> None:
    tab = await chat.tab()
    await tab.say("help", "c-1")
    await tab.next("message")
    closed = await chat.tab(token=tab.token)
    await closed.socket.close()
    reply = await chat.context.reply(chat.visitor(tab), "here")
    await tab.next("message")
    await tab.send(type="read", message_id=reply.id)
    assert await tab.quiet()
    back = await chat.tab(token=tab.token, cursor=closed.cursor)
    assert [message["text"] for message in back.welcome["messages"]] == ["here"]
    again = await chat.tab(token=tab.token, cursor=tab.cursor)
    assert again.welcome["messages"] == []


async def test_edit_and_deletion_come_as_the_message_changed(chat: Any) -> None:
    tab = await chat.tab()
    visitor = chat.visitor(tab)
    reply = await chat.context.reply(visitor, "Helo")
    assert not (await tab.next("message"))["message"]["edited"]
    await chat.context.change(visitor, reply.id, text="Hello", revisions=(Revision(text="Helo", until=NOW),))
    edited = (await tab.next("message"))["message"]
    assert (edited["id"], edited["text"], edited["edited"]) == (reply.id, "Hello", True)
    await chat.context.change(visitor, reply.id, deleted_at=NOW)
    deleted = (await tab.next("message"))["message"]
    assert (deleted["id"], deleted["text"], deleted["deleted"]) == (reply.id, "", True)


async def test_change_that_a_visitor_cannot_see_is_not_sent(chat: Any) -> None:
    tab = await chat.tab()
    visitor = chat.visitor(tab)
    reply = await chat.context.reply(visitor, "once", state="queued")
    await chat.context.change(visitor, reply.id, channel_data={"more": "secrets"})
    assert (await tab.next("message"))["message"]["text"] == "once"
    assert await tab.quiet()


async def test_reply_is_read_once_and_only_by_its_visitor(chat: Any) -> None:
    tab, stranger = await chat.tab(), await chat.tab()
    visitor = chat.visitor(tab)
    reply = await chat.context.reply(visitor, "read me")
    await tab.next("message")
    await stranger.send(type="read", message_id=reply.id)
    assert (await stranger.next("error"))["code"] == "bad_frame"
    await tab.send(type="read", message_id=reply.id)
    await tab.send(type="read", message_id=reply.id)
    assert await tab.quiet()
    assert chat.context.state(visitor, reply.id) == "read"
    assert [key for key in chat.context.journal if key.startswith("read:")] == [f"read:{reply.id}"]


async def test_reply_that_waited_is_delivered_by_hello(chat: Any) -> None:
    tab = await chat.tab()
    visitor = chat.visitor(tab)
    await tab.socket.close()
    reply = await chat.context.reply(visitor, "waiting for you")
    back = await chat.tab(token=tab.token)
    assert await back.quiet()
    assert chat.context.state(visitor, reply.id) == "delivered"


async def test_choice_becomes_a_message_with_its_label(chat: Any) -> None:
    tab = await chat.tab()
    buttons = {"buttons": [{"label": "Evet", "value": "yes"}, {"label": "Hayır", "value": "no"}]}
    offer = await chat.context.reply(
        chat.visitor(tab), "Emin misiniz?", parts=(Part(type="buttons", text="Evet, Hayır", data=buttons),)
    )
    assert (await tab.next("message"))["message"]["parts"][0]["data"] == buttons
    await tab.send(type="choose", message_id=offer.id, value="no")
    chosen = (await tab.next("message"))["message"]
    assert (chosen["text"], chosen["direction"], chosen["parts"][0]["type"]) == ("Hayır", "inbound", "choice")


async def test_rating_and_call_back_are_kept_and_typing_is_taken(chat: Any) -> None:
    tab = await chat.tab()
    await tab.send(type="rate", score=5, comment="süper")
    await tab.send(type="call_back", phone="+90 212 000 00 00", when="tomorrow")
    await tab.send(type="typing")
    kinds = [(await tab.next("message"))["message"]["parts"][0]["type"] for _ in range(2)]
    assert kinds == ["rating", "call_back"]
    assert await tab.quiet()


async def test_raw_event_holds_the_frame_and_the_visitor(chat: Any) -> None:
    tab = await chat.tab()
    await tab.say("kept as it came", "c-1")
    (raw,) = chat.said()
    assert json.loads(raw.body) == {"type": "message", "client_id": "c-1", "text": "kept as it came"}
    assert raw.envelope == {"visitor": chat.visitor(tab)}
