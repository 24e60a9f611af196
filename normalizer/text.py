"""Small helpers for text that strangers wrote, shared by the channels."""

from __future__ import annotations

import re

# What no reader sees and many databases or terminals trip over: controls but tab and newline, and lone surrogates.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f]+")
_SURROGATES = re.compile("[\ud800-\udfff]")
_LINE_END = re.compile("\r\n|[\r\x0b\x0c]")
_SPACES = re.compile(r"\s+")


def tidy(text: str) -> str:
    """Text of several lines: line ends become a newline, control characters go, lone surrogates become U+FFFD."""
    if _UNSAFE.search(text) is None:
        return text
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub("", _LINE_END.sub("\n", text)))


def one_line(text: str) -> str:
    """Text of one line, such as a subject or a name: each run of whitespace is one space, none at the ends."""
    return _SPACES.sub(" ", tidy(text)).strip()


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters; what was cut is shown by an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
