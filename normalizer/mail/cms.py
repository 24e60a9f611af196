"""Looking into S/MIME's envelope (CMS, RFC 5652): what it is, and what was signed in it.

No signature is checked here and nothing is decrypted; the libraries that do that give out no content. It is written in
BER, of which programs use more than DER allows: lengths that are not told, and strings in pieces.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

Kind = Literal["signed", "encrypted", "compressed"]

_KINDS: dict[bytes, Kind] = {
    bytes.fromhex("2a864886f70d010702"): "signed",  # 1.2.840.113549.1.7.2
    bytes.fromhex("2a864886f70d010703"): "encrypted",
    bytes.fromhex("2a864886f70d0109100117"): "encrypted",  # authEnvelopedData, RFC 5083
    bytes.fromhex("2a864886f70d0109100109"): "compressed",  # RFC 3274
}
_IDENTIFIER, _STRING, _PIECES, _SEQUENCE, _CONTENT = 0x06, 0x04, 0x24, 0x30, 0xA0
_MAX_VALUES = 10_000  # looked at in one envelope
_MAX_LEVELS = 16


class _Value(Struct, frozen=True):
    """A value of BER: its tag, and where its content begins and ends (None: where two zeros say so)."""

    tag: int
    start: int
    end: int | None


class _BrokenError(ValueError):
    """It is no BER, or more of it than an envelope needs."""


def kind(data: bytes) -> Kind | None:
    """What the envelope holds; None for what is none."""
    return _KINDS.get(_Reader(data).content_type())


def signed_content(data: bytes) -> bytes | None:
    """The MIME entity that was signed; None where there is none inside."""
    return _Reader(data).signed_content()


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = _MAX_VALUES

    def content_type(self) -> bytes:
        try:
            return self._bytes(self._typed(self._value(0))[0])
        except _BrokenError:
            return b""

    def signed_content(self) -> bytes | None:
        """`SignedData` is its version, the digests' names, and then what was signed, under its type."""
        try:
            name, content = self._typed(self._value(0))
            if _KINDS.get(self._bytes(name)) != "signed" or content is None:
                return None
            fields = self._inside(self._wanted(next(self._inside(content), None), _SEQUENCE))
            next(fields, None), next(fields, None)
            wrapped = self._typed(self._wanted(next(fields, None), _SEQUENCE))[1]
            text = next(self._inside(wrapped), None) if wrapped is not None else None
            return b"".join(self._pieces(text, 0)) if text is not None else None
        except _BrokenError:
            return None

    def _typed(self, sequence: _Value) -> tuple[_Value, _Value | None]:
        """A `SEQUENCE` of a type's name and, tagged [0], its content, which may be missing."""
        values = self._inside(self._wanted(sequence, _SEQUENCE))
        name = self._wanted(next(values, None), _IDENTIFIER)
        content = next(values, None)
        return name, self._wanted(content, _CONTENT) if content is not None else None

    def _wanted(self, value: _Value | None, tag: int) -> _Value:
        if value is None or value.tag != tag:
            raise _BrokenError
        return value

    def _pieces(self, value: _Value, level: int) -> Iterator[bytes]:
        if value.tag == _STRING:
            yield self._bytes(value)
        elif value.tag == _PIECES and level < _MAX_LEVELS:
            for piece in self._inside(value):
                yield from self._pieces(piece, level + 1)
        else:
            raise _BrokenError

    def _bytes(self, value: _Value) -> bytes:
        if value.end is None:
            raise _BrokenError
        return self._data[value.start : value.end]

    def _inside(self, outer: _Value) -> Iterator[_Value]:
        position = outer.start
        while position != outer.end and position < len(self._data):
            if outer.end is None and self._data.startswith(b"\0\0", position):
                return
            value = self._value(position)
            yield value
            position = self._after(value, 0)

    def _after(self, value: _Value, level: int) -> int:
        """Where the next value begins."""
        if value.end is not None:
            return value.end
        if level > _MAX_LEVELS:
            raise _BrokenError
        position = value.start
        while not self._data.startswith(b"\0\0", position):
            position = self._after(self._value(position), level + 1)
        return position + 2

    def _value(self, position: int) -> _Value:
        self._left -= 1
        if self._left < 0 or position + 2 > len(self._data) or self._data[position] & 0x1F == 0x1F:
            raise _BrokenError
        tag, length = self._data[position], self._data[position + 1]
        start = position + 2
        if length == 0x80:
            return _Value(tag, start, None)
        if length > 0x80:
            octets = self._data[start : start + length - 0x80]
            start += length - 0x80
            length = int.from_bytes(octets)
        if start + length > len(self._data):
            raise _BrokenError
        return _Value(tag, start, start + length)
