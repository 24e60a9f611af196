"""Writes `winmail.dat` as Outlook does ([MS-OXTNEF]): what the tests need of it."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

TITLE, DATA, BEGINS, OF_FILE, OF_MESSAGE, CODEPAGE = 0x18010, 0x6800F, 0x69002, 0x69005, 0x69003, 0x69007
STRING, WIDE, BINARY, OBJECT = 0x1E, 0x1F, 0x102, 0xD
IN_A_MESSAGE = bytes.fromhex("0703020000000000c000000000000046")


@dataclass(frozen=True)
class File:
    """A file of the envelope; one whose content is an envelope itself is a message in the message."""

    name: str
    content: bytes
    content_id: str = ""
    message: bool = False


def attribute(level: int, tag: int, data: bytes) -> bytes:
    return struct.pack("<BII", level, tag, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def prop(kind: int, name: int, value: bytes) -> bytes:
    return struct.pack("<HHII", kind, name, 1, len(value)) + value + b"\0" * (-len(value) % 4)


def number(name: int, value: int) -> bytes:
    return struct.pack("<HHI", 3, name, value)


def named(value: int) -> bytes:
    """A property with a name of its own, before which nothing may be lost."""
    title = "keyword".encode("utf-16-le") + b"\0\0"
    return struct.pack("<HH16sII", 3, 0x8001, b"\1" * 16, 1, len(title)) + title + struct.pack("<I", value)


def properties(*written: bytes) -> bytes:
    return struct.pack("<I", len(written)) + b"".join(written)


def wide(text: str) -> bytes:
    return text.encode("utf-16-le") + b"\0\0"


def envelope(*, codepage: int = 1252, text: str = "", html: str = "", files: Iterable[File] = ()) -> bytes:
    charset = f"cp{codepage}"
    told = [named(7), number(0x3FDE, 65001)]
    told += [prop(WIDE, 0x1000, wide(text))] if text else []
    told += [prop(BINARY, 0x1013, html.encode())] if html else []
    written = [
        struct.pack("<IH", 0x223E9F78, 1),
        attribute(1, CODEPAGE, struct.pack("<II", codepage, 0)),
        attribute(1, OF_MESSAGE, properties(*told)),
    ]
    for file in files:
        about = [prop(STRING, 0x3707, file.name.encode(charset) + b"\0")]
        about += [prop(WIDE, 0x3712, wide(file.content_id))] if file.content_id else []
        about += [prop(OBJECT, 0x3701, IN_A_MESSAGE + file.content)] if file.message else []
        written += [attribute(2, BEGINS, b"\1\0" + b"\0" * 12), attribute(2, TITLE, b"SHORT~1.PDF\0")]
        written += [] if file.message else [attribute(2, DATA, file.content)]
        written.append(attribute(2, OF_FILE, properties(*about)))
    return b"".join(written)
