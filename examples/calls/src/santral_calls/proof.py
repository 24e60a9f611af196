"""What proves the connector: a phone system on 127.0.0.1, options with mistakes, and recorded events."""

from __future__ import annotations

import asyncio
import hmac
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from importlib import resources
from typing import Any, ClassVar

import aiohttp
from aiohttp import web

from connectors.testing import Door, Mistake, Platform, Proof, Sent, Told, Trouble
from normalizer.outcomes import Person, Raw
from santral_calls.connector import CallsConnector

SECRET = "new-secret-of-the-proof-alone-0001"
FORMER = "old-secret-of-the-proof-alone-0002"
PHONE = "+902120000001"


def signed(body: bytes, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    """The headers of a hook."""
    stamp = str(int(time.time() if at is None else at))
    signature = hmac.digest(secret.encode(), f"{stamp}.".encode() + body, "sha256").hex()
    return {"X-Timestamp": stamp, "X-Signature": signature}


class PhoneSystem(Platform):
    """Calls the hook, and places call-backs."""

    def __init__(self) -> None:
        self.placed: list[Sent] = []
        self.trouble: Trouble | None = None
        self.held = asyncio.Event()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[PhoneSystem]:
        """Places call-backs while the block lasts."""
        app = web.Application()
        app.router.add_post("/call-backs", self.place)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.options = {"api_url": "http://{}:{}".format(*runner.addresses[0][:2])}
        try:
            yield self
        finally:
            await runner.cleanup()

    async def place(self, request: web.Request) -> web.Response:
        """A call-back is to be placed."""
        order = await request.json()
        self.held.set()
        if self.trouble == "hang":
            await asyncio.Event().wait()
        if self.trouble == "uncertain" and request.transport is not None:
            request.transport.abort()
        if self.trouble is not None:
            return web.Response(status=503 if self.trouble == "temporary" else 404)
        self.placed.append(Sent(text=order["note"], mark=order["id"]))
        return web.Response(status=201)

    async def say(self, door: Door, id_: str, text: str) -> Told:
        """Somebody asks to be called back."""
        event = {"id": id_, "kind": "call_back", "phone": PHONE, "at": "2026-11-23T10:00:00Z", "note": text}
        body = json.dumps(event).encode()
        async with aiohttp.ClientSession() as http, http.post(door.hooks, data=body, headers=signed(body)) as answer:
            return "ok" if answer.status == 202 else "again" if answer.status >= 500 else "no"

    def sent(self) -> Sequence[Sent]:
        """The call-backs that were placed."""
        return self.placed

    def fail(self, how: Trouble | None) -> None:
        """Answers so from now on."""
        self.trouble = how

    async def holding(self) -> None:
        """A call-back came, and is not answered."""
        await self.held.wait()


def recorded(name: str) -> Raw:
    """An event as the phone system sent it: `fixtures/NAME.json`."""
    body = (resources.files(__package__) / "fixtures" / f"{name}.json").read_bytes()
    at = datetime(2026, 11, 23, 10, tzinfo=UTC)
    return Raw(key=name, body=body, content_type="application/json", received_at=at)


class CallsProof(Proof):
    """What the kit must know. `santral connectors --check` finds it by its entry point."""

    connector = CallsConnector
    options: ClassVar[Mapping[str, Any]] = {"secret": [SECRET, FORMER], "api_url": "https://phones.example.com"}
    mistakes = (
        Mistake({"secret": "too-brief"}, "secret"),
        Mistake({"secret": []}, "secret"),
        Mistake({"api_url": "phones.example.com"}, "api_url"),
    )
    events = (recorded("call"), recorded("call-back"))
    person = Person(kind="phone", value=PHONE)

    def platform(self) -> AbstractAsyncContextManager[Platform]:
        """A phone system of its own for each check."""
        return PhoneSystem().serving()
