"""Where in a text the words of a search stand: the piece around the first, with the places to mark."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from normalizer.folding import TEXT_LENGTH, Term, fold

LENGTH = 160
BEFORE = 40  # characters of it before the first word
MARKED = 20  # places at the most


class Excerpt(Struct, frozen=True, kw_only=True):
    """A piece of a text on one line; `ranges` are the begin and the end of each word found, in UTF-16 code units."""

    text: str
    ranges: tuple[tuple[int, int], ...]


class Finder:
    """Looks for words in texts."""

    def __init__(self, terms: Sequence[Term]) -> None:
        longest = sorted(terms, key=lambda term: len(term.word), reverse=True)
        words = (re.escape(word) + ("" if begins else r"(?![^\W_])") for word, begins in longest)
        self._pattern = re.compile(r"(?<![^\W_])(?:" + "|".join(f"({word})" for word in words) + ")")

    def best(self, texts: Sequence[str]) -> Excerpt | None:
        """Of the text that has most of the words, the first of several; None where none has any."""
        most, found = 0, None
        for text in texts:
            looked_at = text[:TEXT_LENGTH]
            folded, places = _folded(looked_at)
            hits = list(self._pattern.finditer(folded))
            if len(distinct := {hit.lastindex for hit in hits}) > most:
                most, found = len(distinct), (looked_at, places, hits[:MARKED])
        return _cut(*found) if found else None


def _folded(text: str) -> tuple[str, Sequence[int]]:
    """The text folded, and for each of its characters and its end the place in the text that it comes from."""
    if text.isascii():
        return fold(text), range(len(text) + 1)
    letters = {one: fold(one) for one in set(text)}
    places = [place for place, one in enumerate(text) for _ in letters[one]]
    return "".join([letters[one] for one in text]), [*places, len(text)]


def _cut(text: str, places: Sequence[int], hits: Sequence[re.Match[str]]) -> Excerpt:
    # Up to where the next letter comes from: what is between are marks, which fold to nothing.
    marked = [(places[hit.start()], max(places[hit.end() - 1] + 1, places[hit.end()])) for hit in hits]
    first = marked[0][0]
    begin = 0 if first <= BEFORE else _after_space(text, first - BEFORE, first)
    end = min(len(text), begin + LENGTH)
    head, tail = "…" if begin else "", "…" if end < len(text) else ""
    ranges: list[tuple[int, int]] = []
    shown_to = begin
    for start, stop in marked:
        if shown_to <= start and stop <= end:  # two words may come from one character, such as ¼
            moved = len(head) + _units(text[begin:start])
            ranges.append((moved, moved + _units(text[start:stop])))
            shown_to = stop
    return Excerpt(text=head + re.sub(r"\s", " ", text[begin:end]) + tail, ranges=tuple(ranges))


def _after_space(text: str, begin: int, end: int) -> int:
    """The first place after a space between these, else the first of them."""
    space = re.compile(r"\s").search(text, begin, end)
    return space.end() if space else begin


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
