"""Any bytes become a message: `make fuzz` tries for minutes, `make test` for seconds."""

from __future__ import annotations

import base64
import os
from pathlib import Path

from hostile_mails import HEAD, MIXED
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mail_reader import read

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "300"))
FIXTURES = sorted((Path(__file__).parents[1] / "fixtures" / "email").glob("*.eml"))

SEEDS = [
    b"",
    HEAD
    + b"Date: Tue, 14 Jan 2025 10:00:00 +0300\r\nReferences: <a@b> <c@d>\r\n\r\n"
    + b"On 1.1.2025 09:00 A <a@b> wrote:\r\n> x",
    MIXED
    + b'--b\r\nContent-Type: text/plain; charset="iso-8859-9"\r\n\r\n\xfe\xfd\r\n'
    + b"--b\r\nContent-Type: text/html\r\n\r\n"
    + b"<p>a<blockquote type=cite>b</blockquote>\r\n"
    + b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: y\r\n\r\nz\r\n--b--",
    HEAD
    + b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n"
    + b"Content-Type: message/delivery-status\r\n\r\n"
    + b"Final-Recipient: rfc822; a@b\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    + b"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <x@y>\r\n--b--",
    b"Subject: =?utf-8?b?" + base64.b64encode("şey".encode()) + b"?=\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJj",
    *(path.read_bytes() for path in FIXTURES),
]
CHARSETS = ["utf-8", "us-ascii", "iso-8859-9", "windows-1254", "utf-7", "utf-16", "punycode", "unheard-of", "", "\x00"]
ENCODINGS = ["7bit", "8bit", "base64", "quoted-printable", "x-uuencode", "binary", "", "base64;", "BASE64 \t"]
TYPES = [
    *("text/plain", "text/html", "text/plain; format=flowed", "text/calendar; method=REQUEST", "message/rfc822"),
    *("image/png; name=a.png", "application/ms-tnef; name=winmail.dat", "message/delivery-status", "message/global"),
    *("application/pkcs7-mime; smime-type=signed-data", "message/disposition-notification", "text", "/", "multipart/x"),
]
CONTAINERS = ["mixed", "alternative", "related", "signed", "report; report-type=delivery-status", "digest", ""]
HEADERS = [
    *("From", "To", "Cc", "Reply-To", "Subject", "Message-ID", "In-Reply-To", "References", "Date", "Sender"),
    *("Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "Content-ID", "Auto-Submitted", "Precedence"),
    *(
        "List-Id",
        "Return-Path",
        "Received",
        "Authentication-Results",
        "X-Santral-Loop",
        "X-Failed-Recipients",
        "",
        "A B",
    ),
]
WORDS = b"=? ?= --b --b-- : ; < > ( @ =ZZ charset=utf-7 Content-Type: multipart/ message/rfc822 &#x".split()
PIECES = st.sampled_from([b"\r\n", b"\n", b"\r", b"\0", b"\xff", b'"', *WORDS])
TEXT = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from([b"> quoted\r\n", b"On Monday A wrote:\r\n> x", b"<div><blockquote>x", b"begin 644 a\r\n", b""]),
)
VALUE = st.one_of(
    TEXT,
    st.sampled_from([b"<a@b>", b"<a@b> <c@d>", b"A <a@example.com>", b"=?utf-8?q?a=C3?=", b"auto-replied", b'"a@b" <']),
)


@st.composite
def mutated(draw: st.DrawFn, mails: st.SearchStrategy[bytes]) -> bytes:
    """A mail with some of its bytes replaced."""
    mail = bytearray(draw(mails))
    for _ in range(draw(st.integers(0, 8))):
        start = draw(st.integers(0, len(mail)))
        end = min(len(mail), start + draw(st.sampled_from([0, 0, 1, 5, 40, 400])))
        mail[start:end] = draw(st.one_of(PIECES, st.binary(max_size=12)))
    return bytes(mail)


@st.composite
def part(draw: st.DrawFn) -> bytes:
    """A part whose labels may lie about its content."""
    content = draw(TEXT)
    if draw(st.booleans()):
        content = base64.b64encode(content)
    kind, charset = draw(st.sampled_from(TYPES)), draw(st.sampled_from(CHARSETS))
    encoding = draw(st.sampled_from(ENCODINGS))
    head = f"Content-Type: {kind}; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode() + content


def container(parts: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Parts in one part, under boundaries that may be wrong."""

    @st.composite
    def made(draw: st.DrawFn) -> bytes:
        kind, named = draw(st.sampled_from(CONTAINERS)), draw(st.sampled_from([b"b", b"bb", b'"b b"', b"", b"\xff"]))
        lines = [b"Content-Type: multipart/" + kind.encode() + b"; boundary=" + named + b"\r\n\r\n"]
        for one in draw(st.lists(parts, max_size=4)):
            used = draw(st.sampled_from([named.strip(b'"'), named.strip(b'"'), b"b"]))
            lines.append(b"--" + used + b"\r\n" + one + b"\r\n")
        return b"".join(lines) + draw(st.sampled_from([b"--" + named.strip(b'"') + b"--\r\n", b"", b"--b"]))

    return made()


@st.composite
def composed(draw: st.DrawFn) -> bytes:
    """A mail put together from headers and parts of all kinds."""
    head = [
        draw(st.sampled_from(HEADERS)).encode() + b": " + draw(VALUE) + b"\r\n" for _ in range(draw(st.integers(0, 6)))
    ]
    return b"".join(head) + draw(st.recursive(part(), container, max_leaves=8))


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutated(st.sampled_from(SEEDS)))
def test_a_broken_mail_becomes_a_message(mail: bytes) -> None:
    read(mail)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutated(composed()))
def test_parts_of_all_kinds_become_a_message(mail: bytes) -> None:
    read(mail)
