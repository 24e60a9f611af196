"""Who has an answer by mail in copy: whom the customer wrote to as well, and nobody else."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from harness import ADDRESS, Desk, Santral, eventually, free_port, letter

StartSantral = Callable[..., Awaitable[Santral]]
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


async def said(one: Santral, desk: Desk, mail: bytes, text: str) -> Any:
    """The message that a mail becomes."""
    await asyncio.to_thread(one.send_mail, mail)

    async def found() -> Any:
        everything = (await desk.everything()).values()
        return next((message for messages in everything for message in messages if message["text"] == text), None)

    return await eventually(found)


async def copied(desk: Desk, conversation_id: str, **body: Any) -> list[str]:
    """Everybody that a reply is to reach."""
    path = f"/api/v1/conversations/{conversation_id}/messages"
    reply = await desk.post(path, {"text": "Here it is."} | body)
    return [one["address"] for one in reply["delivery"]["recipients"]]


async def shown(desk: Desk, conversation_id: str) -> list[str]:
    """Who the agent is told will have the answer in copy."""
    ways = (await desk.get(f"/api/v1/conversations/{conversation_id}/ways"))["items"]
    (way,) = [one for one in ways if one["default"]]
    return list(way["cc"])


async def test_those_whom_the_customer_wrote_to_have_the_answer_too(santral: StartSantral) -> None:
    receive = {"smtp": {"host": "127.0.0.1", "port": free_port()}}
    sales = {"id": "sales", "connector": "email", "address": "sales@example.com", "receive": receive}
    one = await santral(more=[sales])
    async with one.desk() as desk:
        to = f"{ADDRESS}, Bob <Bob@Customer.example>, Ada <ada@example.org>, Sales <sales+new@example.com>"
        mail = letter("first", "Where is it?", To=to, Cc="carol@customer.example, bob@customer.example, nonsense")
        conversation = (await said(one, desk, mail, "Where is it?"))["conversation_id"]
        others = ["bob@customer.example", "carol@customer.example"]

        assert await shown(desk, conversation) == others
        assert await copied(desk, conversation) == ["ada@example.org", *others]
        assert await copied(desk, conversation, cc=None) == ["ada@example.org", *others]
        assert await copied(desk, conversation, cc=[]) == ["ada@example.org"]
        assert await copied(desk, conversation, cc=["dan@example.net"]) == ["ada@example.org", "dan@example.net"]
        assert await copied(desk, conversation, to=["dan@example.net"]) == ["dan@example.net"]

        # A stranger who knows our ids brings nobody in.
        about = {"In_Reply_To": "<first@example.org>", "Cc": "mallory@evil.example"}
        mail = letter("stranger", "Me too", sender="eve@evil.example", **about)
        assert (await said(one, desk, mail, "Me too"))["conversation_id"] == conversation
        assert await shown(desk, conversation) == others

        # Whom the customer leaves out is out.
        mail = letter("second", "Just us now", In_Reply_To="<first@example.org>")
        await said(one, desk, mail, "Just us now")
        assert await shown(desk, conversation) == []
        assert await copied(desk, conversation) == ["ada@example.org"]


async def test_forged_mails_and_machines_bring_nobody_in(santral: StartSantral) -> None:
    port = free_port()
    receive = {"smtp": {"host": "127.0.0.1", "port": port, "trusted_relays": ["127.0.0.1"]}}
    one = await santral(
        more=[{"id": "relayed", "connector": "email", "address": "support@example.com", "receive": receive}]
    )
    one.smtp_port = port
    async with one.desk() as desk:
        for number, (proved, more) in enumerate(
            [("fail", {}), ("pass", {"Precedence": "list"}), ("pass", {"Auto_Submitted": "auto-replied"})]
        ):
            relay = {
                "Received": "from x by mx.example.com",
                "Authentication-Results": f"mx.example.com; dmarc={proved}",
            }
            mail = letter(number, f"mail {number}", Cc="bob@customer.example", **relay, **more)
            conversation = (await said(one, desk, mail, f"mail {number}"))["conversation_id"]
            assert await shown(desk, conversation) == [], proved


class Sink:
    """A mail server that keeps what it is given."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 2.0.0 taken"


async def test_an_inline_image_comes_in_and_goes_out(santral: StartSantral) -> None:
    """What a customer sends within the text is shown there, and what an agent puts there arrives there."""
    sink, loop = Sink(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(sink, hostname="sink.test", loop=loop), "127.0.0.1", 0)
    one = await santral(outgoing=server.sockets[0].getsockname()[1])
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Message-ID"] = "ada@example.org", ADDRESS, "<image@example.org>"
    mail.set_content("See the picture")
    mail.add_alternative('<p>See <img src="cid:dot@example.org"></p>', subtype="html")
    html = mail.get_body(("html",))
    assert html is not None
    html.add_related(PIXEL, "image", "png", cid="<dot@example.org>", disposition="inline")  # type: ignore[attr-defined]
    async with one.desk() as desk:
        message = await said(one, desk, mail.as_bytes(policy=policy.SMTP), "See the picture")
        (attachment,) = message["attachments"]
        assert (attachment["inline"], attachment["content_id"]) == (True, "dot@example.org")
        assert f'src="cid:{attachment["content_id"]}"' in message["html"]

        async with desk.http.post("/api/v1/attachments?filename=ours.png", data=PIXEL) as answer:
            ours = (await answer.json())["id"]
        path = f"/api/v1/conversations/{message['conversation_id']}/messages"
        body = {"text": "Like this", "html": f'<p>Like <img src="cid:{ours}"></p>', "attachments": [ours]}
        (shown_here,) = (await desk.post(path, body))["attachments"]
        assert (shown_here["inline"], shown_here["content_id"]) == (True, ours)

        async def left() -> Any:
            return sink.mails

        (out,) = await eventually(left)
        html = out.get_body(("html",))
        (picture,) = [part for part in out.walk() if part.get_content_type() == "image/png"]
        assert picture.get_content() == PIXEL
        assert picture["Content-ID"] == f"<{ours}@example.com>"
        assert f'src="cid:{ours}@example.com"' in html.get_content()
    server.close()
