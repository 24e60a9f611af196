"""Mails made to take a reader's time or memory. Each is made for about so many octets as it is asked for."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Mapping

HEAD = b"From: a@example.com\r\nSubject: x\r\n"
PLAIN = HEAD + b"\r\n"
HTML = HEAD + b"Content-Type: text/html\r\n\r\n"
FLOWED = HEAD + b"Content-Type: text/plain; format=flowed\r\n\r\n"
MIXED = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
CALENDAR = HEAD + b"Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\n"
EVENT = CALENDAR + b"BEGIN:VEVENT\r\n"
BASE64_FILE = MIXED + b"--b\r\nContent-Type: a/b\r\nContent-Transfer-Encoding: base64\r\n\r\n"


def nested(depth: int) -> bytes:
    return HEAD + b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level) for level in range(depth)
    )


def growing(size: int) -> bytes:
    """Boundaries that each begin with the one before."""
    return MIXED + b"".join(
        b"--%b\r\nContent-Type: multipart/mixed; boundary=%b\r\n\r\n" % (b"b" * n, b"b" * (n + 1))
        for n in range(1, int((size - size**0.5 * 50) ** 0.5))
    )


def filled(start: bytes, unit: bytes, size: int, end: bytes = b"") -> bytes:
    return start + unit * ((size - len(start) - len(end)) // len(unit)) + end


def _repeated(start: bytes, unit: bytes, end: bytes = b"") -> Callable[[int], bytes]:
    return lambda size: filled(start, unit, size, end)


def envelope(kind: bytes, content: bytes) -> bytes:
    return (
        HEAD + b"Content-Type: " + kind + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(content)
    )


def _enveloped(kind: bytes, start: bytes, unit: bytes) -> Callable[[int], bytes]:
    return lambda size: envelope(kind, filled(start, unit, size * 73 // 100))


TNEF = struct.pack("<IH", 0x223E9F78, 1)
TNEF_FILE = struct.pack("<BIIHBII", 2, 0x69002, 0, 0, 2, 0x6800F, 0) + b"\0\0"
# A property of one type, which says that it has four thousand million values of no length.
ENDLESS_VALUES = struct.pack("<IHHI", 1, 0x1002, 0x3701, 0xFFFFFFFF)
TNEF_ENDLESS = TNEF + struct.pack("<BII", 1, 0x69003, len(ENDLESS_VALUES)) + ENDLESS_VALUES + b"\0\0"
SMIME = b"application/pkcs7-mime"
SIGNED = bytes.fromhex(
    "30 80 06 09 2a864886f70d010702 a0 80 30 80 02 01 01 31 00 30 80 06 09 2a864886f70d010701 a0 80 24 80"
)


HOSTILE: Mapping[str, Callable[[int], bytes]] = {
    "long line": _repeated(PLAIN, b"a"),
    "quote marks": _repeated(PLAIN, b">"),
    "quote lines": _repeated(FLOWED, b"> \r\n"),
    "colons": _repeated(PLAIN, b"a:\r\n"),
    "attributions": _repeated(PLAIN, b"On 1 wrote\r\nno:\r\n"),
    "verbs": _repeated(PLAIN, b"wrote " * 45 + b":\r\n"),
    "labels": _repeated(PLAIN, b"From: a@b\r\n\r\n\r\n"),
    "strokes": _repeated(PLAIN, b"-"),
    "spaces": _repeated(PLAIN, b" ", b":"),
    "answers": _repeated(PLAIN, b"> a\r\nb\r\n"),
    "carriage returns": _repeated(PLAIN, b"\r"),
    "deep elements": _repeated(HTML, b"<div>"),
    "deep formatting": _repeated(HTML + b"<b>" * 1900, b"<p>x"),
    "ampersands": _repeated(HTML, b"&"),
    "brackets": _repeated(HTML, b"<"),
    "images": _repeated(HTML, b'<img src="http://example.com/x">'),
    "50 levels": lambda size: filled(nested(50), b"x\r\n", size),
    "300 levels": lambda _: nested(300),
    "levels all the way": lambda size: nested(size // 64),
    "levels and lines": lambda size: filled(nested(150), b"x\r\n", size),
    "growing boundaries": growing,
    "forwarded forwards": _repeated(HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 190, b"x\r\n"),
    "empty parts": _repeated(MIXED, b"--b\r\n\r\nx\r\n"),
    "attachments": _repeated(MIXED, b"--b\r\nContent-Disposition: attachment\r\n\r\nx\r\n"),
    "parts by the beginning of their name": _repeated(MIXED, b"--b1\r\n\r\nx\r\n"),
    "dashes": _repeated(MIXED, b"--c\r\n"),
    "many boundaries": _repeated(MIXED, b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"),
    "broken base64": _repeated(HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n", b"!A!Q=UJD=QU\r\n"),
    "broken base64 in a part": _repeated(BASE64_FILE, b"!A!Q=UJD=QU" * 7 + b"\r\n", b"--b--"),
    "broken parts": _repeated(MIXED, b"--b\r\nContent-Transfer-Encoding: base64\r\n\r\n!A!\r\n"),
    "tnef attributes": _enveloped(b"application/ms-tnef", TNEF, struct.pack("<BII", 1, 7, 0) + b"\0\0"),
    "tnef files": _enveloped(b"application/ms-tnef", TNEF, TNEF_FILE),
    "tnef without an end": lambda _: envelope(b"application/ms-tnef", TNEF_ENDLESS),
    "signed in pieces": _enveloped(SMIME, SIGNED, b"\x04\x01x"),
    "signed and nested": _enveloped(SMIME, SIGNED, b"\x24\x80"),
    "calendar events": _repeated(CALENDAR, b"BEGIN:VEVENT\r\nDTSTART:20250101\r\nEND:VEVENT\r\n"),
    "calendar lines": _repeated(EVENT, b"ATTENDEE;CN=a:mailto:a@b\r\n", b"END:VEVENT\r\n"),
    "calendar parameters": _repeated(EVENT + b"SUMMARY", b";A=b", b":x\r\nEND:VEVENT\r\n"),
    "calendar rule": _repeated(EVENT + b"RRULE:FREQ=DAILY;BYDAY=", b"MO,", b"MO\r\nEND:VEVENT\r\n"),
    "signed texts": _repeated(PLAIN, b"-----BEGIN PGP SIGNED MESSAGE-----\r\na: b\r\n"),
    "encrypted texts": _repeated(PLAIN, b"-----BEGIN PGP MESSAGE-----\r\n"),
    "headers": _repeated(b"", b"X: y\r\n", b"\r\nx"),
    "encoded words": _repeated(b"Subject: ", b"=?utf-8?q?a?= ", b"\r\n\r\nx"),
    "unfinished words": _repeated(b"Subject: ", b"=?utf-8?q?a ", b"\r\n\r\nx"),
    "encoded names": _repeated(MIXED + b"--b\r\nContent-Type: a/b; name=", b"=?utf-8?q?a ", b"\r\n\r\nx"),
    "endless codec": _repeated(HEAD + b"Content-Type: text/plain; charset=punycode\r\n\r\n", b"\xff-"),
    "one large file": _repeated(BASE64_FILE, b"QUJD" * 19 + b"\r\n", b"--b--"),
    "a line that is no base64": _repeated(BASE64_FILE, b"A!", b"\r\n--b--"),
    "a text in base64": _repeated(HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n", b"Pj4+" * 19 + b"\r\n"),
    "unknown charset": _repeated(HEAD + b"Content-Type: text/plain; charset=x-none\r\n\r\n", b"\xfe\xfd\xe7 \r\n"),
    "quoted-printable": _repeated(HEAD + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n", b"=C3=BC=\r\n"),
}
