"""A visitor who has left gets the answer by mail where an address is verified, once, and can answer it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import aiohttp
import jwt
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from harness import PATIENCE, Desk, Santral, Visitor, eventually, letter
from pymongo.asynchronous.database import AsyncDatabase

StartSantral = Callable[..., Awaitable[Santral]]
Documents = AsyncDatabase[dict[str, Any]]
SECRET = "s" * 32
ADA = "ada@example.org"
SHOP = {
    "id": "shop",
    "connector": "webchat",
    "identity_secret": SECRET,
    "answer_by_mail": {"channel": "mail", "after": "10m"},
}
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


class Sink:
    """A mail server that keeps what it is given, while its door is open."""

    def __init__(self) -> None:
        self.port = 0
        self.door = asyncio.Event()
        self.door.set()
        self.asked = asyncio.Event()
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        self.asked.set()
        await self.door.wait()
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 2.0.0 taken"


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    made, loop = Sink(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(made, hostname="sink.test", loop=loop), "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    made.door.set()
    server.close()


@pytest.fixture
async def one(santral: StartSantral, sink: Sink) -> Santral:
    return await santral(outgoing=sink.port, more=[SHOP])


def visits(one: Santral) -> Visitor:
    return Visitor(one.url, channel="shop")


async def left(one: Santral, desk: Desk, visitor: Visitor, *replies: str, verified: bool = True) -> str:
    """The conversation of a visitor who is gone when they are answered."""
    async with visitor.connected() as socket:
        if verified:
            claims = {"sub": "42", "email": ADA, "name": "Ada", "exp": datetime.now(UTC) + timedelta(hours=1)}
            await socket.send_json({"type": "identify", "token": jwt.encode(claims, SECRET, "HS256")})
        await visitor.say(socket, "anybody")

    async def known() -> Any:
        return [c for c in await desk.conversations() if c["last_message"]["text"] == "anybody"]

    conversation = str((await eventually(known))[0]["id"])
    for text in replies:
        await answer(desk, conversation, text)
    return conversation


async def shown(visitor: Visitor) -> list[str]:
    """What the chat shows to a visitor who comes back."""
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{visitor.url}/chat/shop/ws") as socket:
        await socket.send_json({"type": "hello", "token": visitor.token, "cursor": None})
        messages = (await asyncio.wait_for(socket.receive_json(), PATIENCE))["messages"]
        return [one["text"] for one in messages if one["kind"] == "message"]


async def answer(desk: Desk, conversation: str, text: str, **more: Any) -> None:
    async with desk.http.post("/api/v1/attachments?filename=plan.txt", data=text.encode()) as uploaded:
        body = {"text": text, "channel": "shop", "attachments": [(await uploaded.json())["id"]]} | more
    await desk.post(f"/api/v1/conversations/{conversation}/messages", body)


async def time_passes(documents: Documents) -> None:
    """It is as if the replies had waited long enough; returns when that was looked at."""
    await documents["follow_ups"].update_many({}, {"$set": {"due_at": LONG_AGO}})

    async def done() -> bool:
        return not await documents["follow_ups"].count_documents({})

    await eventually(done)


async def by_mail(desk: Desk, conversation: str) -> list[dict[str, Any]]:
    return [message for message in await desk.messages(conversation) if message["channel"] == "mail"]


async def test_what_a_visitor_has_not_fetched_leaves_as_one_mail_and_is_answered_there(
    one: Santral, sink: Sink, documents: Documents
) -> None:
    visitor = visits(one)
    async with one.desk() as desk:
        conversation = await left(one, desk, visitor, "We deliver.", "In two days.")
        assert not await by_mail(desk, conversation)  # it is not time yet
        await time_passes(documents)

        async def arrived() -> Any:
            return sink.mails

        (mail,) = await eventually(arrived)
        body = mail.get_body(("plain",))
        assert body is not None
        assert (mail["Subject"], mail["To"].addresses[0].addr_spec) == ("Santral: your chat", ADA)
        assert body.get_content().splitlines() == ["We deliver.", "", "In two days."]
        assert [part.get_content() for part in mail.iter_attachments()] == ["We deliver.", "In two days."]

        async def told() -> Any:
            shown = await by_mail(desk, conversation)
            return shown if shown[0]["delivery"]["state"] == "sent" else None

        (message,) = await eventually(told)
        assert (message["direction"], message["author"]["name"]) == ("outbound", "Ada")
        site = [one for one in await desk.messages(conversation) if one["channel"] == "shop"]
        assert [one["delivery"]["state"] for one in site if one["delivery"]] == ["waiting", "waiting"]

        # The customer answers the mail, into the conversation; and comes back to the chat, which shows its own alone.
        reply = letter("answer", "Thank you", In_Reply_To=mail["Message-ID"])
        await asyncio.to_thread(one.send_mail, reply)

        async def answered() -> Any:
            return [m for m in await desk.messages(conversation) if m["text"] == "Thank you"]

        (answered_there,) = await eventually(answered)
        conversations = await desk.conversations()
        assert [one["id"] for one in conversations] == [conversation]
        assert (
            answered_there["author"]["id"]
            == (await desk.get(f"/api/v1/conversations/{conversation}"))["customer"]["id"]
        )
        # What was mailed and not fetched is not mailed again with what is written later.
        await answer(desk, conversation, "Bye")
        await time_passes(documents)
        assert [one["text"] for one in await by_mail(desk, conversation)][-1] == "Bye"
        assert await shown(visitor) == ["anybody", "We deliver.", "In two days.", "Bye"]


async def test_what_was_fetched_meanwhile_or_called_off_is_not_mailed(
    one: Santral, sink: Sink, documents: Documents
) -> None:
    visitor = visits(one)
    async with one.desk() as desk:
        conversation = await left(one, desk, visitor, "fetched")
        async with visitor.connected():

            async def delivered() -> bool:
                return any(
                    m["delivery"] and m["delivery"]["state"] == "delivered" for m in await desk.messages(conversation)
                )

            await eventually(delivered)
        await answer(desk, conversation, "called off")
        (called_off,) = [m for m in await desk.messages(conversation) if m["text"] == "called off"]
        await desk.post(f"/api/v1/messages/{called_off['id']}/cancel", {}, status=200)
        await time_passes(documents)
        assert not await by_mail(desk, conversation)

        await answer(desk, conversation, "later", send_at=(datetime.now(UTC) + timedelta(seconds=1)).isoformat())

        async def waits() -> Any:
            return await documents["follow_ups"].find_one()

        await eventually(waits)
        await time_passes(documents)
        (mail,) = await by_mail(desk, conversation)
        assert mail["text"] == "later"


async def test_where_no_address_is_verified_nothing_is_sent(one: Santral, documents: Documents) -> None:
    async with one.desk() as desk:
        conversation = await left(one, desk, visits(one), "hello?", verified=False)
        customer = (await desk.get(f"/api/v1/conversations/{conversation}"))["customer"]["id"]
        told = {"kind": "email", "value": ADA}
        await desk.post(f"/api/v1/customers/{customer}/identities", told, status=201)
        await time_passes(documents)
        assert not await by_mail(desk, conversation)


async def test_two_look_at_the_same_time_and_one_dies_meanwhile(
    one: Santral, santral: StartSantral, sink: Sink, documents: Documents
) -> None:
    """Whichever of them has asked the mail server already: what leaves is one mail, under one id."""
    sink.door.clear()
    other = await santral(outgoing=sink.port, more=[SHOP])
    async with other.desk() as desk:
        conversation = await left(other, desk, visits(other), "once")
        await time_passes(documents)
        await asyncio.wait_for(sink.asked.wait(), PATIENCE)
        one.kill()
        sink.door.set()

        async def sent() -> Any:
            return [m for m in await by_mail(desk, conversation) if m["delivery"]["state"] == "sent"]

        (mail,) = await eventually(sent)
        assert {mail_["Message-ID"] for mail_ in sink.mails} == {f"<{mail['id']}@example.com>"}
