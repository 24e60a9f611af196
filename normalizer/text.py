"""Small helpers for text that strangers wrote, shared by the channels."""

from __future__ import annotations

import re

# What no reader sees, and many a database or terminal trips over: controls but tab and newline.
_CONTROLS = bytes({*range(0x20), 0x7F} - {0x09, 0x0A})
_REMOVED = re.compile("[\x00-\x08\x0e-\x1f\x7f]+")
_LINE_END = re.compile("\r\n|[\r\x0b\x0c]")


def tidy(text: str) -> str:
    """Text of several lines: line ends become a newline, control characters go, lone surrogates become U+FFFD."""
    try:
        data = text.encode()
    except UnicodeEncodeError:
        data = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
        text = data.decode()
    # Nearly no text needs more than this look, which costs a quarter of a search by pattern.
    if len(data.translate(None, _CONTROLS)) == len(data):
        return text
    return _REMOVED.sub("", _LINE_END.sub("\n", text))


def one_line(text: str) -> str:
    """Text of one line, such as a subject or a name: each run of whitespace is one space, none at the ends."""
    return " ".join(tidy(text).split())


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters; what was cut is shown by an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
