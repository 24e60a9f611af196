"""Telegram's HTML as the stand-in of its API reads it (https://core.telegram.org/bots/api#html-style)."""

from __future__ import annotations

from collections.abc import Sequence
from html.parser import HTMLParser

from connectors.testing.server import RefusedCallError

_TAGS = frozenset(
    ("a", "b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "code", "pre", "blockquote", "tg-spoiler", "span")
)


def plain(markup: str) -> str:
    """The text without its marks.

    Raises:
        RefusedCallError: Telegram would not read it.
    """
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    """Reads what Telegram reads, and refuses what it refuses."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._out: list[str] = []
        self._open: list[str] = []

    def text(self) -> str:
        if self._open:
            raise RefusedCallError(f"Bad Request: can't parse entities: can't find end tag of {self._open[-1]}")
        return "".join(self._out)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:  # noqa: ARG002 (not looked at)
        if tag not in _TAGS:
            raise RefusedCallError(f'Bad Request: can\'t parse entities: unsupported start tag "{tag}"')
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            raise RefusedCallError("Bad Request: can't parse entities: unmatched end tag")

    def handle_data(self, data: str) -> None:
        self._out.append(data)
