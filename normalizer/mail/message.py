"""One mail: bytes and envelope in, outcomes out."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from msgspec import Struct

from normalizer.mail import body, machine, mime, people, quotes
from normalizer.mail.addresses import Mailbox, own_id, reference_ids
from normalizer.mail.channel import MailChannel
from normalizer.mail.dedup import content_digest, message_digest
from normalizer.mail.headers import Headers
from normalizer.outcomes import Draft, Outcome, Raw
from normalizer.schema import Authenticated, Author, External, Flags, Message
from normalizer.text import shorten

_MAX_SUBJECT = 500
_FIRST_YEAR, _LAST_YEAR = 1970, 2100


class _Ids(Struct, frozen=True, kw_only=True):
    """A mail's ids: `given` is the Message-ID it brings (or empty), `own` that or one made from its content."""

    given: str
    own: str
    references: tuple[str, ...]

    @property
    def root(self) -> str:
        return self.references[0] if self.references else self.own


def normalize(raw: Raw, channel: MailChannel) -> list[Outcome]:
    """What a mail means: a draft, and for a report on a mail of ours what became of that one.

    `raw.body` is the mail as it was received; `raw.envelope` holds `mail_from`, `rcpt_to`, `peer`, `tls`, `trusted`
    (whether its Authentication-Results come from a relay of ours) and `verdicts` (what we found out ourselves, if we
    looked).
    """
    headers = Headers(raw.body)
    root = mime.parse(raw.body, headers.end)
    mail_from = raw.envelope.get("mail_from")
    senders = people.senders_of(headers)
    verdict = machine.judge(headers, root, senders[0] if senders else None, mail_from, channel.own)
    authenticated = _authenticated(raw, headers)
    who = people.read(
        headers,
        senders,
        channel,
        mail_from or "",
        authenticated=authenticated is not None and authenticated.dmarc == "pass",
        machine=verdict.auto_submitted or verdict.bulk,
    )
    returned = machine.returned_id(root, verdict)
    ids = _ids(headers, raw.body, returned)
    content = body.read(root)
    draft = Draft(
        message=_message(
            headers=headers,
            who=who,
            verdict=verdict,
            content=content,
            ids=ids,
            mail_from=mail_from,
            authenticated=authenticated,
        ),
        customer=who.customer,
        keys=tuple(dict.fromkeys((ids.own, *ids.references))),
        unique=message_digest(ids.own, raw.body[headers.end :]),
        files=content.contents,
        reopens=not verdict.auto_submitted,
    )
    return [draft, *(machine.updates(root, returned, raw.received_at) if returned else ())]


def _authenticated(raw: Raw, headers: Headers) -> Authenticated | None:
    """What our own checks found out when the mail came, else what a trusted relay says of its."""
    if found := raw.envelope.get("verdicts"):
        return Authenticated(**found)
    return people.verdicts(headers) if raw.envelope.get("trusted") else None


def _ids(headers: Headers, mail: bytes, returned: str) -> _Ids:
    """A report belongs where the mail is that it is about: `returned`."""
    given, references = own_id(headers), reference_ids(headers)
    return _Ids(
        given=given,
        own=given or f"{content_digest(mail)[:40]}@no-message-id.invalid",
        references=tuple(dict.fromkeys((*references, returned))) if returned else references,
    )


def _message(
    *,
    headers: Headers,
    who: people.People,
    verdict: machine.Verdict,
    content: body.Body,
    ids: _Ids,
    mail_from: str | None,
    authenticated: Authenticated | None,
) -> Message:
    subject = shorten(headers.first("subject"), _MAX_SUBJECT)
    # A report repeats what it is about, and that is what one wants to read in it.
    folded = quotes.Split(content.text.strip("\n")) if verdict.is_event else quotes.split(content.text, subject)
    sent_at = _date(headers.raw("date"))
    return Message(
        kind="event" if verdict.is_event else "message",
        author=Author(type="system" if verdict.is_event else "customer", name=who.author_name),
        external=External(id=ids.own, thread_key=ids.root),
        text=folded.text,
        html=content.html,
        quoted="\n\n".join(filter(None, [folded.quoted, content.folded])) or None,
        subject=subject or None,
        parts=content.parts,
        attachments=content.attachments,
        sent_at=sent_at,
        flags=Flags(
            auto_submitted=verdict.auto_submitted,
            bulk=verdict.bulk,
            bounce=verdict.bounce,
            authenticated=authenticated,
        ),
        channel_data=_channel_data(headers, who, ids, mail_from, dated=sent_at is not None),
    )


def _channel_data(
    headers: Headers, who: people.People, ids: _Ids, mail_from: str | None, *, dated: bool
) -> dict[str, Any]:
    data: dict[str, Any] = {
        "email.from": _boxes(who.senders),
        "email.to": _boxes(who.to),
        "email.cc": _boxes(who.cc),
        "email.reply_to": _boxes(who.reply_to),
        "email.mail_from": mail_from,
        "email.message_id": ids.given or None,
        "email.in_reply_to": shorten(headers.first("in-reply-to"), _MAX_SUBJECT) or None,
        "email.references": list(ids.references),
    }
    if who.warning:
        data["email.warning"] = who.warning
    if not dated and "date" in headers:
        data["email.date_header"] = shorten(headers.first("date"), _MAX_SUBJECT)
    return data


def _boxes(boxes: tuple[Mailbox, ...]) -> list[dict[str, str | None]]:
    return [{"name": box.name or None, "address": box.address} for box in boxes]


def _date(value: str) -> datetime | None:
    """The Date header in UTC; without a zone it is taken for UTC, and one out of all reason for none."""
    try:
        date = parsedate_to_datetime(value[:200])
        date = date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None
    return date.replace(microsecond=0) if _FIRST_YEAR <= date.year <= _LAST_YEAR else None
