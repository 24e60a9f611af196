"""A whole Santral with one more connector installed, as an admin installs it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from deeds import BILLING, GOSSIP_TOKEN, IDENTITY_SECRET, SMTP_PASSWORD
from harness import Santral, free_port
from scraping import shows

HERE = Path(__file__).parent

StartSantral = Callable[..., Awaitable[Santral]]


class CustomersServer:
    """Takes every mail, but for somebody it never heard of; nobody may log in."""

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("nobody"):
            return f"550 5.1.1 {address} is not here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        return "250 OK"


def refused(*_: Any) -> AuthResult:
    return AuthResult(success=False, handled=False)


@pytest.fixture
async def customers_server() -> AsyncIterator[int]:
    """The port of a mail server that our replies leave by."""
    loop = asyncio.get_running_loop()
    handler = CustomersServer()
    server = await loop.create_server(
        lambda: SMTP(handler, loop=loop, authenticator=refused, auth_require_tls=False), "127.0.0.1", 0
    )
    yield server.sockets[0].getsockname()[1]
    server.close()


@pytest.fixture
def installed(tmp_path: Path) -> str:
    """A PYTHONPATH on which the connector `gossip` is installed."""
    folder = tmp_path / "installed" / "gossip-1.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: gossip\nVersion: 1\n", "utf-8")
    (folder / "entry_points.txt").write_text("[santral.connectors]\ngossip = gossip:Gossip\n", "utf-8")
    return os.pathsep.join((str(folder.parent), str(HERE)))


@pytest.fixture
async def gossiping(santral: Any, customers_server: int, installed: str) -> AsyncIterator[StartSantral]:
    """Starts Santrals with mail, web chat, the channel `gossip`, and channels that have secrets; all run."""
    started: list[Santral] = []

    async def start(**options: Any) -> Santral:
        receive = {"host": "127.0.0.1", "port": free_port()}
        login = {"username": "billing", "password": SMTP_PASSWORD}
        send = {"host": "127.0.0.1", "port": customers_server, "tls": "none", **login}
        more = [
            {"id": "gossip", "connector": "gossip", "token": "${GOSSIP_TOKEN}"},
            {"id": "shop", "connector": "webchat", "identity_secret": IDENTITY_SECRET},
            {"id": "billing", "connector": "email", "address": BILLING, "send": send, "receive": {"smtp": receive}},
        ]
        variables = {"PYTHONPATH": installed, "GOSSIP_TOKEN": GOSSIP_TOKEN}
        made: Santral = await santral(wait=False, outgoing=customers_server, more=more, **variables, **options)
        started.append(made)
        await made.ready()
        for id_, connector in (("mail", "email"), ("gossip", "gossip"), ("shop", "webchat")):
            await shows(made, 1, "santral_channel_state", channel=id_, connector=connector, state="running")
        return made

    yield start
    for made in started:
        if made.process is not None and made.process.returncode is None:
            await made.stop(tracebacks=True)


@pytest.fixture
async def running(gossiping: StartSantral) -> Santral:
    return await gossiping()
