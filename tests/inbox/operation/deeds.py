"""What customers and agents do, and what they keep to themselves."""

from __future__ import annotations

from typing import Any

import aiohttp
from harness import Desk, Santral, eventually

BILLING = "billing@example.com"
SMTP_PASSWORD = "sesame-of-smtp"
IDENTITY_SECRET = "0123456789abcdef-of-identities-0"
GOSSIP_TOKEN = '123456:AA"of-the-gossip'
SECRETS = (SMTP_PASSWORD, IDENTITY_SECRET, GOSSIP_TOKEN, 'AA\\"of-the-gossip')


async def drop(santral: Santral, **event: Any) -> dict[str, Any]:
    async with aiohttp.ClientSession(santral.url) as http, http.post("/hooks/gossip", json=event) as answer:
        return {"status": answer.status, **(await answer.json())}


async def conversation_of(desk: Desk, channel: str) -> dict[str, Any]:
    async def one() -> dict[str, Any] | None:
        return next(iter((await desk.get("/api/v1/conversations", channel=channel))["items"]), None)

    found = await eventually(one)
    assert found is not None
    return found


async def reply(desk: Desk, channel: str, text: str) -> dict[str, Any]:
    conversation = await conversation_of(desk, channel)
    made: dict[str, Any] = await desk.post(f"/api/v1/conversations/{conversation['id']}/messages", {"text": text})
    return made
