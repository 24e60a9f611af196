"""One mail: bytes and envelope in, outcomes out."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from normalizer.mail import body, machine, mime, people, quotes
from normalizer.mail.addresses import Mailbox, own_id, parse_mailboxes, reference_ids
from normalizer.mail.channel import MailChannel
from normalizer.mail.dedup import content_digest, message_digest
from normalizer.mail.headers import Headers
from normalizer.outcomes import Draft, Outcome, Raw
from normalizer.schema import Author, External, Flags, Message
from normalizer.text import shorten

_MAX_SUBJECT = 500
_FIRST_YEAR, _LAST_YEAR = 1970, 2100


def normalize(raw: Raw, channel: MailChannel) -> list[Outcome]:
    """What a mail means: a draft, and for a report on a mail of ours what became of that one.

    `raw.body` is the mail as it was received; `raw.envelope` holds `mail_from`, `rcpt_to`, `peer`, `tls` and `trusted`
    (whether its Authentication-Results come from a relay of ours).
    """
    mail = raw.body
    headers = Headers(mail)
    root = mime.parse(mail, headers.end)
    mail_from = raw.envelope.get("mail_from")
    authenticated = people.verdicts(headers) if raw.envelope.get("trusted") else None
    sender = next((box for value in headers.every("from") for box in parse_mailboxes(value)), None)
    verdict = machine.judge(headers, root, sender, mail_from)
    who = people.read(
        headers,
        channel,
        mail_from or "",
        authenticated=bool(authenticated and authenticated.dmarc == "pass"),
        machine=verdict.auto_submitted or verdict.bulk,
    )
    returned = machine.returned_id(root, verdict)
    references = tuple(dict.fromkeys((*reference_ids(headers), returned))) if returned else reference_ids(headers)
    message_id = own_id(headers)
    external_id = message_id or f"{content_digest(mail)[:40]}@no-message-id.invalid"
    read = body.read(root)
    subject = shorten(headers.first("subject"), _MAX_SUBJECT)
    folded = quotes.Split(read.text.strip("\n")) if verdict.is_event else quotes.split(read.text, subject)
    sent_at = _date(headers.raw("date"))
    message = Message(
        kind="event" if verdict.is_event else "message",
        author=Author(type="system" if verdict.is_event else "customer", name=who.author_name),
        external=External(id=external_id, thread_key=references[0] if references else external_id),
        text=folded.text,
        html=read.html,
        quoted=folded.quoted,
        subject=subject or None,
        attachments=read.attachments,
        sent_at=sent_at,
        flags=Flags(
            auto_submitted=verdict.auto_submitted,
            bulk=verdict.bulk,
            bounce=verdict.bounce,
            authenticated=authenticated,
        ),
        channel_data=_channel_data(headers, who, mail_from, message_id, dated=sent_at is not None),
    )
    draft = Draft(
        message=message,
        customer=who.customer,
        keys=tuple(dict.fromkeys((external_id, *references))),
        unique=message_digest(external_id, mail[headers.end :]),
        files=read.contents,
        reopens=not verdict.auto_submitted,
    )
    return [draft, *(machine.updates(root, returned, raw.received_at) if returned else ())]


def _channel_data(
    headers: Headers,
    who: people.People,
    mail_from: str | None,
    message_id: str,
    *,
    dated: bool,
) -> dict[str, Any]:
    data: dict[str, Any] = {
        "email.from": _boxes(who.senders),
        "email.to": _boxes(who.to),
        "email.cc": _boxes(who.cc),
        "email.reply_to": _boxes(who.reply_to),
        "email.mail_from": mail_from,
        "email.message_id": message_id or None,
        "email.in_reply_to": headers.raw("in-reply-to") or None,
        "email.references": list(reference_ids(headers)),
    }
    if who.warning:
        data["email.warning"] = who.warning
    if not dated and "date" in headers:
        data["email.date_header"] = shorten(headers.first("date"), 200)
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
