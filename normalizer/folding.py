"""Text as it is searched: letters without case and marks, and the words that it can be found by.

`İSTANBUL`, `ıstanbul` and `istanbul` are one word here, as are `ŞİKÂYET` and `sikayet`: who searches types what the
keyboard at hand has.
"""  # noqa: RUF002 (the letter that this is about)

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

TEXT_LENGTH = 20_000  # characters of a text that are looked at
WORD_LENGTH = 64  # characters of a word that count
WORDS = 500  # of a text
WHOLE = 2  # letters up to which a word is looked for as it is, and not as a beginning too

# Letters that Unicode does not take apart.
_ALIKE = str.maketrans(
    {"\u0131": "i", "ø": "o", "đ": "d", "ł": "l", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ħ": "h"}
)
_PART = re.compile(r"[^\W_]+")
_CHUNK = re.compile(r"[^\W_]+(?:[-._@+]+[^\W_]+)*")  # also an address, or an order's number


class Term(NamedTuple):
    """A word that is looked for; with `begins`, also as the beginning of one."""

    word: str
    begins: bool


def fold(text: str) -> str:
    """The text without case and marks. Each character is folded by itself, so texts fold to what their pieces do."""
    if text.isascii():
        return text.lower()
    bare = _without_marks(text).casefold()
    return _without_marks(bare).translate(_ALIKE)


def tokens(text: str) -> list[str]:
    """The distinct words by which a text is found, in its order.

    What hangs together by `-`, `.`, `_`, `@` or `+` is a word from each of its parts on: `ada@mail.example.com` is also
    `mail.example.com`, `example.com` and `com`. So beginnings of these words are all that anybody would type.
    """
    found: dict[str, None] = {}
    for word in _words(fold(text[:TEXT_LENGTH])):
        found[word] = None
        if len(found) == WORDS:
            break
    return list(found)


def terms(query: str) -> list[Term]:
    """What a query looks for: each word once, the last one always as a beginning, others where they are long enough."""
    words = list(dict.fromkeys(chunk[0][:WORD_LENGTH] for chunk in _CHUNK.finditer(fold(query))))
    return [Term(word, len(word) > WHOLE or place == len(words)) for place, word in enumerate(words, start=1)]


def _words(folded: str) -> Iterator[str]:
    for chunk in _CHUNK.finditer(folded):
        whole = chunk[0]
        if whole.isalnum():
            yield whole[:WORD_LENGTH]
            continue
        for part in _PART.finditer(whole):
            yield whole[part.start() : part.start() + WORD_LENGTH]
            if len(part[0]) <= WHOLE:
                yield part[0]


def _without_marks(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text)
    # A text has few distinct characters, and asking for each of all takes three times as long (measured).
    for mark in [one for one in set(apart) if not one.isascii() and unicodedata.category(one)[0] == "M"]:
        apart = apart.replace(mark, "")
    return apart
