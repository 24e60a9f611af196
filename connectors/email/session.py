"""One SMTP conversation: aiosmtpd's protocol, with its traps closed.

What differs from aiosmtpd, and why:

- DATA is read in blocks up to the final `<CR><LF>.<CR><LF>`, not line by line: lines may have any length, and the time
  for a mail no longer grows with its lines. Only that sequence ends a mail; a mail in which a laxer server would see
  another end (SMTP smuggling) is refused.
- A client that goes away does not take its mail along: once the final dot is here, the mail is stored.
- Nothing that goes wrong is told to the client but *try again*; what is cut off gets a 421 first.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from asyncio import IncompleteReadError, LimitOverrunError, StreamReaderProtocol
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

from aiosmtpd.smtp import SMTP, Envelope, TLSSetupException
from aiosmtpd.smtp import Session as Peer

from connectors.email.memory import Room
from connectors.errors import UnavailableError

_BLOCK = 64 * 1024
_END = b"\r\n.\r\n"
_OTHER_ENDS = (b"\n.\n", b"\n.\r", b"\r.\n", b"\r.\r")
_PLAIN_PATH = re.compile(r"<([^\s<>@\"\\]+@[^\s<>@\"\\]+)>(.*)")
_CLOSING_SECONDS = 5.0
# How many times the largest mail is read from a client that does not stop, before it is cut off.
_PATIENCE = 4

AWAY = "451 4.3.0 Cannot store the mail now, please try again later"
CLOSING = "421 4.3.2 Closing for now, please come back later"
TOO_OFTEN = "450 4.7.1 Too many mails from your address, please try again later"
SMUGGLED = "550 5.6.0 A line with a lone dot ends in a bare CR or LF; lines must end in CR LF"


class Desk(Protocol):
    """What a session asks of its server."""

    max_size: int
    idle_seconds: float
    hostname: str
    log: Any

    def admit(self, session: Session) -> str | None:
        """Counts the session in; the answer to refuse it with, or None."""

    def dismiss(self, session: Session) -> None:
        """Counts the session out."""

    def accepts(self, recipient: str) -> bool:
        """Whether mail to `recipient` is ours."""

    def paces(self, peer: str) -> bool:
        """Whether the client at `peer` must wait before it may send another mail."""

    def room(self) -> Room:
        """Memory for one mail."""

    async def keep(self, body: bytes, *, peer: str, helo: str, tls: bool, mail_from: str, rcpt_to: list[str]) -> str:
        """Stores a mail, even if the caller is cancelled meanwhile; returns its message id.

        Raises:
            UnavailableError: not now.
        """


class Handler:
    """aiosmtpd's hooks."""

    def __init__(self, desk: Desk, recipients: int) -> None:
        """`recipients`: the most one mail may have."""
        self._desk = desk
        self._recipients = recipients

    async def handle_EHLO(  # noqa: N802
        self, _server: SMTP, session: Peer, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Announces pipelining, which the stream reader gives for free; and no AUTH, for there is nobody to log in."""
        session.host_name = hostname
        first, *rest = (line for line in responses if not line.startswith("250-AUTH"))
        return [first, "250-PIPELINING", *rest]

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, _session: Peer, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Takes any sender, the null sender of bounces too."""
        if isinstance(server, Session) and self._desk.paces(server.peer):
            return TOO_OFTEN
        if not address.isprintable():
            return "553 5.1.7 The sender's address holds characters that no address has"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Peer, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Takes the channel's own addresses only: this is no relay."""
        if not self._desk.accepts(address):
            shown = address if address.isprintable() else "this address"
            return f"550 5.1.1 {shown} has no mailbox here"
        if len(envelope.rcpt_tos) >= self._recipients:
            return "452 4.5.3 Too many recipients in one mail"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_exception(self, error: Exception) -> str:
        """Says *try again* and nothing else; the reason stands in the log."""
        if not isinstance(error, TLSSetupException):
            self._desk.log.error("smtp session failed", exc_info=error)
        return AWAY


class Session(SMTP):
    """One client, from its greeting to its end."""

    # The stream reader's block. aiosmtpd reads it as the longest line; commands have their own, shorter limit.
    line_length_limit = _BLOCK

    def __init__(self, desk: Desk, handler: Handler, tls: ssl.SSLContext | None) -> None:
        """Nothing is read before the connection is made."""
        super().__init__(
            handler,
            data_size_limit=desk.max_size,
            enable_SMTPUTF8=True,
            hostname=desk.hostname,
            ident="Santral",
            tls_context=tls,
            timeout=desk.idle_seconds,
            loop=asyncio.get_running_loop(),
        )
        self._desk = desk
        self.peer = ""
        self._in_data = False
        self._retired = False

    async def _handle_client(self) -> None:
        if self.session is not None and self.session.peer:
            self.peer = str(self.session.peer[0])
        refusal = self._desk.admit(self)
        try:
            with suppress(ConnectionError):
                if refusal:
                    self.cut(refusal)
                else:
                    await super()._handle_client()
        finally:
            self._desk.dismiss(self)

    def retire(self) -> None:
        """Ends the session: now, or after the mail that it is in the middle of."""
        self._retired = True
        if not self._in_data:
            self.cut(CLOSING)

    def cut(self, answer: str) -> None:
        """Says why, and hangs up: by force where the client does not read it."""
        # uvloop's transports are no asyncio.WriteTransport.
        transport: Any = self.transport
        if transport is not None and not transport.is_closing():
            transport.write(answer.encode() + b"\r\n")
            transport.close()
            self.loop.call_later(_CLOSING_SECONDS, transport.abort)

    def eof_received(self) -> bool | None:
        """Lets what came before the end still be done; aiosmtpd would drop it."""
        StreamReaderProtocol.eof_received(self)
        # A TLS transport cannot stay half open, and warns when asked to.
        return self.session is None or self.session.ssl is None

    def _timeout_cb(self) -> None:
        self.cut("421 4.4.2 Nothing came for too long")

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        # The standard library's parser takes 0.1 ms an address, which is felt at a thousand mails a second.
        plain = _PLAIN_PATH.fullmatch(arg)
        if plain:
            return plain[1], plain[2]
        try:
            address, parameters = super()._getaddr(arg)
        except IndexError:
            return None, None
        return address, parameters

    async def handle_exception(self, error: Exception) -> str:
        """Leaves where the client has left, for aiosmtpd would ask again for ever."""
        if isinstance(error, IncompleteReadError) and self.transport is not None:
            self.transport.close()
            return AWAY
        return await super().handle_exception(error)

    async def smtp_AUTH(self, _arg: str) -> None:  # noqa: N802
        """There is nobody to log in."""
        await self.push("502 5.5.1 AUTH is not offered")

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802
        """Takes one mail; 250 says that it is stored."""
        if arg:
            await self.push("501 5.5.4 Syntax: DATA")
            return
        if self.envelope is None or not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 Error: need RCPT command")
            return
        self._in_data = True
        try:
            await self.push("354 End data with <CR><LF>.<CR><LF>")
            recipients = self.envelope.rcpt_tos
            await self._answer(await self._take_mail(self.envelope), recipients)
        finally:
            self._in_data = False
            self.envelope = self._create_envelope()
        self._reset_timeout()
        if self._retired:
            self.retire()

    async def _answer(self, answer: str, _recipients: Sequence[str]) -> None:
        await self.push(answer)

    async def _take_mail(self, envelope: Envelope) -> str:
        with self._desk.room() as room:
            body, refusal = await self._read_mail(room)
            if refusal:
                return refusal
            # Storing takes what it takes; the client is not idle meanwhile.
            if self._timeout_handle is not None:
                self._timeout_handle.cancel()
            return await self._keep(body, envelope)

    async def _keep(self, body: bytes, envelope: Envelope) -> str:
        try:
            message_id = await self._desk.keep(
                body,
                peer=self.peer,
                helo=(self.session and self.session.host_name) or "",
                tls=self.session is not None and self.session.ssl is not None,
                # aiosmtpd keeps the null sender with its brackets.
                mail_from="" if envelope.mail_from in {None, "<>"} else str(envelope.mail_from),
                rcpt_to=envelope.rcpt_tos,
            )
        except UnavailableError:
            return AWAY
        return f"250 2.0.0 Stored as {message_id}"

    async def _read_mail(self, room: Room) -> tuple[bytes, str]:
        """The mail itself, or why it is refused: told only after its end.

        What cannot be taken is read and dropped, for most clients read no answer before they have sent everything.
        """
        # That line break may be the one after DATA itself, in an empty mail.
        self._reader._buffer[:0] = b"\r\n"  # type: ignore[attr-defined]  # noqa: SLF001
        mail = _Unstuffing()
        refusal = ""
        read = 0
        while True:
            block, last = await self._read_block()
            read += len(block)
            refusal = refusal or room.take(len(block))
            if refusal:
                mail = _Unstuffing()
            else:
                mail.add(block.removesuffix(b".\r\n") if last else block)
            if last:
                return b"".join(mail.pieces), refusal or (SMUGGLED if mail.ends_twice else "")
            if read > _PATIENCE * self._desk.max_size:
                self.cut(refusal)
                raise ConnectionAbortedError

    async def _read_block(self) -> tuple[bytes, bool]:
        self._reset_timeout()
        try:
            return await self._reader.readuntil(_END), True
        except LimitOverrunError as overrun:
            return await self._reader.read(overrun.consumed), False


class LmtpSession(Session):
    """The same for LMTP (RFC 2033): another greeting, and after a mail one answer for each recipient.

    aiosmtpd's own LMTP answers once, and the client waits for ever. A mail is one event whoever it is for, so that all
    of them get the same answer.
    """

    async def smtp_LHLO(self, arg: str) -> None:  # noqa: N802
        """As EHLO is in SMTP."""
        await super().smtp_EHLO(arg)

    async def smtp_EHLO(self, _arg: str) -> None:  # noqa: N802
        """Is SMTP's."""
        await self.push("500 5.5.1 This is LMTP: say LHLO")

    smtp_HELO = smtp_EHLO  # noqa: N815

    async def _answer(self, answer: str, recipients: Sequence[str]) -> None:
        await self.push("\r\n".join([answer] * len(recipients)))


class _Unstuffing:
    """Takes out the dots that were doubled (RFC 5321, 4.5.2), block by block: a whole mail would hold others up.

    The first block begins with the line break before the mail. Clients that send bare LF double the dots after those
    too. `ends_twice`: a laxer server would see the mail end earlier, and take the rest as commands (SMTP smuggling).
    """

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.ends_twice = False
        self._before = b""

    def add(self, block: bytes) -> None:
        """Takes the next block."""
        seen = self._before + block
        self.ends_twice = self.ends_twice or any(end in seen for end in _OTHER_ENDS)
        doubled = self._before.endswith(b"\n") and block.startswith(b".")
        dropped = len(b"\r\n") if not self.pieces else int(doubled)
        self.pieces.append(block.replace(b"\n.", b"\n")[dropped:])
        self._before = seen[-2:]
