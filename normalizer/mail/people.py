"""Who wrote a mail, and whose conversation it is."""

from __future__ import annotations

import re
from itertools import islice

from msgspec import Struct

from normalizer.mail.addresses import Mailbox, mailboxes, parse_mailboxes
from normalizer.mail.channel import MailChannel
from normalizer.mail.headers import Headers
from normalizer.outcomes import Person
from normalizer.schema import Authenticated

NOBODY = Mailbox("mailer-daemon@unknown.invalid")  # stands in for a sender who names no address

_METHOD = re.compile(r"\b(spf|dkim|dmarc)\s*=\s*([a-z]{3,12})", re.IGNORECASE)
_BY = re.compile(r"\bby\s+([\w.-]+)", re.IGNORECASE)
_MAX_RESULTS = 10
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


def senders_of(headers: Headers) -> tuple[Mailbox, ...]:
    """Who is named as the sender."""
    return mailboxes(headers, "from") or mailboxes(headers, "sender")


def from_domain(mail: bytes) -> str | None:
    """The domain of the one address in From, in lower case; None where there is none, or more than one."""
    boxes = {box.key for box in mailboxes(Headers(mail), "from")}
    return boxes.pop().rpartition("@")[2] if len(boxes) == 1 else None


def return_path(mail: bytes) -> str | None:
    """The envelope's sender, as the server that delivered the mail wrote it down (RFC 5321, section 4.4).

    Empty for the null sender of a machine's mail; None where no server did, or it says nothing.
    """
    headers = Headers(mail)
    value = headers.raw("return-path").strip()
    if value == "<>":
        return ""
    return next((box.address for box in parse_mailboxes(value)), None)


def read(
    headers: Headers,
    senders: tuple[Mailbox, ...],
    channel: MailChannel,
    mail_from: str,
    *,
    authenticated: bool,
    machine: bool,
) -> People:
    """Finds the customer: From, or Reply-To where From is ours, a form's, or proved by nobody and another.

    A machine's mail and a mailing list's keep From: their Reply-To is not a person's word. None of our own addresses
    is ever the customer.
    """
    reply_to = mailboxes(headers, "reply-to")
    envelope = next(iter(parse_mailboxes(f"<{mail_from}>")), NOBODY)
    author = senders[0] if senders else envelope
    answer = next((box for box in reply_to if box.key not in channel.own and box.key != author.key), None)
    # DMARC speaks of the one address in From: with two, or with none but Sender's, nothing is proved of this one.
    proved = authenticated and [box.key for box in mailboxes(headers, "from")] == [author.key]
    expected = author.key in channel.own or author.key in channel.form_senders
    if not expected and (proved or machine):
        answer = None
    chosen, warning = answer or author, None
    if answer and not expected:
        warning = f"Answers go to {answer.address}, and not to {author.address}, who is named as the sender."
    elif chosen.key in channel.own:
        chosen = envelope if envelope.key not in channel.own else NOBODY
        warning = f"The mail names our own address {author.address} as its sender."
    name = chosen.name or (author.name if answer and expected else "")
    return People(
        senders=senders,
        reply_to=reply_to,
        to=mailboxes(headers, "to"),
        cc=mailboxes(headers, "cc"),
        customer=Person(
            kind="email",
            value=chosen.key,
            name=name or None,
            verified=proved and chosen is author,
            email=chosen.key,
        ),
        author_name=(name if answer and expected else author.name or name) or None,
        warning=warning,
    )


def verdicts(headers: Headers) -> Authenticated | None:
    """What the relay that handed the mail over found out (RFC 8601); None where it says nothing.

    Anybody can write such a header. A relay takes out those that bear its own name (RFC 8601, section 5), so what
    bears the name under which it also signed the topmost `Received` is its own.
    """
    relay = _BY.search(headers.raw("received"))
    if not relay:
        return None
    for header in islice(headers.every("authentication-results"), _MAX_RESULTS):
        value = _COMMENT.sub(" ", header)
        name = value.partition(";")[0].strip().partition(" ")[0].lower()
        if "." in name and f".{relay[1].lower()}".endswith(f".{name}"):
            found = {method.lower(): result.lower() for method, result in reversed(_METHOD.findall(value))}
            return Authenticated(spf=found.get("spf"), dkim=found.get("dkim"), dmarc=found.get("dmarc"))
    return None
