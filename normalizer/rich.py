"""Formatted text between the platforms' notations and ours: plain text, and spans over it.

Telegram writes entities, Slack mrkdwn and blocks, agents HTML. Each is read into `Rich` and written from it, so that no
platform has to know another's notation. Spans count code points; they may cross one another.
"""

# ruff: noqa: SIM905  (a list of words is read best as prose)

from __future__ import annotations

import html as entities
from collections.abc import Callable, Iterator, Sequence
from html.parser import HTMLParser
from typing import Literal
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from normalizer.html import TooComplexError, check, to_text

Kind = Literal["bold", "italic", "underline", "strike", "spoiler", "code", "pre", "quote", "link"]

LINK_SCHEMES = ("http", "https", "mailto", "tel")
TAGS: dict[Kind, str] = {
    "bold": "b",
    "italic": "i",
    "underline": "u",
    "strike": "s",
    "spoiler": "span",
    "code": "code",
    "pre": "pre",
    "quote": "blockquote",
}
_ORDER: tuple[Kind, ...] = ("quote", "pre", "link", "bold", "italic", "underline", "strike", "spoiler", "code")


class Span(Struct, frozen=True):
    """A part of a text, from `start` to before `end`, and how it looks; `value` is where a link leads."""

    start: int
    end: int
    kind: Kind
    value: str = ""


class Rich(Struct, frozen=True):
    """A text and its spans."""

    text: str
    spans: tuple[Span, ...] = ()


class Growing:
    """A text that grows, with its spans."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.length = 0
        self._pieces: list[str] = []
        self._spans: list[Span] = []

    def rich(self) -> Rich:
        """What there is of it."""
        return Rich("".join(self._pieces), tuple(self._spans))

    def add(self, text: str) -> None:
        """Goes on with `text`."""
        if text:
            self._pieces.append(text)
            self.length += len(text)

    def append(self, rich: Rich) -> None:
        """Goes on with a text that has spans of its own."""
        at = self.length
        self._spans += (replace(one, start=one.start + at, end=one.end + at) for one in rich.spans)
        self.add(rich.text)

    def span(self, start: int, kind: Kind, value: str = "") -> None:
        """All from `start` on looks like that."""
        if self.length > start:
            self._spans.append(Span(start, self.length, kind, value))

    def begin_line(self) -> None:
        """Goes on in a line of its own."""
        if self._pieces and not self._pieces[-1].endswith("\n"):
            self.add("\n")


Mark = Callable[[Span], tuple[str, str]]
"""What opens and what closes a span in some notation."""


def write(rich: Rich, mark: Mark, escape: Callable[[str], str]) -> str:
    """The text in a notation of nested marks: spans that cross are closed and opened again."""
    spans = sorted(rich.spans, key=lambda one: (one.start, -one.end, _ORDER.index(one.kind)))
    edges = sorted({0, len(rich.text), *(edge for one in spans for edge in (one.start, one.end))})
    out: list[str] = []
    opened: list[Span] = []
    waiting = iter(spans)
    coming = next(waiting, None)
    for here, there in zip(edges, [*edges[1:], edges[-1]], strict=True):
        ending = next((level for level, one in enumerate(opened) if one.end <= here), len(opened))
        again = [one for one in opened[ending:] if one.end > here]
        out += [mark(one)[1] for one in reversed(opened[ending:])]
        del opened[ending:]
        while coming is not None and coming.start <= here:
            if coming.end > here:
                again.append(coming)
            coming = next(waiting, None)
        for one in again:
            out.append(mark(one)[0])
            opened.append(one)
        out.append(escape(rich.text[here:there]))
    return "".join(out)


def to_html(rich: Rich) -> str:
    """HTML with nothing in it but text, line breaks and our own tags."""

    def mark(span: Span) -> tuple[str, str]:
        if span.kind == "link":
            return f'<a href="{entities.escape(span.value)}" rel="noopener noreferrer nofollow">', "</a>"
        return f"<{TAGS[span.kind]}>", f"</{TAGS[span.kind]}>"

    return write(rich, mark, lambda text: entities.escape(text, quote=False).replace("\n", "<br>"))


def is_link(url: str) -> bool:
    """Whether a link leads where an agent may safely follow."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in LINK_SCHEMES and bool(parts.netloc or parts.path)


def linked(text: str, url: str) -> Rich:
    """A text that leads somewhere, if an agent may follow there."""
    return Rich(text, (Span(0, len(text), "link", url),) if text and is_link(url) else ())


def from_html(html: str) -> Rich:
    """The text of HTML as a reader sees it, with what can be kept of its look.

    Over the bounds of `normalizer.html`, the text alone.
    """
    try:
        check(html)
    except TooComplexError:
        return Rich(to_text(html))
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return stripped(reader.rich())


def stripped(rich: Rich) -> Rich:
    """Without the blank lines before and after."""
    begins = len(rich.text) - len(rich.text.lstrip("\n "))
    return part(rich, begins, max(begins, len(rich.text.rstrip())))


def part(rich: Rich, start: int, end: int) -> Rich:
    """The text from `start` to before `end`, with its own share of each span."""
    spans = (
        replace(one, start=max(one.start, start) - start, end=min(one.end, end) - start)
        for one in rich.spans
        if one.start < end and one.end > start
    )
    return Rich(rich.text[start:end], tuple(spans))


def utf16(text: str) -> int:
    """The length in UTF-16 code units, in which Telegram counts."""
    return len(text) + sum(1 for char in text if char > "\uffff")


def split(rich: Rich, limit: int, measure: Callable[[str], int] = len) -> Iterator[Rich]:
    """Pieces of at most `limit`, each whole in itself.

    A cut is made after a line where one ends in the second half of a piece, else after a word, and not inside a span
    that fits into a piece by itself.
    """
    start = 0
    while start < len(rich.text):
        end = _reach(rich.text, start, limit, measure)
        if end < len(rich.text):
            end = _cut(rich, start, end)
        yield part(rich, start, end)
        start = end


def _reach(text: str, start: int, limit: int, measure: Callable[[str], int]) -> int:
    """The farthest end of a piece from `start` that is within the limit; at least one character is taken."""
    end = min(len(text), start + limit)
    while end > start + 1 and (over := measure(text[start:end]) - limit) > 0:
        end = max(start + 1, end - (over + 1) // 2)
    return end


def _cut(rich: Rich, start: int, end: int) -> int:
    middle = start + (end - start) // 2
    newline = rich.text.rfind("\n", middle, end)
    blank = rich.text.rfind(" ", middle, end)
    at = newline + 1 if newline >= 0 else blank + 1 if blank >= 0 else end
    broken = [one.start for one in rich.spans if one.start < at < one.end and one.end - one.start < end - start]
    return min(broken) if broken and min(broken) > start else at


class _Reader(HTMLParser):
    """Reads sanitized HTML. What does not look like text (tables, rules) becomes lines of it."""

    _KINDS: dict[str, Kind] = {  # noqa: RUF012 (a constant)
        "b": "bold",
        "strong": "bold",
        "i": "italic",
        "em": "italic",
        "u": "underline",
        "ins": "underline",
        "s": "strike",
        "strike": "strike",
        "del": "strike",
        "code": "code",
        "kbd": "code",
        "samp": "code",
        "tt": "code",
        "pre": "pre",
        "blockquote": "quote",
        "a": "link",
        **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "bold"),
    }
    _BLOCKS = frozenset(
        "address article aside blockquote center dd details div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 "
        "header hr main nav ol pre section summary table tr ul".split()
    )

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._out: list[str] = []
        self._length = 0
        self._open: list[tuple[str, int, Kind | None, str]] = []
        self._spans: list[Span] = []
        self._pre = 0
        self._lists: list[int] = []  # the number of the next item; below zero where items have none

    def rich(self) -> Rich:
        for tag, *_ in reversed(self._open):
            self.handle_endtag(tag)
        return Rich("".join(self._out), tuple(self._spans))

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "br":
            self._write("\n")
        elif tag == "p":
            self._blank_line()
        elif tag in self._BLOCKS:
            self._new_line()
        if tag == "img":
            self._write(given.get("alt") or "")
        elif tag in ("td", "th") and not self._at_line_start():
            self._write("\t")
        elif tag in ("ol", "ul"):
            self._lists.append(1 if tag == "ol" else -1)
        elif tag == "li":
            self._item()
        if tag in ("br", "hr", "img", "wbr", "col"):
            return
        self._pre += tag == "pre"
        kind = self._KINDS.get(tag)
        href = given.get("href") or ""
        if kind == "link" and not is_link(href):
            kind = None
        self._open.append((tag, self._length, kind, href if kind == "link" else ""))

    def handle_endtag(self, tag: str) -> None:
        level = next((level for level in range(len(self._open) - 1, -1, -1) if self._open[level][0] == tag), None)
        if level is None:
            return
        for name, start, kind, value in reversed(self._open[level:]):
            self._pre -= name == "pre"
            if kind is not None and self._length > start:
                self._spans.append(Span(start, self._length, kind, value))
        del self._open[level:]
        if tag in ("ol", "ul") and self._lists:
            self._lists.pop()
        if tag == "p":
            self._blank_line()
        elif tag in self._BLOCKS or tag == "li":
            self._new_line()

    def handle_data(self, data: str) -> None:
        if not self._pre:
            led, trailed = data[:1].isspace(), data[-1:].isspace()
            words = " ".join(data.split())
            begins_line = self._at_line_start() or self._out[-1].endswith((" ", "\t"))
            data = (" " if led and not begins_line and (words or not trailed) else "") + words
            data += " " if trailed and (words or not begins_line) else ""
        self._write(data)

    def _item(self) -> None:
        self._new_line()
        number = self._lists[-1] if self._lists else -1
        self._write(f"{number}. " if number > 0 else "• ")
        if number > 0:
            self._lists[-1] += 1

    def _at_line_start(self) -> bool:
        return not self._out or self._out[-1].endswith("\n")

    def _new_line(self) -> None:
        if not self._at_line_start():
            self._write("\n")

    def _blank_line(self) -> None:
        self._new_line()
        if self._out and not "".join(self._out[-2:]).endswith("\n\n"):
            self._write("\n")

    def _write(self, text: str) -> None:
        if text:
            self._out.append(text)
            self._length += len(text)
