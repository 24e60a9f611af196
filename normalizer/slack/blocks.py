"""Slack's blocks (https://docs.slack.dev/reference/block-kit/blocks): read, and rich text written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from normalizer.fields import Fields, moment, number, record, records, text
from normalizer.rich import Growing, Kind, Rich, is_link, linked, stripped
from normalizer.slack.emoji import character, replaced
from normalizer.slack.mrkdwn import read as read_mrkdwn

DEPTH = 8
ROWS = 200
CELL = " | "
# All that can stand in a message. What is read of most: their texts, and the buttons that lead somewhere.
KNOWN = frozenset(
    (
        *("actions", "alert", "auth_provider", "call", "card", "carousel", "container", "context", "context_actions"),
        *("data_table", "divider", "file", "header", "image", "input", "markdown", "plan", "rich_text", "section"),
        *("table", "task_card", "video"),
    )
)
_TEXTS = ("title", "rich_text_title", "subtitle", "text", "body", "details", "output", "accessory")
_INLINE = ("fields", "elements", "actions")
_NESTED = ("elements", "child_blocks", "tasks")
_STYLES: tuple[tuple[str, Kind], ...] = (("bold", "bold"), ("italic", "italic"), ("strike", "strike"), ("code", "code"))
_MARKS: Mapping[Kind, str] = {"bold": "bold", "italic": "italic", "strike": "strike", "code": "code"}


class _Reader(Growing):
    def __init__(self, names: Mapping[str, str]) -> None:
        super().__init__()
        self._names = names

    def block(self, block: Fields, depth: int = DEPTH) -> None:
        match text(block, "type"):
            case "rich_text":
                for element in records(block, "elements"):
                    self._container(element, DEPTH)
            case "markdown":  # made to be read as it is typed, with its links
                self.add(text(block, "text"))
            case "image" | "video":
                self.add(text(block, "alt_text") or text(record(block, "title"), "text"))
            case "table" | "data_table":
                self._table(block)
            case "carousel" | "container" | "plan" if depth:
                self._heading(block)
                for one in (one for name in _NESTED for one in records(block, name)):
                    self.begin_line()
                    self.block(one, depth - 1)
            case _:
                self._heading(block)
                for one in (one for name in _INLINE for one in records(block, name)):
                    self._words(one)

    def _heading(self, block: Fields) -> None:
        self.add(text(block, "title"))  # of a plan and its tasks it is bare
        for name in _TEXTS:
            self._words(record(block, name))

    def _table(self, block: Fields) -> None:
        self.add(text(block, "caption"))
        rows = block.get("rows")
        for row in rows[:ROWS] if isinstance(rows, list) else ():
            self.begin_line()
            for position, cell in enumerate(records({"cells": row}, "cells")):
                self.add(CELL if position else "")
                self.append(self._cell(cell))

    def _cell(self, cell: Fields) -> Rich:
        return read(cell, self._names) if text(cell, "type") == "rich_text" else Rich(text(cell, "text"))

    def _words(self, element: Fields) -> None:
        """A text, or a button that leads somewhere: what stands on it."""
        kind, url = text(element, "type"), text(element, "url")
        if kind == "mrkdwn":
            found = read_mrkdwn(text(element, "text"), self._names)
        elif kind == "plain_text":
            told = text(element, "text")
            found = Rich(told if element.get("emoji") is False else replaced(told))
        elif kind == "rich_text":
            found = read(element, self._names)
        elif kind == "button" and is_link(url):
            found = linked(replaced(text(record(element, "text"), "text")), url)
        else:
            return
        if found.text and self._pieces and not self._pieces[-1].endswith("\n"):
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
            "usergroup": f"@{self._named(text(element, 'usergroup_id'))}",
            "broadcast": f"@{text(element, 'range')}",
            "date": text(element, "fallback") or _date(element),
        }
        if kind == "emoji":
            return _emoji(element)
        return shown.get(kind) or text(element, "text") or text(element, "value")

    def _named(self, id_: str) -> str:
        return self._names.get(id_, id_)


def _date(element: Fields) -> str:
    at = moment(number(element, "timestamp"))
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else ""


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
