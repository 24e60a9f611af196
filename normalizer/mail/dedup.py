"""What makes two deliveries the same mail."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from hashlib import sha256

# What servers on the way add or change: a mail that is delivered again, or by another route, differs only here.
# Signatures stand among them because a relay signs anew, with a new time, at each try.
_TRACE = frozenset(
    b"received x-received return-path delivered-to x-delivered-to x-original-to envelope-to x-envelope-to "
    b"x-envelope-from delivery-date authentication-results x-authentication-results received-spf arc-seal "
    b"arc-message-signature arc-authentication-results dkim-signature x-google-dkim-signature domainkey-signature "
    b"x-gm-message-state x-google-smtp-source x-forwarded-to x-forwarded-for x-virus-scanned x-spam-status "
    b"x-spam-score x-spam-level x-spam-flag x-spam-checker-version x-spam-report".split()
)
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_LONGEST_HEAD = 1_000_000


def event_key(recipient: str, body: bytes) -> str:
    """The key of a delivery: SHA-256, in hexadecimal, of the envelope recipient and the mail without trace headers."""
    return _digest(recipient.lower().encode("utf-8", "replace") + b"\0", body)


def content_digest(body: bytes) -> str:
    """The SHA-256, in hexadecimal, of the mail without trace headers: the id of one that brings none."""
    return _digest(b"", body)


def message_digest(message_id: str, content: bytes) -> str:
    """What two copies of one mail share by whatever route they came: its Message-ID *and* what follows the headers.

    Neither counts alone, so nobody can suppress a mail by sending its id first.
    """
    return sha256(message_id.encode("utf-8", "replace") + b"\0" + content.strip()).hexdigest()


def _digest(prefix: bytes, mail: bytes) -> str:
    found = _HEAD_END.search(mail, 0, _LONGEST_HEAD)
    end = found.start() if found else 0
    digest = sha256(prefix)
    digest.update(_without_trace(mail[:end]))
    digest.update(memoryview(mail)[end:])
    return digest.hexdigest()


def _without_trace(head: bytes) -> bytes:
    return b"\n".join(without_fields(head.split(b"\n"), _is_trace))


def _is_trace(line: bytes) -> bool:
    return line.partition(b":")[0].rstrip().lower() in _TRACE


def without_fields(lines: Iterable[bytes], dropped: Callable[[bytes], bool]) -> list[bytes]:
    """The lines of a header block but for the fields that are `dropped`, of which it is asked by their first lines."""
    kept: list[bytes] = []
    keep = True
    for line in lines:
        if line[:1] not in (b" ", b"\t"):
            keep = not dropped(line)
        if keep:
            kept.append(line)
    return kept
