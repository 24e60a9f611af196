"""What proves the web chat: a browser that speaks its protocol."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar

import aiohttp

from connectors.tasks import end
from connectors.testing import Door, Mistake, Platform, Proof, Sent, Told
from connectors.webchat.connector import WebChatConnector
from normalizer.outcomes import Person, Raw

VISITOR = "0193c0de-0000-7000-8000-000000000001"
AT = datetime(2026, 11, 23, 10, tzinfo=UTC)


def _raw(key: str, body: bytes, **envelope: object) -> Raw:
    return Raw(
        key=key,
        body=body,
        content_type="application/json",
        received_at=AT,
        envelope={"visitor": VISITOR, **envelope},
    )


class Browser(Platform):
    """One visitor's browser."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        """Connects when it first says something."""
        self._http = http
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reading: asyncio.Task[None] | None = None
        self._shown: list[Sent] = []
        self._answers: dict[str, asyncio.Future[Told]] = {}

    async def say(self, door: Door, id_: str, text: str) -> Told:
        """Sends a message and waits for its `ack`."""
        if self._socket is None:
            self._socket = await self._http.ws_connect(f"{door.chat}/ws")
            await self._socket.send_json({"type": "hello", "token": None, "cursor": None})
            self._reading = asyncio.create_task(self._read(self._socket))
        answer = self._answers[id_] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"type": "message", "client_id": id_, "text": text})
        told: Told = await answer
        return told

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for received in socket:
            frame = received.json()
            answer = self._answers.get(frame.get("client_id") or "")
            if frame["type"] == "message" and frame["message"]["direction"] == "outbound":
                self._shown.append(Sent(text=frame["message"]["text"]))
            elif answer is not None and not answer.done():
                answer.set_result(_told(frame))

    def sent(self) -> Sequence[Sent]:
        """The replies that it shows."""
        return self._shown

    async def close(self) -> None:
        """The visitor leaves."""
        if self._reading is not None:
            await end(self._reading)


def _told(frame: Mapping[str, Any]) -> Told:
    if frame["type"] == "ack":
        return "ok"
    return "again" if frame["code"] == "unavailable" else "no"


class WebChatProof(Proof):
    """The web chat."""

    connector = WebChatConnector
    options: ClassVar[Mapping[str, Any]] = {
        "origins": ["https://www.example.com"],
        "identity_secret": ["new-secret-of-more-than-32-bytes-0001", "old-secret-of-more-than-32-bytes-0002"],
        "rate": {"session": {"per_second": 50, "burst": 2000}},
    }
    mistakes = (
        Mistake({"origins": ["www.example.com"]}, "origins.0"),
        Mistake({"identity_secret": "Kn4pp"}, "identity_secret"),
        Mistake({"rate": {"session": {"per_second": 0, "burst": 1}}}, "rate.session.per_second"),
        Mistake({"rate": {"address": {"burst": 1}}}, "rate.address.per_second"),
    )
    events = (
        _raw("said", b'{"type":"message","client_id":"c-1","text":"Do you deliver to Izmir?"}'),
        _raw("chosen", b'{"type":"choose","message_id":"m-1","value":"yes"}', label="Yes, please"),
        _raw("rated", b'{"type":"rate","score":5,"comment":"Quick."}'),
        _raw("called", b'{"type":"call_back","phone":"+90 232 000 00 00","when":"tomorrow"}'),
        _raw("read", b'{"type":"read","message_id":"m-1"}'),
        _raw("delivered", b'{"type":"delivered","message_id":"m-1"}'),
        _raw("identified", b'{"type":"identified"}', identity={"sub": "7", "email": "ada@example.com"}),
    )
    person = Person(kind="visitor", value=VISITOR)

    @asynccontextmanager
    async def platform(self) -> AsyncIterator[Browser]:
        """A browser of its own for each check."""
        async with aiohttp.ClientSession() as http:
            browser = Browser(http)
            try:
                yield browser
            finally:
                await browser.close()
