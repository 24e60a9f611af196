"""Telegram's formatting: entities over UTF-16 code units (https://core.telegram.org/api/entities)."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from itertools import accumulate

from normalizer.fields import Fields, number, text
from normalizer.rich import Kind, Rich, Span, is_link, write

MOST = 1000  # entities of one text that are looked at; Telegram itself allows 100

_KINDS: dict[str, Kind] = {
    "bold": "bold",
    "italic": "italic",
    "underline": "underline",
    "strikethrough": "strike",
    "spoiler": "spoiler",
    "code": "code",
    "pre": "pre",
    "blockquote": "quote",
    "expandable_blockquote": "quote",
    "text_link": "link",
}
_TAGS: dict[Kind, str] = {"spoiler": "tg-spoiler", "strike": "s", "quote": "blockquote"}


def read(content: str, entities: Sequence[Fields]) -> Rich:
    """The text with its formatting. Entities that only say what stands there (a hashtag, an address) have no look."""
    if not entities:
        return Rich(content)
    places = _places(content)
    return Rich(content, tuple(_spans(entities[:MOST], places, len(content))))


def _places(content: str) -> list[int] | None:
    """The index of each UTF-16 unit's code point, and of the end; None where they are the same."""
    if content.isascii() or max(content) <= "\uffff":
        return None
    starts = accumulate((2 if char > "\uffff" else 1 for char in content), initial=0)
    places: list[int] = []
    for index, start in enumerate(starts):
        places += [index] * (start + 1 - len(places))
    return places


def _place(unit: int, places: list[int] | None, longest: int) -> int:
    return min(unit, longest) if places is None else places[min(unit, len(places) - 1)]


def _spans(entities: Sequence[Fields], places: list[int] | None, longest: int) -> Iterator[Span]:
    for entity in entities:
        kind = _KINDS.get(text(entity, "type"))
        offset, length = number(entity, "offset"), number(entity, "length")
        if kind is None or offset is None or length is None or offset < 0 or length <= 0:
            continue
        start, end = (_place(unit, places, longest) for unit in (offset, offset + length))
        url = text(entity, "url")
        if start < end and (kind != "link" or is_link(url)):
            yield Span(start, end, kind, url)


def to_markup(rich: Rich) -> str:
    """HTML as Telegram reads it (https://core.telegram.org/bots/api#html-style)."""

    def mark(span: Span) -> tuple[str, str]:
        if span.kind == "link":
            return f'<a href="{html.escape(span.value)}">', "</a>"
        tag = _TAGS.get(span.kind) or {"bold": "b", "italic": "i", "underline": "u"}.get(span.kind, span.kind)
        return f"<{tag}>", f"</{tag}>"

    return write(rich, mark, lambda plain: html.escape(plain, quote=False))
