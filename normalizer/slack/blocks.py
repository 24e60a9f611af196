"""Slack's blocks (https://docs.slack.dev/reference/block-kit/blocks): read, and rich text written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from normalizer.fields import Fields, number, record, records, text
from normalizer.rich import Growing, Kind, Rich, is_link, linked, stripped
from normalizer.slack.emoji import character
from normalizer.slack.mrkdwn import read as read_mrkdwn

DEPTH = 8
_STYLES: tuple[tuple[str, Kind], ...] = (("bold", "bold"), ("italic", "italic"), ("strike", "strike"), ("code", "code"))
_MARKS: Mapping[Kind, str] = {"bold": "bold", "italic": "italic", "strike": "strike", "code": "code"}


class _Reader(Growing):
    def __init__(self, names: Mapping[str, str]) -> None:
        super().__init__()
        self._names = names

    def block(self, block: Fields) -> None:
        match text(block, "type"):
            case "rich_text":
                for element in records(block, "elements"):
                    self._container(element, DEPTH)
            case "markdown":  # made to be read as it is typed, with its links
                self.add(text(block, "text"))
            case "image" | "video":
                self.add(text(block, "alt_text") or text(record(block, "title"), "text"))
            case _:
                beside = (record(block, "text"), record(block, "accessory"))
                for one in (*beside, *records(block, "fields"), *records(block, "elements")):
                    self._words(one)

    def _words(self, element: Fields) -> None:
        """A text, or a button that leads somewhere: what stands on it."""
        kind, url = text(element, "type"), text(element, "url")
        if kind == "mrkdwn":
            found = read_mrkdwn(text(element, "text"), self._names)
        elif kind == "plain_text":
            found = Rich(text(element, "text"))
        elif kind == "button" and is_link(url):
            found = linked(text(record(element, "text"), "text"), url)
        else:
            return
        if found.text and self.length:
            self.add(" ")
        self.append(found)

    def _container(self, element: Fields, depth: int) -> None:
        start = self.length
        match text(element, "type"):
            case "rich_text_section":
                self._inline(records(element, "elements"))
            case "rich_text_preformatted":
                self._inline(records(element, "elements"))
                self.span(start, "pre")
                self.add("\n")
            case "rich_text_quote":
                self._inline(records(element, "elements"))
                self.span(start, "quote")
                self.add("\n")
            case "rich_text_list" if depth:
                self._list(element, depth)

    def _list(self, element: Fields, depth: int) -> None:
        indent = "  " * min(number(element, "indent") or 0, DEPTH)
        first = (number(element, "offset") or 0) + 1
        self.begin_line()
        for position, item in enumerate(records(element, "elements"), start=first):
            self.add(indent + (f"{position}. " if text(element, "style") == "ordered" else "• "))
            self._container(item, depth - 1)
            self.begin_line()

    def _inline(self, elements: Sequence[Fields]) -> None:
        for element in elements:
            start = self.length
            self.add(self._shown(element))
            style = record(element, "style")
            for name, kind in _STYLES:
                if style.get(name) is True:
                    self.span(start, kind)
            url = text(element, "url")
            if text(element, "type") == "link" and is_link(url) and text(element, "text") not in ("", url):
                self.span(start, "link", url)

    def _shown(self, element: Fields) -> str:
        kind = text(element, "type")
        shown = {
            "link": text(element, "text") or text(element, "url"),
            "user": f"@{self._named(text(element, 'user_id'))}",
            "channel": f"#{self._named(text(element, 'channel_id'))}",
            "usergroup": f"@{text(element, 'usergroup_id')}",
            "broadcast": f"@{text(element, 'range')}",
            "date": text(element, "fallback"),
        }
        if kind == "emoji":
            return _emoji(element)
        return shown.get(kind) or text(element, "text") or text(element, "value")

    def _named(self, id_: str) -> str:
        return self._names.get(id_, id_)


def _emoji(element: Fields) -> str:
    """By its code points where Slack tells them, else by its name."""
    try:
        return "".join(chr(int(code, 16)) for code in text(element, "unicode").split("-"))
    except (ValueError, OverflowError):
        return character(text(element, "name"))


def read(block: Fields, names: Mapping[str, str]) -> Rich:
    """What a block says: one of Slack's own editor, or of a program."""
    reader = _Reader(names)
    reader.block(block)
    return stripped(reader.rich())


def write(rich: Rich) -> list[dict[str, Any]]:
    """The text as blocks: exact, where marks between letters would not be read."""
    elements: list[dict[str, Any]] = []
    for start, end, container in _runs(rich):
        inline = list(_inline(rich, start, end))
        if inline:
            elements.append({"type": container, "elements": inline})
    return [{"type": "rich_text", "elements": elements}] if elements else []


def _runs(rich: Rich) -> Iterator[tuple[int, int, str]]:
    """The text from container to container: code and quotes have one of their own."""
    at = 0
    for span in sorted((one for one in rich.spans if one.kind in ("pre", "quote")), key=lambda one: one.start):
        if span.start < at:
            continue
        yield at, span.start, "rich_text_section"
        yield span.start, span.end, "rich_text_preformatted" if span.kind == "pre" else "rich_text_quote"
        at = span.end
    yield at, len(rich.text), "rich_text_section"


def _inline(rich: Rich, start: int, end: int) -> Iterator[dict[str, Any]]:
    inside = [one for one in rich.spans if one.start < end and one.end > start and one.kind not in ("pre", "quote")]
    edges = sorted({start, end, *(edge for one in inside for edge in (one.start, one.end) if start < edge < end)})
    for here, there in pairwise(edges):
        over = [one for one in inside if one.start <= here and one.end >= there]
        style = {_MARKS[one.kind]: True for one in over if one.kind in _MARKS}
        link = next((one.value for one in over if one.kind == "link"), "")
        element: dict[str, Any] = {"type": "link", "url": link} if link else {"type": "text"}
        element["text"] = rich.text[here:there]
        yield {**element, **({"style": style} if style else {})}
