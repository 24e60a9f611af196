"""A context that remembers, a channel that listens, and real mail servers in folders of their own."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from harness import PATIENCE
from mail_journal import ADDRESS, CHANNEL, Journal

from connectors.base import Reply
from connectors.context import Channel
from connectors.email import EmailConnector, EmailOptions
from connectors.email.smtp_in import Limits, LmtpServer, SmtpServer
from connectors.testing import MemoryFiles
from normalizer.outcomes import Person
from normalizer.schema import Author, Message


@dataclass
class Client:
    """A raw SMTP client, as rude as a test needs it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def answer(self) -> str:
        """One answer, its lines joined; an empty text where the server has hung up."""
        lines = []
        while True:
            line = (await asyncio.wait_for(self.reader.readline(), PATIENCE)).decode()
            lines.append(line.rstrip("\r\n"))
            if line[3:4] != "-":
                return "\n".join(lines)

    async def say(self, line: str | bytes) -> str:
        self.writer.write((line.encode() if isinstance(line, str) else line) + b"\r\n")
        return await self.answer()

    async def greet(self) -> str:
        await self.answer()
        return await self.say("EHLO client.example")

    async def envelope(self, sender: str = "jane@customer.example", recipient: str = ADDRESS) -> None:
        assert (await self.say(f"MAIL FROM:<{sender}>")).startswith("250")
        assert (await self.say(f"RCPT TO:<{recipient}>")).startswith("250")

    async def mail(self, content: bytes, sender: str = "jane@customer.example", recipient: str = ADDRESS) -> str:
        await self.envelope(sender, recipient)
        assert (await self.say("DATA")).startswith("354")
        return await self.say(content + b"\r\n.")

    def close(self) -> None:
        self.writer.close()


@dataclass
class Running:
    """A listening server, its journal and its task."""

    server: SmtpServer
    journal: Journal
    task: asyncio.Task[None]
    clients: list[Client] = field(default_factory=list)

    @property
    def port(self) -> int:
        assert self.server.bound
        return self.server.bound[1]

    async def connect(self, *, greet: bool = True) -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        self.clients.append(client)
        if greet:
            assert (await client.greet()).startswith("250-")
        return client

    def idle(self, seconds: float) -> None:
        """From its next command on, each client may be idle so long; as long as a test needs where it says nothing."""
        self.server.idle_seconds = seconds
        for session in self.server._sessions:
            session._timeout_duration = seconds

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.wait({self.task})


async def _serve(server: SmtpServer, journal: Journal) -> None:
    async with server.listening():
        journal.ready()
        await asyncio.Event().wait()


@asynccontextmanager
async def _running(
    smtp: dict[str, Any] | None = None, limits: Limits | None = None, *, way: str = "smtp", **options: Any
) -> AsyncIterator[Running]:
    listen = {way: {"port": 0, **(smtp or {})}}
    parsed = EmailOptions.model_validate({"address": ADDRESS, "receive": listen, **options})
    journal = Journal(CHANNEL)
    kind, receive = (SmtpServer, parsed.receive.smtp) if way == "smtp" else (LmtpServer, parsed.receive.lmtp)
    assert receive
    server = kind(receive, parsed.mailbox(), journal, limits)
    task = asyncio.create_task(_serve(server, journal))
    await journal.until(lambda: server.bound is not None or task.done())
    if task.done():
        await task
    run = Running(server, journal, task)
    try:
        yield run
    finally:
        for client in run.clients:
            client.close()
        journal.door.set()
        await run.stop()


@pytest.fixture
async def inbound() -> AsyncIterator[Running]:
    async with _running() as run:
        yield run


@pytest.fixture
def running() -> Callable[..., AbstractAsyncContextManager[Running]]:
    """Starts a server with SMTP options, limits and channel options of the test's own."""
    return _running


def _connector(**options: Any) -> EmailConnector:
    parsed = EmailOptions.model_validate({"address": ADDRESS, **options})
    return EmailConnector(parsed, Channel(id="mail", public_url="http://127.0.0.1", inbox_name="Acme Support"))


@pytest.fixture
def connector() -> Callable[..., EmailConnector]:
    """Makes a connector with channel options of the test's own."""
    return _connector


def _reply(files: dict[str, bytes] | None = None, **given: Any) -> Reply:
    of_reply = {
        key: given.pop(key)
        for key in ("person", "references", "subject", "signature", "answered", "to", "cc", "bcc")
        if key in given
    }
    message = Message(
        **{
            "id": "0193c0de",
            "direction": "outbound",
            "author": Author(type="agent", name="Ayşe"),
            "text": "Merhaba!",
            "created_at": dt.datetime(2026, 11, 14, 9, 30, tzinfo=dt.UTC),
            **given,
        }
    )
    person = Person(kind="email", value="jane@customer.example", name="Jane Doe")
    return Reply(**{"message": message, "person": person, "files": MemoryFiles(**(files or {})), **of_reply})


@pytest.fixture
def reply() -> Callable[..., Reply]:
    """Makes a reply; what is named replaces a field of the reply, else of its message; `files` by attachment id."""
    return _reply
