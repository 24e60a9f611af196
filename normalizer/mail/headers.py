"""A mail's header block (RFC 5322), its encoded words (RFC 2047) and parameters (RFC 2231), well formed or not.

Every pattern is linear on hostile input, and every value is cut to a length that no honest header reaches.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64, a2b_qp
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from normalizer.mail.charset import decode
from normalizer.text import one_line

MAX_HEADERS = 2000
MAX_VALUE = 32 * 1024  # octets of one header

_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*+)\n?")
_BLANK_LINE = re.compile(rb"\n\r?\n")
_SKIPPED = re.compile(rb"(?:>?From [^\n]*\n|[ \t]+[^\s][^\n]*\n)*+")
_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*+(?:\?(?!=)[^?]*+){0,8})(?:\?=|$)")
_PARAMETER = re.compile(r';\s*+([^\s=;"]++)\s*+=\s*+("(?:[^"\\]|\\.)*+"?|[^;]*+)', re.DOTALL)
_SECTION = re.compile(r"(.+?)\*(\d{1,3})?(\*)?$")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]+")


class Headers:
    """The header block of a mail. Names are asked for in lower case; values come decoded, on one line."""

    __slots__ = ("_values", "end")

    def __init__(self, mail: bytes) -> None:
        """Reads the block at the start of `mail`; `end` is where the body begins."""
        self._values: dict[bytes, list[bytes]] = {}
        self.end = self._read(mail)

    def _read(self, mail: bytes) -> int:
        start = _SKIPPED.match(mail)
        position = start.end() if start else 0
        if not _FIELD.match(mail, position):
            position = 0  # not one header: then what looked like a strange first line is the body's
        for _ in range(MAX_HEADERS):
            if not (found := _FIELD.match(mail, position)):
                break
            self._values.setdefault(found[1].lower(), []).append(found[2][:MAX_VALUE])
            position = found.end()
        else:
            blank = _BLANK_LINE.search(mail, position)
            position = blank.start() + 1 if blank else len(mail)
        return position + 2 if mail.startswith(b"\r\n", position) else position + mail.startswith(b"\n", position)

    def __contains__(self, name: str) -> bool:
        return name.encode() in self._values

    def raw(self, name: str) -> str:
        """The first value of that name with its encoded words as they stand; empty where there is none."""
        values = self._values.get(name.encode())
        return self._text(values[0]) if values else ""

    def first(self, name: str) -> str:
        """The first value of that name, decoded; empty where there is none."""
        return decode_words(self.raw(name))

    def every(self, name: str) -> Iterator[str]:
        """All values of that name, encoded words as they stand."""
        return map(self._text, self._values.get(name.encode(), []))

    def _text(self, value: bytes) -> str:
        value = value.replace(b"\r", b"").replace(b"\n", b"").strip()
        if value.isascii():
            return value.decode("ascii")
        # Raw letters in a header say nothing of their charset: the body's is the best guess.
        declared = self._values.get(b"content-type", [b""])[0].decode("ascii", "replace")
        return decode(value, parameters(declared).get("charset", ""))


def decode_words(value: str) -> str:
    """RFC 2047: the encoded words of a value become text; what is badly formed is read as far as it can be.

    Neighbouring words in one charset are joined as bytes first: many programs cut in the midst of a character.
    """
    if "=?" not in value:
        return one_line(value)
    pieces: list[str] = []
    pending: list[bytes] = []
    charset, position = "", 0
    for found in _WORD.finditer(value):
        gap = value[position : found.start()]
        name = found[1].partition("*")[0].lower()
        if pending and (gap.strip() or name != charset):
            pieces.append(decode(b"".join(pending), charset))
            pending = []
        if gap.strip() or not position:
            pieces.append(gap)
        charset, position = name, found.end()
        pending.append(_payload(found[2], found[3]))
    pieces.append(decode(b"".join(pending), charset))
    return one_line("".join(pieces) + value[position:])


def _payload(encoding: str, text: str) -> bytes:
    if encoding in "qQ":
        return a2b_qp(text.replace(" ", "_").encode("utf-8", "replace"), header=True)
    return base64_bytes(text)


def base64_bytes(text: str) -> bytes:
    """Base64 as far as it can be read: foreign characters are skipped, missing padding is added."""
    letters = _NOT_BASE64.sub("", text)
    letters = letters[:-1] if len(letters) % 4 == 1 else letters
    try:
        return a2b_base64(letters + "=" * (-len(letters) % 4))
    except Error:
        return b""


def parameters(value: str) -> dict[str, str]:
    """The parameters of a `Content-Type` or `Content-Disposition`: RFC 2231 in all its forms, encoded words too."""
    found: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[str, bool]]] = {}
    for match in _PARAMETER.finditer(value[:MAX_VALUE]):
        name, text = match[1].lower(), _unquoted(match[2])
        if (section := _SECTION.match(name)) and "*" in name:
            sections.setdefault(section[1], {})[int(section[2] or 0)] = (text, bool(section[3]) or not section[2])
        else:
            found.setdefault(name, decode_words(text))
    found.update({name: _joined(parts) for name, parts in sections.items()})
    return found


def _unquoted(text: str) -> str:
    text = text.strip()
    if text.startswith('"'):
        text = text[1:-1] if len(text) > 1 and text.endswith('"') else text[1:]
        # Not every backslash escapes: some programs send a whole Windows path.
        return text.replace('\\"', '"').replace("\\\\", "\\")
    return text.partition(" ")[0] if " " in text and "=?" not in text and "." not in text.partition(" ")[2] else text


def _joined(parts: dict[int, tuple[str, bool]]) -> str:
    charset, data = "", b""
    for number in sorted(parts):
        text, encoded = parts[number]
        if number == min(parts) and encoded and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        data += unquote_to_bytes(text) if encoded else text.encode("utf-8", "replace")
    return one_line(decode_words(decode(data, charset)))
