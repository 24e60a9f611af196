"""Who wrote a mail, and whose conversation it is."""

from __future__ import annotations

import re

from msgspec import Struct

from normalizer.mail.addresses import Mailbox, mailboxes, parse_mailboxes
from normalizer.mail.channel import MailChannel
from normalizer.mail.headers import Headers
from normalizer.outcomes import Person
from normalizer.schema import Authenticated

NOBODY = Mailbox("mailer-daemon@unknown.invalid")  # stands in for a sender who names no address

_METHOD = re.compile(r"\b(spf|dkim|dmarc)\s*=\s*([a-z]{3,12})", re.IGNORECASE)
_COMMENT = re.compile(r"\([^()]*+\)")


class People(Struct, frozen=True, kw_only=True):
    """The persons of a mail. `warning` is for the agent: why the customer is not simply the one in From."""

    senders: tuple[Mailbox, ...]
    reply_to: tuple[Mailbox, ...]
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]
    customer: Person
    author_name: str | None
    warning: str | None = None


def read(headers: Headers, channel: MailChannel, mail_from: str, *, authenticated: bool, machine: bool) -> People:
    """Finds the customer: From, or Reply-To where From is ours, a form's, or proved by nobody and another.

    A machine's mail and a mailing list's keep From: their Reply-To is not a person's word. One of our own addresses
    is never the customer.
    """
    senders = mailboxes(headers, "from") or mailboxes(headers, "sender")
    reply_to = mailboxes(headers, "reply-to")
    author = senders[0] if senders else next(iter(parse_mailboxes(f"<{mail_from}>")), NOBODY)
    other = next((box for box in reply_to if box.key not in channel.own and box.key != author.key), None)
    known_form = author.key in channel.own or author.key in channel.form_senders
    answer = other if other and (known_form or not (authenticated or machine)) else None
    chosen = answer or author
    name = chosen.name or (author.name if answer and known_form else "")
    return People(
        senders=senders,
        reply_to=reply_to,
        to=mailboxes(headers, "to"),
        cc=mailboxes(headers, "cc"),
        customer=Person(
            kind="email",
            value=chosen.key,
            name=name or None,
            verified=authenticated and not answer and bool(senders),
            email=chosen.key,
        ),
        author_name=(author.name if not known_form or not answer else name) or name or None,
        warning=None
        if not answer or known_form
        else f"Answers go to {chosen.address}, and not to {author.address}, who wrote.",
    )


def verdicts(headers: Headers) -> Authenticated | None:
    """What the relay that handed the mail over found out (RFC 8601): the topmost header alone is its own."""
    value = _COMMENT.sub(" ", headers.raw("authentication-results"))
    found = {method.lower(): result.lower() for method, result in reversed(_METHOD.findall(value))}
    return Authenticated(spf=found.get("spf"), dkim=found.get("dkim"), dmarc=found.get("dmarc")) if found else None
