"""What proves the mail connector: a mail server that sends to it and takes from it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from typing import Any, ClassVar, cast

import aiosmtplib
from aiosmtpd.smtp import SMTP, Envelope, Session

from connectors.email.connector import EmailConnector
from connectors.testing import Door, Mistake, Platform, Proof, Sent, Told, Trouble
from normalizer.outcomes import Person, Raw

ADDRESS = "support@example.com"
CUSTOMER = "jane@customer.example"
ANSWERS: Mapping[Trouble, str] = {"temporary": "451 4.3.0 Try again later", "permanent": "550 5.1.1 No such user"}
AT = datetime(2026, 11, 23, 10, tzinfo=UTC)


def _mail(id_: str, text: str, content: bytes | None = None, html: str | None = None) -> bytes:
    mail = EmailMessage(policy=SMTP_POLICY)
    mail["From"] = f"Jane Doe <{CUSTOMER}>"
    mail["To"] = ADDRESS
    mail["Subject"] = "A question"
    mail["Message-ID"] = f"<{id_}@customer.example>"
    mail["Date"] = AT
    mail.set_content(text)
    if html is not None:
        mail.add_alternative(html, subtype="html")
    if content is not None:
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename="file.bin")
    return mail.as_bytes()


def _raw(key: str, body: bytes) -> Raw:
    envelope = {"mail_from": CUSTOMER, "rcpt_to": [ADDRESS], "peer": "192.0.2.7", "tls": False, "trusted": False}
    return Raw(key=key, body=body, content_type="message/rfc822", received_at=AT, envelope=envelope)


class MailServer(Platform):
    """Customers' mail server: aiosmtpd, on 127.0.0.1."""

    def __init__(self) -> None:
        """Listens from `serving` on."""
        self._taken: list[Envelope] = []
        self._trouble: Trouble | None = None
        self._held = asyncio.Event()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[MailServer]:
        """Takes mail while the block lasts."""
        loop = asyncio.get_running_loop()
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        server = await loop.create_server(lambda: SMTP(self, loop=loop, hostname="mx.example"), "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            self.options = {
                "receive": {"smtp": {"host": "127.0.0.1", "port": 0}},
                "send": {"host": "127.0.0.1", "port": port, "tls": "none"},
            }
            yield self

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's)
        """Takes a mail, or does not."""
        if self._trouble in ("uncertain", "hang"):
            self._held.set()
            if self._trouble == "uncertain":
                cast("asyncio.WriteTransport", server.transport).abort()
            await asyncio.Event().wait()
        if self._trouble is not None:
            return ANSWERS[self._trouble]
        self._taken.append(envelope)
        return "250 2.0.0 OK"

    async def say(self, door: Door, id_: str, text: str) -> Told:
        """Delivers a mail."""
        return await self._deliver(door, _mail(id_, text))

    async def attach(self, door: Door, id_: str, content: bytes) -> Told:
        """Delivers a mail with a file."""
        return await self._deliver(door, _mail(id_, "It is attached.", content))

    async def _deliver(self, door: Door, mail: bytes) -> Told:
        bound = cast("EmailConnector", door.connector).bound
        if bound is None:
            return "again"
        host, port = bound
        try:
            await aiosmtplib.send(
                mail, sender=CUSTOMER, recipients=[ADDRESS], hostname=host, port=port, start_tls=False
            )
        except aiosmtplib.SMTPResponseException as error:
            return "again" if error.code < 500 else "no"
        return "ok"

    def sent(self) -> Sequence[Sent]:
        """The mails that it took, once for each address."""
        return [one for envelope in self._taken for one in _as_sent(envelope)]

    def fail(self, how: Trouble | None) -> None:
        """Answers mails so from now on."""
        self._trouble = how

    async def holding(self) -> None:
        """A mail is in its hands, and is not answered."""
        await self._held.wait()


def _as_sent(envelope: Envelope) -> Iterator[Sent]:
    content = envelope.original_content or b""
    mail = message_from_bytes(content, policy=SMTP_POLICY)
    body = mail.get_body(("plain",))
    files = tuple(part.get_payload(decode=True) for part in mail.iter_attachments())
    for address in envelope.rcpt_tos:
        yield Sent(
            text=body.get_content() if body else "",
            files=cast("tuple[bytes, ...]", files),
            recipient=address,
            mark=mail["Message-ID"],
        )


class EmailProof(Proof):
    """The mail connector."""

    connector = EmailConnector
    options: ClassVar[Mapping[str, Any]] = {
        "address": ADDRESS,
        "receive": {"smtp": {"port": 0}},
        "send": {"host": "smtp.example.com", "username": "support", "password": "open-sesame-4711"},
    }
    mistakes = (
        Mistake({"address": "support"}, "address"),
        Mistake({"aliases": ["help@example.com", "nobody"]}, "aliases.1"),
        Mistake({"receive": {"smtp": {"port": 70_000}}}, "receive.smtp.port"),
        Mistake({"receive": {"smtp": {"trusted_relays": ["here"]}}}, "receive.smtp.trusted_relays"),
        Mistake({"send": {"port": 25}}, "send.host"),
        Mistake({"send": {"host": "smtp.example.com", "password": "open-sesame-4711"}}, "send"),
        Mistake({"send": {"host": "smtp.example.com", "tls": "yes"}}, "send.tls"),
    )
    events = (
        _raw("plain", _mail("plain", "Where is my order?\r\n\r\n> On Monday you wrote:\r\n> Thank you.")),
        _raw("html", _mail("html", "Merhaba", b"\x89PNG", html="<p>Merhaba <script>alert(1)</script></p>")),
        _raw("broken", b"From: nobody\r\nContent-Type: multipart/mixed\r\n\r\n--\r\n\xff\xfe"),
    )
    person = Person(kind="email", value=CUSTOMER, name="Jane Doe")
    thread_key = "plain@customer.example"
    recipients = (CUSTOMER, "joe@customer.example")

    def platform(self) -> Any:  # noqa: ANN401 (AbstractAsyncContextManager[MailServer])
        """A mail server of its own for each check."""
        return MailServer().serving()
