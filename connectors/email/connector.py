"""The email connector: what the platform can do, and which file does it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import ClassVar

from connectors.base import Capabilities, Connector, Receipt, Reply
from connectors.context import Channel, Context
from connectors.email.addresses import canonical
from connectors.email.compose import ATTACHMENT_LIMIT
from connectors.email.imap_in import ImapReader
from connectors.email.oauth import AccessTokens
from connectors.email.options import EmailOptions
from connectors.email.smtp_in import LmtpServer, SmtpServer
from connectors.email.smtp_out import deliver
from normalizer.mail import MailChannel, normalize
from normalizer.outcomes import Outcome, Raw
from normalizer.schema import Message


class EmailConnector(Connector[EmailOptions]):
    """Takes mail by SMTP, LMTP and IMAP, and sends replies by SMTP."""

    name: ClassVar[str] = "email"
    identity_kind: ClassVar[str] = "email"
    options_model: ClassVar[type[EmailOptions]] = EmailOptions
    capabilities: ClassVar[Capabilities] = Capabilities(
        threads=True,
        begins=True,
        idempotent_send=True,
        html=True,
        subject=True,
        recipients=True,
        quotes=True,
        attachment_limit=ATTACHMENT_LIMIT,
        reopen_within=timedelta(days=14),
    )

    def __init__(self, options: EmailOptions, channel: Channel) -> None:
        """Keeps what it is given."""
        super().__init__(options, channel)
        self._smtp: SmtpServer | None = None
        oauth = options.send.oauth if options.send else None
        self._tokens = AccessTokens(oauth) if oauth else None
        self._mail_channel = MailChannel(
            id=channel.id, own=options.mailbox().own, form_senders=frozenset(options.form_senders)
        )

    @classmethod
    def canonical(cls, value: str) -> str | None:
        """A mail address in lower case, its domain in ASCII; None where it is no mail address."""
        return canonical(value)

    def owns(self, value: str) -> bool:
        """Whether mail to that address comes here."""
        return self.options.mailbox().accepts(value)

    def others(self, message: Message) -> Sequence[str]:
        """Who stands in To and Cc of a mail; of one that no person wrote, nobody."""
        if message.flags.auto_submitted or message.flags.bulk:
            return ()
        return [box["address"] for name in ("email.to", "email.cc") for box in message.channel_data.get(name, ())]

    @property
    def bound(self) -> tuple[str, int] | None:
        """Where SMTP in listens now: the real port where the options say 0; None while it does not."""
        return self._smtp.bound if self._smtp else None

    async def start(self, context: Context) -> None:
        """Takes mail until cancelled, then lets mails on their way finish.

        Raises:
            TemporaryError: the address cannot be listened on, or the mailbox not be read.
            LeaseLostError: another process may be the mailbox's reader by now.
        """
        receive, mailbox = self.options.receive, self.options.mailbox()
        self._smtp = SmtpServer(receive.smtp, mailbox, context) if receive.smtp else None
        lmtp = LmtpServer(receive.lmtp, mailbox, context) if receive.lmtp else None
        async with AsyncExitStack() as stack:
            for server in filter(None, (self._smtp, lmtp)):
                await stack.enter_async_context(server.listening())
            if self._smtp or lmtp or not receive.imap:
                context.ready()
            if receive.imap:
                await ImapReader(receive.imap, mailbox.address, context).run()
            await asyncio.Event().wait()

    def normalize(self, raw: Raw) -> Sequence[Outcome]:
        """What a mail means."""
        return normalize(raw, self._mail_channel)

    def send(self, reply: Reply, done: Sequence[Receipt]) -> AsyncGenerator[Receipt, None]:
        """Sends the reply to those of its recipients who are not in `done`; one receipt a recipient.

        Raises:
            TemporaryError: the server is away or asks to wait; those who have it are in receipts.
            PermanentError: nobody can have it.
            UncertainError: the connection broke after the whole mail had left.
        """
        return deliver(reply, done, self.options, self.channel, self._tokens)
