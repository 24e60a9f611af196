"""Mails made to take a reader's time or memory. Each is made for about so many octets as it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

HEAD = b"From: a@example.com\r\nSubject: x\r\n"
PLAIN = HEAD + b"\r\n"
HTML = HEAD + b"Content-Type: text/html\r\n\r\n"
FLOWED = HEAD + b"Content-Type: text/plain; format=flowed\r\n\r\n"
MIXED = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
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
    "broken parts": _repeated(MIXED, b"--b\r\nContent-Transfer-Encoding: base64\r\n\r\n!A!\r\n"),
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
