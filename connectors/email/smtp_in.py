"""SMTP in: the server around the sessions.

Its promises:

- A mail is acknowledged (250) after `Context.receive` has returned, and a mail whose final dot has arrived is stored
  even when its client has gone by then.
- When Santral cannot store, the client reads 451 and keeps the mail. No failure of ours is ever a permanent answer.
- One client's excess stays its own: connections an address, time, size, and memory are bounded.
- A stop lets mails on their way finish, for a bounded time.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import ClassVar

from msgspec import Struct

from connectors.context import Context, Received
from connectors.email.addresses import Mailbox
from connectors.email.arrival import arrived
from connectors.email.memory import Memory, Room
from connectors.email.options import SmtpReceiveOptions
from connectors.email.session import CLOSING, Handler, LmtpSession, Session
from connectors.email.verdicts import Verifier
from connectors.errors import TemporaryError
from connectors.rates import RateLimiter


class Limits(Struct, frozen=True, kw_only=True):
    """What one server allows; generous, because behind one address may stand a provider.

    Attributes:
        sessions: connections at once.
        sessions_per_address: connections at once from one address that is no trusted relay.
        mails_a_minute: from one address of the internet (of IPv6, one network of 64 bits) that is no trusted relay; a
            relay of ours delivers its whole queue after an outage, at the journal's own pace.
        recipients: of one mail.
        memory: bytes of mail on their way into the journal, of all sessions together.
        idle_seconds: without a command, or for a block of 64 KiB of a mail (RFC 5321, 4.5.3.2: at least 5 minutes).
        drain_seconds: for mails on their way when the channel stops.
    """

    sessions: int = 1000
    sessions_per_address: int = 200
    mails_a_minute: int = 600
    recipients: int = 1000
    memory: int = 256 * 1024 * 1024
    idle_seconds: float = 300.0
    drain_seconds: float = 10.0


class SmtpServer:
    """Listens, and gives its sessions what they need (`connectors.email.session.Desk`)."""

    way: ClassVar[str] = "smtp"
    session: ClassVar[type[Session]] = Session

    def __init__(
        self,
        options: SmtpReceiveOptions,
        mailbox: Mailbox,
        context: Context,
        limits: Limits | None = None,
        verifier: Verifier | None = None,
    ) -> None:
        """Listens only within `listening`."""
        self._options = options
        self._mailbox = mailbox
        self._context = context
        self._limits = limits or Limits()
        # One mail of the largest size must always fit.
        self._memory = Memory(max(self._limits.memory, 2 * options.max_size))
        self._sessions: dict[Session, asyncio.Task[None]] = {}
        self._addresses: Counter[str] = Counter()
        self._writes: set[asyncio.Task[Received]] = set()
        per_minute = self._limits.mails_a_minute
        self._rates = RateLimiter(per_second=per_minute / 60, burst=per_minute)
        self._verifier = verifier or Verifier()
        self.bound: tuple[str, int] | None = None
        self.max_size = int(options.max_size)
        self.idle_seconds = self._limits.idle_seconds
        self.hostname = socket.gethostname()
        self.log = context.log

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Takes mail meanwhile, then drains.

        Raises:
            TemporaryError: the address cannot be listened on.
        """
        # aiosmtpd writes every command, addresses included, as information.
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        listener = await self._listen()
        self.bound = listener.sockets[0].getsockname()[:2]
        self.log.info("mail listening", way=self.way, host=self.bound[0], port=self.bound[1])
        try:
            yield
        finally:
            self.bound = None
            listener.close()
            await self._drain()
            self._verifier.close()

    async def _listen(self) -> asyncio.Server:
        tls = self._options.tls.context() if self._options.tls else None
        handler = Handler(self, self._limits.recipients)
        host, port = self._options.host, self._options.port
        try:
            return await asyncio.get_running_loop().create_server(
                lambda: self.session(self, handler, tls), host, port, backlog=512
            )
        except OSError as error:
            reasons = {
                errno.EADDRINUSE: f"another program listens there; stop it, or choose another receive.{self.way}.port",
                errno.EACCES: f"ports below 1024 need the right to bind them; choose another receive.{self.way}.port",
            }
            reason = reasons.get(error.errno or 0, error.strerror or str(error))
            raise TemporaryError(f"cannot listen for mail on {host}:{port}: {reason}") from error

    async def _drain(self) -> None:
        for session in list(self._sessions):
            session.retire()
        running = {*self._sessions.values(), *self._writes}
        if running:
            await asyncio.wait(running, timeout=self._limits.drain_seconds)
        for task in self._sessions.values():
            task.cancel()

    def admit(self, session: Session) -> str | None:
        """Counts the session in; the answer to refuse it with, or None."""
        self._addresses[session.peer] += 1
        task = asyncio.current_task()
        assert task is not None
        self._sessions[session] = task
        if self.bound is None:
            return CLOSING
        if len(self._sessions) > self._limits.sessions:
            return "421 4.3.2 Too many connections, please try again later"
        if self._addresses[session.peer] > self._limits.sessions_per_address and not self._trusts(session.peer):
            return "421 4.7.0 Too many connections from your address, please try again later"
        return None

    def dismiss(self, session: Session) -> None:
        """Counts the session out."""
        del self._sessions[session]
        self._addresses[session.peer] -= 1
        if not self._addresses[session.peer]:
            del self._addresses[session.peer]

    def accepts(self, recipient: str) -> bool:
        """Whether mail to `recipient` is ours."""
        return self._mailbox.accepts(recipient)

    def paces(self, peer: str) -> bool:
        """Whether the client at `peer` must wait before it may send another mail."""
        if not self._is_stranger(peer):
            return False
        address = _address(peer)
        key = str(address) if address.version == 4 else str(ip_network((address, 64), strict=False))
        return not self._rates.allows(key, asyncio.get_running_loop().time())

    def room(self) -> Room:
        """Memory for one mail."""
        return Room(self._memory, self.max_size)

    async def keep(self, body: bytes, *, peer: str, helo: str, tls: bool, mail_from: str, rcpt_to: list[str]) -> str:
        """Stores a mail, even if the caller is cancelled meanwhile; returns its message id.

        Raises:
            UnavailableError: not now.
        """

        async def store() -> Received:
            verdicts = None
            if self._is_stranger(peer):
                address = str(_address(peer))
                verdicts = await self._verifier.verdicts(body, peer=address, helo=helo, mail_from=mail_from)
            raw = await arrived(
                body,
                address=self._mailbox.address,
                at=self._context.now(),
                mail_from=mail_from,
                rcpt_to=rcpt_to,
                peer=peer,
                tls=tls,
                trusted=self._trusts(peer),
                verdicts=verdicts,
            )
            return await self._context.receive(raw)

        write = asyncio.ensure_future(store())
        self._writes.add(write)
        write.add_done_callback(self._writes.discard)
        received: Received = await asyncio.shield(write)
        return received.message_id

    def _is_stranger(self, peer: str) -> bool:
        """Whether it is somebody's server of the internet.

        One on this machine or in this network stands before us: what is said of it is not said of the sender's.
        """
        return not self._trusts(peer) and _address(peer).is_global

    def _trusts(self, peer: str) -> bool:
        relays = self._options.trusted_relays
        return bool(relays) and any(_address(peer) in network for network in relays)


def _address(peer: str) -> IPv4Address | IPv6Address:
    address = ip_address(peer.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


class LmtpServer(SmtpServer):
    """The same for a mail server of our own."""

    way: ClassVar[str] = "lmtp"
    session: ClassVar[type[Session]] = LmtpSession
