"""An agent who answers from a mail program of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from harness import Desk, Santral, eventually, free_port, letter

PASSWORD = "correct horse battery"
StartSantral = Callable[..., Awaitable[Santral]]


async def _told(one: Santral, desk: Desk, number: str, text: str, sender: str, proved: str, **headers: str) -> Any:
    """The message that a mail becomes, of which our own relay says what it found out."""
    relay = {"Received": "from x by mx.example.com", "Authentication-Results": f"mx.example.com; dmarc={proved}"}
    mail = letter(number, text, sender=sender, **relay, **headers)
    await asyncio.to_thread(one.send_mail, mail, sender)

    async def found() -> Any:
        everything = (await desk.everything()).values()
        return next((said for messages in everything for said in messages if said["text"] == text), None)

    return await eventually(found)


async def test_it_joins_as_an_answer_where_the_address_is_proved(santral: StartSantral) -> None:
    port = free_port()
    receive = {"smtp": {"host": "127.0.0.1", "port": port, "trusted_relays": ["127.0.0.1"]}}
    channel = {"id": "relayed", "connector": "email", "address": "support@example.com", "receive": receive}
    one = await santral(more=[channel])
    one.smtp_port = port
    async with one.desk() as desk:
        agent = {"email": "grace@example.com", "password": PASSWORD, "name": "Grace"}
        grace = await desk.post("/api/v1/agents", agent)
        asked = await _told(one, desk, "asked", "Where is my vase?", "ada@customer.example", "pass")
        about = {"In_Reply_To": "<asked@example.org>"}

        forged = await _told(one, desk, "forged", "Send me your card", "grace@example.com", "fail", **about)
        assert (forged["direction"], forged["author"]["type"]) == ("inbound", "customer")

        answer = await _told(one, desk, "answer", "It is on its way", "grace@example.com", "pass", **about)
        assert answer["conversation_id"] == asked["conversation_id"]
        assert (answer["direction"], answer["delivery"]["state"]) == ("outbound", "sent")
        assert answer["author"] == {**answer["author"], "type": "agent", "id": grace["id"], "name": "Grace"}
        assert answer["customer_id"] == asked["customer_id"]
        conversation = await desk.get(f"/api/v1/conversations/{asked['conversation_id']}")
        assert conversation["waiting_since"] is None
        assert conversation["answered_at"] is not None

        mine = await _told(one, desk, "mine", "My own vase broke", "grace@example.com", "pass")
        assert (mine["direction"], mine["author"]["type"]) == ("inbound", "customer")
        own = {"In_Reply_To": "<mine@example.org>"}
        more = await _told(one, desk, "more", "And the other one", "grace@example.com", "pass", **own)
        assert (more["direction"], more["conversation_id"]) == ("inbound", mine["conversation_id"])
