"""From a reply to the bytes of a mail: pure, and the same bytes on every try.

The same `Message-ID`, `Date` and boundaries make a mail that was sent twice one mail to whoever receives it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from email.headerregistry import Address
from email.message import EmailMessage, MIMEPart
from email.policy import EmailPolicy
from html import escape
from typing import Self
from urllib.parse import quote

from msgspec import Struct

from connectors.base import Reply
from connectors.context import Channel
from connectors.email.addresses import canonical, deliverable
from connectors.email.dkim import signed
from connectors.email.options import EmailOptions
from normalizer.mail import LOOP_HEADER
from normalizer.schema import Attachment
from normalizer.text import shorten

ATTACHMENT_LIMIT = 25 * 1024 * 1024

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_UNSENDABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
# How mail programs begin the subject of an answer: Re, Ynt (Turkish), AW, Antw, SV, VS, Odp, RIF, and counted ones.
_ANSWERS = re.compile(
    r"\s*(re|ynt|yan[\u0131i]t|aw|antw|sv|vs|odp|rif|res|\u56de\u590d)\s*(\[\d+\]|\(\d+\))?\s*[:\uff1a]", re.IGNORECASE
)
_MESSAGE_ID = re.compile(r"[!-;=?-~]{1,900}")
_CONTENT_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)
_IDS_KEPT = 20
_WROTE = {
    "en": "On {at:%Y-%m-%d %H:%M} UTC, {name} wrote:",
    "tr": "{at:%Y-%m-%d %H:%M} UTC tarihinde {name} \u015funu yazd\u0131:",
}
_LONGEST_QUOTE = 20_000  # characters


class _Policy(EmailPolicy):
    """Message ids on lines of their own, and addresses whole: the standard library tears what is over 78 characters."""

    def fold_binary(self, name: str, value: str) -> bytes:
        if name in {"References", "In-Reply-To", "List-Unsubscribe"}:
            return f"{name}: {value}\r\n".replace("> <", ">\r\n <").encode("ascii")
        return super().fold_binary(name, value)


# 7bit: quoted-printable and base64 survive every relay, and keep lines short.
_POLICY = _Policy(linesep="\r\n", cte_type="7bit", raise_on_defect=False)


def message_id(reply: Reply, options: EmailOptions) -> str:
    """The reply's Message-ID without brackets, made from the message's id: the same on every try."""
    return f"{reply.message.id}@{options.mailbox().domain}"


class Addressees(Struct, frozen=True, kw_only=True):
    """Who a reply goes to, each address once, in the words of whoever gave it; and what is no address."""

    to: tuple[str, ...]
    cc: tuple[str, ...]
    bcc: tuple[str, ...]
    invalid: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Everybody who can get it."""
        return *self.to, *self.cc, *self.bcc

    @classmethod
    def of(cls, reply: Reply) -> Self:
        """The addresses that the agent chose, else the person's own."""
        seen: set[str] = set()

        def fresh(addresses: Iterable[str]) -> tuple[str, ...]:
            new = {canonical(address): address for address in addresses}
            kept = tuple(address for key, address in new.items() if key is not None and key not in seen)
            seen.update(key for key in new if key is not None)
            return kept

        given = (reply.to or (reply.person.value,), reply.cc, reply.bcc)
        invalid = tuple(address for addresses in given for address in addresses if canonical(address) is None)
        to, cc, bcc = (fresh(addresses) for addresses in given)
        return cls(to=to, cc=cc, bcc=bcc, invalid=invalid)


def compose(reply: Reply, files: Sequence[bytes], options: EmailOptions, channel: Channel) -> bytes:
    """The mail, with CRLF line ends and 7-bit bodies; `files` are the contents of the message's attachments.

    Raw UTF-8 stands in it only where an address needs SMTPUTF8 (RFC 6531).
    """
    mail = EmailMessage(policy=_POLICY)
    _head(mail, reply, options, channel)
    _body(mail, reply, options, _quote(reply, channel) if options.quote else None)
    domain = options.mailbox().domain
    inline: list[tuple[Attachment, bytes]] = []
    attached: list[tuple[Attachment, bytes]] = []
    for attachment, content in zip(reply.message.attachments, files, strict=True):
        shown = attachment.inline and reply.message.html and _MESSAGE_ID.fullmatch(attachment.content_id or "")
        (inline if shown else attached).append((attachment, content))
    html = mail.get_body(("html",)) if inline else None
    for attachment, content in inline:
        assert isinstance(html, MIMEPart)
        html.add_related(
            content,
            *_type(attachment),
            disposition="inline",
            cid=f"<{_content_id(attachment.content_id or '', domain)}>",
            filename=_name(attachment),
        )
    for attachment, content in attached:
        mail.add_attachment(content, *_type(attachment), filename=_name(attachment))
    _fix_boundaries(mail, reply.message.id)
    people = Addressees.of(reply)
    made = mail.as_bytes(policy=_POLICY.clone(utf8=needs_utf8((options.address, *people.to, *people.cc))))
    if options.dkim is None:
        return made
    dkim = options.dkim
    return signed(made, dkim.private_key, domain=dkim.domain, selector=dkim.selector, at=reply.message.created_at)


def needs_utf8(addresses: Iterable[str]) -> bool:
    """Whether one of them can only be written, and mailed to, with SMTPUTF8."""
    return not all((deliverable(address) or "").isascii() for address in addresses)


def subject_of(reply: Reply) -> str:
    """The subject, with one `Re:` where it answers; a mail program's own word for it counts."""
    subject = _line(reply.message.subject or reply.subject or "")
    if not reply.references or _ANSWERS.match(subject):
        return subject
    return f"Re: {subject}".rstrip()


def _head(mail: EmailMessage, reply: Reply, options: EmailOptions, channel: Channel) -> None:
    people = Addressees.of(reply)
    message = reply.message
    mail["From"] = _mailbox(options.address, _sender(reply, channel))
    mail["To"] = [
        _mailbox(address, reply.person.name if address == reply.person.value else None) for address in people.to
    ]
    if people.cc:
        mail["Cc"] = [_mailbox(address) for address in people.cc]
    mail["Subject"] = subject_of(reply)
    if message.created_at is not None:
        mail["Date"] = message.created_at
    mail["Message-ID"] = f"<{message_id(reply, options)}>"
    references = [reference for reference in reply.references if _MESSAGE_ID.fullmatch(reference)]
    if references:
        # The first is the thread's root, by which mail programs and help desks find it.
        kept = references if len(references) <= _IDS_KEPT else [references[0], *references[1 - _IDS_KEPT :]]
        mail["In-Reply-To"] = f"<{references[-1]}>"
        mail["References"] = " ".join(f"<{reference}>" for reference in kept)
    else:  # nobody asked for it: how to hear no more (RFC 2369, section 3.2)
        mail["List-Unsubscribe"] = f"<mailto:{quote(options.address, safe='@')}?subject=unsubscribe>"
    if message.author.type == "bot":
        mail["Auto-Submitted"] = "auto-replied" if references else "auto-generated"
    mail[LOOP_HEADER] = options.address


def _sender(reply: Reply, channel: Channel) -> str:
    name, inbox = _line(reply.message.author.name or ""), _line(channel.inbox_name)
    return f"{name} ({inbox})" if name and name != inbox else inbox


def _mailbox(address: str, name: str | None = None) -> Address:
    # Address(addr_spec=…) refuses letters beyond ASCII.
    local, _, domain = (deliverable(address) or address).rpartition("@")
    return Address(_line(name or ""), local, domain)


class _Quote(Struct, frozen=True):
    """What a reply repeats of the mail that it answers: who wrote when, and what."""

    heading: str
    text: str


def _quote(reply: Reply, channel: Channel) -> _Quote | None:
    """In the words that mail programs look for when they fold a quote."""
    answered = reply.answered
    if answered is None or not answered.text.strip():
        return None
    at = answered.sent_at or answered.created_at or reply.message.created_at
    name = _line(answered.author.name or "") or reply.person.value
    heading = _WROTE.get(channel.locale.partition("-")[0], _WROTE["en"])
    return _Quote(heading.format(at=at, name=name), shorten(_UNSENDABLE.sub("", answered.text), _LONGEST_QUOTE))


def _body(mail: EmailMessage, reply: Reply, options: EmailOptions, quote: _Quote | None) -> None:
    text = _UNSENDABLE.sub("", reply.message.text)
    own = options.signature if reply.signature is None else reply.signature
    signature = _UNSENDABLE.sub("", own).strip()
    text = f"{text}\n\n-- \n{signature}\n" if signature else f"{text}\n"
    if quote:
        text += "\n".join(["", quote.heading, *[f"> {line}".rstrip() for line in quote.text.splitlines()], ""])
    mail.set_content(text)
    if reply.message.html:
        html = _UNSENDABLE.sub("", reply.message.html)
        domain = options.mailbox().domain
        for named in filter(None, [one.content_id for one in reply.message.attachments if one.inline]):
            html = html.replace(f'"cid:{named}"', f'"cid:{_content_id(named, domain)}"')
        lines = "<br>".join(escape(signature).splitlines())
        html = f"{html}<div>-- <br>{lines}</div>" if signature else html
        if quote:
            repeated = "<br>".join(escape(quote.text).splitlines())
            html += f'<div><br>{escape(quote.heading)}</div><blockquote type="cite">{repeated}</blockquote>'
        mail.add_alternative(html, subtype="html")


def _content_id(content_id: str, domain: str) -> str:
    """What names a file in a mail and nowhere else: of the form of a Message-ID (RFC 2045, section 7)."""
    return content_id if "@" in content_id else f"{content_id}@{domain}"


def _type(attachment: Attachment) -> tuple[str, str]:
    kind = attachment.content_type.lower()
    main, _, sub = kind.partition("/")
    # Mails in mails may not be base64 (RFC 2046, 5.2.1): they go as files.
    if not _CONTENT_TYPE.fullmatch(kind) or main in {"message", "multipart"}:
        return "application", "octet-stream"
    return main, sub


def _name(attachment: Attachment) -> str:
    return _line(attachment.filename) or "file"


def _line(text: str) -> str:
    """The text on one line: nothing in a name or a subject can begin another header."""
    return _CONTROL.sub(" ", text).strip()


def _fix_boundaries(mail: EmailMessage, message_id: str) -> None:
    containers = (part for part in mail.walk() if part.is_multipart())
    for number, part in enumerate(containers):
        part.set_boundary(f"=_{re.sub('[^A-Za-z0-9]', '', message_id)[:50]}_{number}")
