"""Who leaves a message and a mail address while nobody is there can be answered there, and is believed nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
from harness import eventually, letter

FORM = {"fields": {"name": "Ada", "email": "Ada@Example.org"}, "consent": None}


async def left(url: str, client_id: str) -> None:
    async with aiohttp.ClientSession(url) as http:
        async with http.post("/chat/site/poll", json={"type": "hello"}) as answer:
            token = (await answer.json())["frames"][0]["token"]
        said = {"type": "message", "client_id": client_id, "text": "Call me when you are back", "details": FORM}
        async with http.post("/chat/site/poll", json={**said, "token": token}) as answer:
            assert (await answer.json())["frames"][0]["type"] == "ack"


async def test_a_message_left_with_an_address_can_be_answered_by_mail(santral: Any) -> None:
    one = await santral()
    await left(one.url, "c-1")
    async with one.desk() as desk:
        (conversation,) = await eventually(desk.conversations)
        customer = await desk.get(f"/api/v1/customers/{conversation['customer']['id']}")
        identities = {found["kind"]: (found["value"], found["verified"]) for found in customer["identities"]}
        assert customer["name"] == "Ada"
        assert identities["email"] == ("ada@example.org", False)
        assert identities["visitor"][1] is False
        path = f"/api/v1/conversations/{conversation['id']}"
        reply = await desk.post(f"{path}/messages", {"text": "Here we are.", "channel": "mail"})
        assert [found["address"] for found in reply["delivery"]["recipients"]] == ["ada@example.org"]


async def test_who_types_the_address_of_a_customer_is_not_that_customer(santral: Any) -> None:
    one = await santral()
    await asyncio.to_thread(one.send_mail, letter(1))
    async with one.desk() as desk:
        (known,) = await eventually(desk.conversations)
        await left(one.url, "c-1")

        async def both() -> Any:
            found = await desk.conversations()
            return found if len(found) == 2 else None

        found = await eventually(both)
        assert len({conversation["customer"]["id"] for conversation in found}) == 2
        chat = next(conversation for conversation in found if conversation["id"] != known["id"])
        customer = await desk.get(f"/api/v1/customers/{chat['customer']['id']}")
        assert [identity["kind"] for identity in customer["identities"]] == ["visitor"]
