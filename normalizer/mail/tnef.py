"""Opening `winmail.dat`: the envelope (TNEF, [MS-OXTNEF]) in which Outlook sends files, and sometimes the text.

An own reader, and not tnefparse: that one copies what is left for each attribute, never comes back from a property that
says it has four thousand million values (both in 40 octets), and pads files. Everything here is bounded, and what is
broken ends the reading; what came before it counts.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from mimetypes import MimeTypes

from msgspec import Struct

from normalizer.mail.charset import codec_of, decode
from normalizer.mail.mime import Part
from normalizer.text import one_line

SIGNATURE = b"\x78\x9f\x3e\x22"
_MAX_ATTRIBUTES = 20_000
_MAX_PROPERTIES = 20_000
_MAX_FILES = 500
_MAX_LEVELS = 5  # messages in messages

_ATTRIBUTE, _SHORT, _LONG = struct.Struct("<BII"), struct.Struct("<H"), struct.Struct("<I")
_HEAD = 6  # signature and key
_TITLE, _DATA, _BEGINS, _OF_FILE, _OF_MESSAGE = 0x18010, 0x6800F, 0x69002, 0x69005, 0x69003
_BODY, _CODEPAGE = 0x2800C, 0x69007

# Properties ([MS-OXPROPS]), and how long the values of their types are, padded ([MS-OXTNEF] 2.1.3.4).
_NAMES = (0x3707, 0x3704, 0x3001)  # a file's name: long, short, as shown
_TEXT, _HTML, _HTML_CODEPAGE = 0x1000, 0x1013, 0x3FDE
_CONTENT, _TYPE, _CONTENT_ID = 0x3701, 0x370E, 0x3712
_FIXED = {2: 4, 3: 4, 4: 4, 0xA: 4, 0xB: 4, 5: 8, 6: 8, 7: 8, 0x14: 8, 0x40: 8, 0x48: 16}
_VARIABLE = (0xD, 0x1E, 0x1F, 0x102)
_OBJECT, _STRING, _WIDE_STRING, _MANY, _NAMED = 0xD, 0x1E, 0x1F, 0x1000, 0x8000
_MESSAGE = bytes.fromhex("0703020000000000c000000000000046")  # IID_IMessage, before a message in a message
_ISO_8859 = range(28591, 28606)
_TYPES = MimeTypes()  # by a name's ending; no file of the machine has a say
_CODEPAGES = {65001: "utf-8", 20127: "ascii", 20866: "koi8-r", 50220: "iso-2022-jp", 51932: "euc-jp", 51949: "euc-kr"}


class Opened(Struct, frozen=True):
    """What was inside: the text in its forms, as parts of a mail, and the files."""

    texts: tuple[Part, ...]
    files: tuple[Part, ...]


class _Property(Struct, frozen=True):
    name: int
    type: int
    value: memoryview


def opened(data: bytes) -> Opened:
    """What is in an envelope; nothing where it is none."""
    return _opened(memoryview(data), 0)


def _opened(data: memoryview, level: int) -> Opened:
    message: dict[int, _Property] = {}
    files: list[_File] = []
    plain, charset = b"", "cp1252"
    if data[: len(SIGNATURE)] != SIGNATURE:
        return Opened((), ())
    for attribute, value in _attributes(data):
        if attribute == _BEGINS and len(files) < _MAX_FILES:
            files.append(_File())
        elif attribute in (_TITLE, _DATA, _OF_FILE) and files:
            files[-1].take(attribute, value)
        elif attribute == _CODEPAGE and len(value) >= _LONG.size:
            charset = _charset(_LONG.unpack_from(value)[0])
        elif attribute == _BODY:
            plain = bytes(value)
        elif attribute == _OF_MESSAGE:
            message |= {one.name: one for one in _properties(value)}
    return Opened(
        tuple(_texts(message, plain, charset)),
        tuple(part for file in files for part in file.parts(charset, level)),
    )


class _File:
    """A file, of which one attribute after the other tells something."""

    def __init__(self) -> None:
        self._title = b""
        self._data = memoryview(b"")
        self._told: dict[int, _Property] = {}

    def take(self, attribute: int, value: memoryview) -> None:
        if attribute == _TITLE:
            self._title = bytes(value)
        elif attribute == _DATA:
            self._data = value
        else:
            self._told |= {one.name: one for one in _properties(value)}

    def parts(self, charset: str, level: int) -> Iterator[Part]:
        """The file; of a message in a message, its text and its files."""
        content = self._told.get(_CONTENT)
        data = self._data if content is None or self._data else content.value
        name = next(filter(None, [_text(self._told.get(tag), charset) for tag in _NAMES]), "")
        name = name or one_line(decode(self._title.rstrip(b"\0"), charset))
        if content is not None and content.type == _OBJECT and data[: len(_MESSAGE)] == _MESSAGE:
            if level < _MAX_LEVELS:
                inner = _opened(data[len(_MESSAGE) :], level + 1)
                texts = [text for text in inner.texts if text.content_type == "text/plain"] or inner.texts
                yield from (_as_file(text, name) for text in texts)
                yield from inner.files
        elif data or name:
            kind = _text(self._told.get(_TYPE), charset).lower()
            kind = kind if kind.count("/") == 1 else _TYPES.guess_type(name)[0] or "application/octet-stream"
            yield Part(
                content_type=kind,
                disposition="attachment",
                filename=name,
                content_id=_text(self._told.get(_CONTENT_ID), charset).strip("<>"),
                content=bytes(data),
            )


def _as_file(text: Part, name: str) -> Part:
    ending = "html" if text.content_type == "text/html" else "txt"
    return Part(
        content_type=text.content_type,
        params=text.params,
        disposition="attachment",
        filename=f"{name or 'message'}.{ending}",
        content=text.content,
    )


def _texts(message: dict[int, _Property], plain: bytes, charset: str) -> Iterator[Part]:
    found = _text(message.get(_TEXT), charset, lines=True) or decode(plain.rstrip(b"\0"), charset)
    if found.strip():
        yield Part(content_type="text/plain", params={"charset": "utf-8"}, content=found.encode("utf-8", "replace"))
    html = message.get(_HTML)
    if html is None:
        return
    if html.type in (_STRING, _WIDE_STRING):
        content, declared = _text(html, charset, lines=True).encode("utf-8", "replace"), "utf-8"
    else:
        page = message.get(_HTML_CODEPAGE)
        content = bytes(html.value)
        declared = _charset(_LONG.unpack_from(page.value)[0]) if page is not None and len(page.value) >= 4 else ""
    if content.strip():
        yield Part(content_type="text/html", params={"charset": declared} if declared else {}, content=content)


def _text(found: _Property | None, charset: str, *, lines: bool = False) -> str:
    if found is None or found.type not in (_STRING, _WIDE_STRING):
        return ""
    data = bytes(found.value)
    text = data.decode("utf-16-le", "replace") if found.type == _WIDE_STRING else decode(data.rstrip(b"\0"), charset)
    text = text.partition("\0")[0]
    return text if lines else one_line(text)


def _charset(page: int) -> str:
    """A Windows code page's number as a charset's name."""
    name = f"iso-8859-{page - 28590}" if page in _ISO_8859 else _CODEPAGES.get(page, f"cp{page}")
    return name if codec_of(name) else ""


def _attributes(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Each attribute's tag and value, until one is broken."""
    position = _HEAD
    for _ in range(_MAX_ATTRIBUTES):
        if position + _ATTRIBUTE.size > len(data):
            return
        _, tag, length = _ATTRIBUTE.unpack_from(data, position)
        position += _ATTRIBUTE.size
        if position + length > len(data):
            return
        yield tag, data[position : position + length]
        position += length + _SHORT.size  # a checksum: what is broken is read as far as it can be, right or wrong


def _properties(data: memoryview) -> Iterator[_Property]:
    """The properties of a list of them, until one is broken; of one with many values, the first."""
    try:
        (count,) = _LONG.unpack_from(data)
        position = _LONG.size
        for _ in range(min(count, _MAX_PROPERTIES)):
            kind, name = _SHORT.unpack_from(data, position)[0], _SHORT.unpack_from(data, position + 2)[0]
            position = _after_name(data, position + 4) if name >= _NAMED else position + 4
            values = 1
            if kind & _MANY or kind in _VARIABLE:
                (values,) = _LONG.unpack_from(data, position)
                position += _LONG.size
            kind &= ~_MANY
            for number in range(min(values, _MAX_PROPERTIES)):
                start, length = position, _FIXED.get(kind, 0)
                if kind in _VARIABLE:
                    (length,) = _LONG.unpack_from(data, position)
                    start += _LONG.size
                if (not length and kind not in _VARIABLE) or start + length > len(data):
                    return
                if number == 0:
                    yield _Property(name, kind, data[start : start + length])
                position = start + (length + 3) // 4 * 4
    except struct.error:
        return


def _after_name(data: memoryview, position: int) -> int:
    """Where the value of a named property begins: its name is a number or a text, within a set of names."""
    by_text, length = _LONG.unpack_from(data, position + 16)[0], _LONG.unpack_from(data, position + 20)[0]
    return int(position + 24 + ((length + 3) // 4 * 4 if by_text else 0))
