"""SMTP out: one reply, one connection, one outcome a recipient.

What fails before `MAIL FROM` is not about this mail (the server is away, a certificate has expired, a password was
changed): it is temporary. From there on the server's own word counts: 4xx is temporary, 5xx permanent. Where the
connection breaks once the mail is on its way, nobody knows whether it was taken.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress

from aiosmtplib import SMTP, SMTPStatus
from aiosmtplib.errors import (
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
)

from connectors.base import Receipt, Reply
from connectors.context import Channel
from connectors.email.addresses import deliverable
from connectors.email.compose import ATTACHMENT_LIMIT, Addressees, compose, message_id, needs_utf8
from connectors.email.oauth import AccessTokens
from connectors.email.options import EmailOptions, SendOptions
from connectors.errors import ConnectorError, PermanentError, TemporaryError, UncertainError
from normalizer.schema import DeliveryState, Recipient

_COMMAND_SECONDS = 60.0
# For 25 MB over a slow line, and for the server's own checks after it.
_DATA_SECONDS = 600.0
_QUIT_SECONDS = 2.0


async def deliver(
    reply: Reply, done: Sequence[Receipt], options: EmailOptions, channel: Channel, tokens: AccessTokens | None
) -> AsyncGenerator[Receipt, None]:
    """Sends a mail to those of its recipients who are not in `done`; logs in by one of `tokens`, where there are some.

    Yields:
        A receipt for each recipient whom the server took, and for each whom it refused for good.

    Raises:
        TemporaryError: the server is away, or asks to try later for the recipients named in it.
        PermanentError: nobody at all can have it, or the channel cannot send.
        UncertainError: the connection broke when the mail may have been taken.
    """
    if options.send is None:
        raise PermanentError("this channel has no `send` in the YAML; give it a mail server to send by")
    somebody_has_it = any(receipt.recipient is None or receipt.recipient.state != "failed" for receipt in done)
    finished = {receipt.piece for receipt in done}
    people = Addressees.of(reply)
    remaining = [address for address in people.all if _piece(address) not in finished]
    outcomes = [
        Recipient(address=address, state="failed", text="not a mail address")
        for address in people.invalid
        if _piece(address) not in finished
    ]
    if remaining:
        mail = await asyncio.to_thread(compose, reply, await _files(reply), options, channel)
        outcomes += await _transact(mail, remaining, options.address, options.send, tokens)
    if not somebody_has_it and outcomes and all(outcome.state == "failed" for outcome in outcomes):
        raise _failure(PermanentError, outcomes)
    waiting = [outcome for outcome in outcomes if outcome.state == "queued"]
    for outcome in outcomes:
        if outcome not in waiting:
            yield Receipt(external_id=message_id(reply, options), piece=_piece(outcome.address), recipient=outcome)
    if waiting:
        raise _failure(TemporaryError, waiting)


def _piece(address: str) -> str:
    return f"rcpt:{address}"


def _failure(kind: type[ConnectorError], outcomes: Sequence[Recipient]) -> ConnectorError:
    reasons = dict.fromkeys(f"{outcome.address}: {outcome.text}" for outcome in outcomes)
    return kind("; ".join(reasons), code=outcomes[0].code, recipients=tuple(outcomes))


async def _files(reply: Reply) -> list[bytes]:
    """The contents of the attachments, bounded: a mail is put together in memory."""
    contents: list[bytes] = []
    left = ATTACHMENT_LIMIT
    for attachment in reply.message.attachments:
        content = bytearray()
        try:
            async for piece in reply.files.open(attachment.id):
                content += piece
                if len(content) > left:
                    limit = ATTACHMENT_LIMIT // 2**20
                    raise PermanentError(f"the attachments are larger than the {limit} MB that a mail may carry")
        except LookupError as error:
            raise PermanentError(f'the attachment "{attachment.filename}" is not there any more') from error
        left -= len(content)
        contents.append(bytes(content))
    return contents


async def _transact(
    mail: bytes, recipients: list[str], sender: str, server: SendOptions, tokens: AccessTokens | None
) -> list[Recipient]:
    """One mail transaction; what became of each recipient: `sent`, `failed`, or `queued` to try again."""
    smtp = SMTP(
        hostname=server.host,
        port=server.port,
        username=server.username,
        password=server.password.get_secret_value() if server.password else None,
        # The machine's own name is often no domain, which strict servers refuse to be greeted with.
        local_hostname=sender.rpartition("@")[2],
        timeout=_COMMAND_SECONDS,
        use_tls=server.tls == "tls",
        start_tls=server.tls == "starttls",
        oauth_token_generator=tokens.current if tokens else None,
    )
    try:
        await _connect(smtp, server, tokens)
        outcomes = await _offer(smtp, mail, recipients, sender)
        accepted = [outcome for outcome in outcomes if outcome.state == "sent"]
        if accepted:
            text = await _data(smtp, mail)
            outcomes = [_with_text(outcome, text) if outcome in accepted else outcome for outcome in outcomes]
        with suppress(SMTPException, OSError):
            await smtp.quit(timeout=_QUIT_SECONDS)
        return outcomes
    finally:
        smtp.close()


def _with_text(outcome: Recipient, text: str) -> Recipient:
    return Recipient(address=outcome.address, state=outcome.state, code=outcome.code, text=text)


async def _connect(smtp: SMTP, server: SendOptions, tokens: AccessTokens | None) -> None:
    try:
        await smtp.connect()
        if smtp.is_ehlo_or_helo_needed:
            await smtp.ehlo()
    except (SMTPException, OSError) as error:
        if tokens and isinstance(error, SMTPAuthenticationError):
            tokens.forget()
        reason = f"the mail server {server.host} cannot be used: {_words(error)}"
        raise TemporaryError(reason, code=_code(error)) from error


async def _offer(smtp: SMTP, mail: bytes, recipients: list[str], sender: str) -> list[Recipient]:
    """`MAIL FROM` and `RCPT TO`."""
    envelope = {address: deliverable(address) or address for address in recipients}
    options = [f"SIZE={len(mail)}"] if smtp.supports_extension("size") else []
    encoding = "ascii"
    if needs_utf8((sender, *recipients)) or not mail.isascii():
        if not smtp.supports_extension("smtputf8"):
            raise PermanentError("the mail server cannot send to addresses with letters beyond ASCII (SMTPUTF8)")
        options += ["SMTPUTF8", "BODY=8BITMIME"]
        encoding = "utf-8"
    try:
        await smtp.mail(sender, options=options, encoding=encoding)
        return [await _rcpt(smtp, address, envelope[address], encoding) for address in recipients]
    except (SMTPException, OSError) as error:
        raise _refusal(error) from error


async def _rcpt(smtp: SMTP, address: str, path: str, encoding: str) -> Recipient:
    try:
        response = await smtp.rcpt(path, encoding=encoding)
    except SMTPRecipientRefused as error:
        state: DeliveryState = "failed" if error.code >= 500 else "queued"
        return Recipient(address=address, state=state, code=str(error.code), text=_words(error))
    return Recipient(address=address, state="sent", code=str(response.code), text=response.message)


async def _data(smtp: SMTP, mail: bytes) -> str:
    """`DATA`, the mail, and the server's word on it.

    `SMTP.data` would do the same, but goes through the mail by regular expression: a second in which the whole process
    stands still, for 25 MB. `compose` makes nothing but whole lines.
    """
    try:
        response = await smtp.execute_command(b"DATA")
    except (SMTPException, OSError) as error:
        raise _refusal(error) from error
    if response.code != SMTPStatus.start_input:
        raise _refusal(SMTPDataError(response.code, response.message))
    try:
        if smtp.protocol is None:
            raise SMTPServerDisconnected("Connection lost")
        smtp.protocol.write(mail.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        response = await smtp.protocol.read_response(timeout=_DATA_SECONDS)
        if response.code != SMTPStatus.completed:
            raise SMTPDataError(response.code, response.message)
    except (SMTPException, OSError) as error:
        if _code(error):
            raise _refusal(error) from error
        raise UncertainError(
            f"the connection broke while the mail server had the mail in its hands: {_words(error)}"
        ) from error
    return response.message


def _refusal(error: Exception) -> ConnectorError:
    code = _code(error)
    kind = PermanentError if code and code.startswith("5") else TemporaryError
    return kind(f"the mail server did not take the mail: {_words(error)}", code=code)


def _code(error: Exception) -> str | None:
    """The server's code of failure; None where it gave none that can be read."""
    if isinstance(error, SMTPResponseException) and 400 <= error.code < 600:
        return str(error.code)
    return None


def _words(error: Exception) -> str:
    text = error.message if isinstance(error, SMTPException) else str(error)
    code = _code(error)
    return f"{code} {text}" if code else text or type(error).__name__
