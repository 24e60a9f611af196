"""The whole story, over real parts: a mail by swaks, a chat in Chromium, answers through the API, and both arrive."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest
from browser import browsing
from harness import ADDRESS, PATIENCE, Desk, Santral, Visitor, eventually
from playwright.async_api import expect


@pytest.fixture
async def running(santral: Any, postfix: Any) -> Santral:
    """A Santral whose replies leave by a real Postfix."""
    made: Santral = await santral(outgoing=postfix.plain)
    return made


@pytest.fixture
async def page(running: Santral) -> AsyncIterator[Any]:
    async with browsing() as page:
        await page.goto(f"{running.url}/chat/site/demo")
        await page.get_by_role("button", name="Open the chat").click()
        yield page


async def swaks(running: Santral, *arguments: str) -> None:
    """Sends a mail as an admin would try it."""
    if shutil.which("swaks") is None:
        pytest.skip("needs Debian's swaks")
    process = await asyncio.create_subprocess_exec(
        "swaks",
        *("--server", f"127.0.0.1:{running.smtp_port}", "--to", ADDRESS, "--suppress-data"),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()


async def only_conversation(desk: Desk, channel: str) -> dict[str, Any]:
    async def asked() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await desk.get("/api/v1/conversations", channel=channel))["items"]
        return found

    (found,) = await eventually(asked)
    return found


async def test_a_mail_is_answered_and_the_customers_answer_joins(running: Santral, postfix: Any) -> None:
    await swaks(running, "--from", "jane@customer.example", "--header", "Subject: Broken lamp", "--body", "It is dark.")
    async with running.desk() as desk:
        conversation = await only_conversation(desk, "mail")
        assert conversation["subject"] == "Broken lamp"
        assert conversation["unread"] == 1
        path = f"/api/v1/conversations/{conversation['id']}/messages"
        reply = await desk.post(path, {"text": "A new bulb is on its way."})
        assert reply["delivery"]["state"] == "queued"

        arrived = await postfix.delivered("jane", "A new bulb is on its way.")
        assert b"Subject: Re: Broken lamp" in arrived
        message_id = f"{reply['id']}@example.com"
        assert f"Message-ID: <{message_id}>".encode().lower() in arrived.lower()

        async def sent() -> bool:
            message = (await desk.messages(conversation["id"]))[-1]
            return bool(message["delivery"]["state"] == "sent" and message["external"]["id"] == message_id)

        await eventually(sent)
        await swaks(
            running,
            *("--from", "jane@customer.example", "--header", "Subject: Re: Broken lamp"),
            *("--add-header", f"In-Reply-To: <{message_id}>", "--body", "Thank you!"),
        )

        async def joined() -> bool:
            return [one["seq"] for one in await desk.messages(conversation["id"])] == [1, 2, 3]

        await eventually(joined)
        assert len(await desk.conversations()) == 1


def returned(reply: dict[str, Any], address: str) -> bytes:
    """The report of a customer's mail server that a reply could not be delivered (RFC 3464)."""
    message_id = reply["external"]["id"]
    return (
        f"From: Mail Delivery System <MAILER-DAEMON@mx.customer.example>\r\nTo: {ADDRESS}\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        "Message-ID: <report-1@mx.customer.example>\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nNo such mailbox.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.customer.example\r\n\r\n"
        f"Final-Recipient: rfc822; {address}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 no such mailbox\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{message_id}>\r\nSubject: x\r\n\r\n--b--\r\n"
    ).encode()


async def test_the_company_begins_and_a_reply_that_comes_back_goes_out_again(running: Santral, postfix: Any) -> None:
    async with running.desk() as desk:
        begun = await desk.post(
            "/api/v1/conversations",
            {
                "channel": "mail",
                "identity": {"kind": "email", "value": "Joe@Customer.Example", "name": "Joe"},
                "subject": "Your order",
                "text": "It is ready to be fetched.",
            },
        )
        refused = await desk.post(
            "/api/v1/conversations",
            {"channel": "mail", "identity": {"kind": "email", "value": "a@b.c\r\nBcc: e@e.com"}, "text": "x"},
            status=422,
        )
        assert refused["type"].endswith("bad-address")
        assert b"Subject: Your order" in await postfix.delivered("joe", "It is ready to be fetched.")

        async def reply(state: str) -> dict[str, Any]:
            async def there() -> dict[str, Any] | None:
                message = (await desk.messages(begun["id"]))[0]
                return message if message["delivery"]["state"] == state else None

            return await eventually(there)  # type: ignore[return-value]

        sent = await reply("sent")
        await asyncio.to_thread(running.send_mail, returned(sent, "joe@customer.example"), "")
        failed = await reply("failed")
        assert failed["delivery"]["error"]["code"] == "5.1.1"
        _, report = await desk.messages(begun["id"])
        assert (report["kind"], report["author"]["type"]) == ("event", "system")
        assert report["customer_id"] == begun["customer"]["id"]
        assert report["relations"]["bounce_of"] == sent["id"]
        assert len((await desk.get("/api/v1/customers"))["items"]) == 1

        await desk.post(f"/api/v1/messages/{sent['id']}/retry", {}, status=200)
        again = await reply("sent")
        assert again["delivery"]["error"] is None
        assert again["external"]["id"] == sent["external"]["id"]


async def test_a_visitor_chats_and_reads_the_answer(running: Santral, page: Any) -> None:
    await page.get_by_role("textbox", name="Message").fill("Açık mısınız? <b>now</b>")
    await page.get_by_role("textbox", name="Message").press("Enter")
    async with running.desk() as desk, desk.http.ws_connect("/api/v1/stream") as stream:
        conversation = await only_conversation(desk, "site")
        (message,) = await desk.messages(conversation["id"])
        assert message["text"] == "Açık mısınız? <b>now</b>"
        assert message["author"]["type"] == "customer"

        path = f"/api/v1/conversations/{conversation['id']}/messages"
        await desk.post(path, {"text": "Evet, buyurun!"})
        await desk.post(path, {"text": "for colleagues only", "direction": "note"})
        await desk.post(path, {"text": "Bir şey daha…"})
        await expect(page.get_by_text("Evet, buyurun!")).to_be_visible()
        await expect(page.get_by_text("Bir şey daha…")).to_be_visible()
        await expect(page.get_by_text("for colleagues only")).to_have_count(0)

        async def delivered() -> bool:
            states = {one["text"]: one["delivery"] for one in await desk.messages(conversation["id"])}
            reply = states["Evet, buyurun!"]
            return bool(reply and reply["state"] in ("delivered", "read"))

        await eventually(delivered)
        told = []
        while "message.delivery_updated" not in told:
            told.append((await asyncio.wait_for(stream.receive_json(), PATIENCE)).get("type"))
        assert told[0] == "hello"


async def test_a_visitor_fetches_the_file_that_an_agent_sent_and_nobody_else_does(running: Santral) -> None:
    ada, eve = Visitor(running.url), Visitor(running.url)
    async with running.desk() as desk, ada.connected() as chat, eve.connected():
        await ada.say(chat, "manual")
        conversation = await only_conversation(desk, "site")
        async with desk.http.post("/api/v1/attachments?filename=manual.txt", data=b"Turn it on.") as uploaded:
            file = await uploaded.json()
        path = f"/api/v1/conversations/{conversation['id']}/messages"
        await desk.post(path, {"text": "here", "attachments": [file["id"]]})
        frame: dict[str, Any] = {"type": "none"}
        while frame["type"] != "message" or not frame["message"]["attachments"]:
            frame = await asyncio.wait_for(chat.receive_json(), PATIENCE)
        path = f"/chat/site/attachments/{frame['message']['attachments'][0]['id']}"
        for visitor, status in ((ada, 200), (eve, 404)):
            headers = {"Authorization": f"Bearer {visitor.token}"}
            async with desk.http.get(path, headers=headers) as answer:
                assert answer.status == status
                assert visitor is eve or await answer.read() == b"Turn it on."


async def test_both_customers_stand_in_one_inbox_with_their_timelines(running: Santral, page: Any) -> None:
    await swaks(running, "--from", "joe@customer.example", "--header", "Subject: Hello", "--body", "By mail.")
    await page.get_by_role("textbox", name="Message").fill("By chat.")
    await page.get_by_role("textbox", name="Message").press("Enter")
    async with running.desk() as desk:

        async def both() -> list[dict[str, Any]] | None:
            found = await desk.conversations()
            return found if len(found) == 2 else None

        found = await eventually(both)
        assert {tuple(one["channels"]) for one in found} == {("mail",), ("site",)}
        for one in found:
            timeline = await desk.get(f"/api/v1/customers/{one['customer']['id']}/timeline")
            assert len(timeline["items"]) == 1
