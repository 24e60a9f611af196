"""Which mails no person wrote: bounces and other reports, vacation notes, newsletters.

A person's mail must never be taken for a machine's: what only *may* mean a machine (a word in the subject) counts where
a machine's own header or address stands beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from msgspec import Struct

from normalizer.mail import phrases
from normalizer.mail.addresses import Mailbox, ids, parse_mailboxes
from normalizer.mail.headers import Headers
from normalizer.mail.mime import Part, walk
from normalizer.outcomes import DeliveryUpdate
from normalizer.schema import DeliveryError, DeliveryState
from normalizer.text import one_line, shorten

Report = Literal["delivery", "disposition", "feedback"]

_REPORTS: dict[str, Report] = {
    "message/delivery-status": "delivery",
    "message/global-delivery-status": "delivery",
    "message/disposition-notification": "disposition",
    "message/global-disposition-notification": "disposition",
    "message/feedback-report": "feedback",
}
_REPORT_TYPES: dict[str, Report] = {
    "delivery-status": "delivery",
    "disposition-notification": "disposition",
    "feedback-report": "feedback",
}
LOOP_HEADER = "X-Santral-Loop"  # names the address that a mail of ours left from
_DAEMON = re.compile(r"(?:mailer-?daemon|mail-?daemon|postmaster|mdaemon|bounces?|mailadmin)\b", re.IGNORECASE)
_AUTO_HEADERS = (
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-autoreply-from",
    "x-mail-autoreply",
    "x-facebook-notify",
)
_LIST_HEADERS = (
    "list-id",
    "list-unsubscribe",
    "list-post",
    "list-help",
    "feedback-id",
    "x-campaign-id",
    "x-mailgun-tag",
)
_FIELD = re.compile(r"^([!-9;-~]{1,60}):[ \t]*([^\n]*(?:\n[ \t][^\n]*)*+)", re.MULTILINE)
_MESSAGE_ID = re.compile(rb"^message-id:\s*([^\n]*(?:\n[ \t][^\n]*)?)", re.IGNORECASE | re.MULTILINE)
_STATUS = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.]\d)")
_STATES: dict[str, DeliveryState] = {
    "failed": "failed",
    "delivered": "delivered",
    "relayed": "sent",
    "expanded": "sent",
    "delayed": "sent",
}
_MAX_RECIPIENTS = 100
_RETURNED = 64 * 1024  # octets of a returned mail in which its headers are looked for


class Verdict(Struct, frozen=True, kw_only=True):
    """What kind of mail it is. `report` names the kind of a machine's report; all false for a person's mail."""

    auto_submitted: bool = False
    bulk: bool = False
    bounce: bool = False
    report: Report | None = None

    @property
    def is_event(self) -> bool:
        """Nobody wrote it to be answered: it is shown as an event."""
        return self.bounce or self.report is not None


def judge(headers: Headers, root: Part, sender: Mailbox | None, mail_from: str | None, own: frozenset[str]) -> Verdict:
    """What a mail's headers, structure and envelope sender (empty: the null sender; None: unknown) say it is.

    One that left from here, from one of the channel's `own` addresses, and comes back as it is, comes by a machine.
    """
    report = _report(root)
    automatic = _automatic(headers, mail_from) or headers.first(LOOP_HEADER.lower()).lower() in own
    subject = headers.first("subject")
    daemon = bool(sender and _DAEMON.match(sender.key)) or (not sender and mail_from == "")
    bounce = report == "delivery" or "x-failed-recipients" in headers
    bounce = bounce or (bool(phrases.BOUNCE_SUBJECT.search(subject)) and (daemon or mail_from == ""))
    bounce = bounce or (daemon and mail_from == "")
    precedence = headers.raw("precedence").lower()
    return Verdict(
        auto_submitted=automatic or bounce or report is not None or bool(phrases.AUTO_SUBJECT.match(subject)),
        bulk=precedence in ("bulk", "list", "junk") or any(name in headers for name in _LIST_HEADERS),
        bounce=bounce,
        report=report,
    )


def _report(root: Part) -> Report | None:
    if root.content_type == "multipart/report" and (
        kind := _REPORT_TYPES.get(root.params.get("report-type", "").lower())
    ):
        return kind
    parts = (
        (root, *root.children)
        if root.content_type.startswith(("multipart/report", "multipart/mixed", "message/"))
        else ()
    )
    return next((_REPORTS[part.content_type] for part in parts if part.content_type in _REPORTS), None)


def _automatic(headers: Headers, mail_from: str | None) -> bool:
    declared = headers.raw("auto-submitted").partition(";")[0].strip().lower()
    return (
        (bool(declared) and declared != "no")
        or mail_from == ""
        or any(name in headers for name in _AUTO_HEADERS)
        or headers.raw("precedence").lower() in ("auto_reply", "auto-reply")
        or headers.raw("x-precedence").lower() in ("auto_reply", "auto-reply")
    )


def returned_id(root: Part, verdict: Verdict) -> str:
    """The Message-ID of the mail that a report is about; empty where it is not said."""
    if not verdict.is_event:
        return ""
    for part in walk(root):
        if part.content_type in ("message/disposition-notification", "message/global-disposition-notification"):
            found = dict(_fields(part.content)).get("original-message-id", "")
        elif part.content_type in ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"):
            match = _MESSAGE_ID.search(part.content[:_RETURNED])
            found = match[1].decode("utf-8", "replace") if match else ""
        else:
            continue
        if one := next(iter(ids([found])), ""):
            return one
    return ""


def updates(root: Part, external_id: str, at: datetime) -> list[DeliveryUpdate]:
    """What a report says became of our mail `external_id`.

    One update for each recipient of a delivery report (RFC 3464), or that it was read (RFC 8098).
    """
    found: list[DeliveryUpdate] = []
    for part in walk(root):
        if part.content_type == "message/disposition-notification":
            if "displayed" in dict(_fields(part.content)).get("disposition", "").lower():
                found.append(DeliveryUpdate(state="read", at=at, external_id=external_id))
        elif _REPORTS.get(part.content_type) == "delivery":
            found += _recipients(part.content, external_id, at)
    return found[:_MAX_RECIPIENTS]


def _recipients(report: bytes, external_id: str, at: datetime) -> Iterator[DeliveryUpdate]:
    fields: dict[str, str] = {}
    for name, value in (*_fields(report), ("final-recipient", "")):
        if name in ("final-recipient", "original-recipient") and name in fields:
            if update := _update(fields, external_id, at):
                yield update
            fields = {}
        fields[name] = value


def _update(fields: dict[str, str], external_id: str, at: datetime) -> DeliveryUpdate | None:
    action = fields.get("action", "").partition(" ")[0].lower()
    state = _STATES.get(action)
    if state is None:
        return None
    address = parse_mailboxes(fields.get("final-recipient", "").partition(";")[2])
    diagnostic = fields.get("diagnostic-code", "")
    codes = _STATUS.findall(f"{fields.get('status', '')} {diagnostic}")
    # `5.0.0` says no more than `failed`: the server's own words may know better.
    code = next((code for code in codes if not code.endswith(".0.0")), codes[0] if codes else None)
    reason = diagnostic.partition(";")[2].strip() or fields.get("status", "")
    if action == "delayed":
        reason = f"Delayed, and still being tried: {reason}".rstrip(": ")
    text = shorten(reason, 1000) or "The mail was returned."
    error = DeliveryError(code=code, text=text, temporary=action == "delayed")
    return DeliveryUpdate(
        state=state,
        at=at,
        external_id=external_id,
        recipient=address[0].key if address else None,
        error=error if action in ("failed", "delayed") else None,
    )


def _fields(report: bytes) -> list[tuple[str, str]]:
    text = report[:_RETURNED].decode("utf-8", "replace").replace("\r\n", "\n")
    return [(name.lower(), one_line(value)) for name, value in _FIELD.findall(text)]
