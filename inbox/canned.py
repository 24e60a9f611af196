"""What stands in canned replies for what is known only where they are used: `{{customer.name}}`."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Mapping

VARIABLES: Mapping[str, str] = {
    "agent.name": "the name of who answers",
    "conversation.subject": "the subject of the conversation",
    "customer.name": "the name of the customer",
    "inbox.name": "the name of the inbox, as the configuration has it",
}
LONGEST = 1_000  # characters of a value: strangers give themselves names

_VARIABLE = re.compile(r"\{\{([^{}]*)\}\}")
_BLANKS = " \t"
_END = "\0"
_CLOSING = frozenset(f"\r\n,.;:!?)]{_END}")  # before these stands no blank that was there for a word's sake


def to_shortcut(typed: str) -> str:
    """A shortcut as it is kept: `/İade` and `/iade` are the same."""
    return unicodedata.normalize("NFC", typed.strip().replace("İ", "i").lower())


def unknown_variables(template: str) -> list[str]:
    """What stands in double braces and is no variable, each once, as it is written."""
    found = (match for match in _VARIABLE.finditer(template) if match[1].strip() not in VARIABLES)
    return list(dict.fromkeys(match[0] for match in found))


def fill(template: str, values: Mapping[str, str | None], *, markup: bool = False) -> str:
    """The text with its variables filled; one that is empty takes the blank with it that parted it from its neighbours.

    Args:
        template: without unknown variables.
        values: by variable.
        markup: the text is HTML, so what the values hold is escaped.
    """
    done, *rest = _VARIABLE.split(f"{template}{_END}")
    for name, after in zip(rest[::2], rest[1::2], strict=True):
        if value := _one_line(values[name.strip()]):
            done += (html.escape(value) if markup else value) + after
        else:
            done = _without_word(done, after)
    return done.removesuffix(_END)


def _without_word(before: str, after: str) -> str:
    """Both put together where a word between them is missing."""
    if not before or before[-1] in _BLANKS or before[-1] == "\n":
        after = after.lstrip(_BLANKS)
    if after[:1] in _CLOSING:
        before = before.rstrip(_BLANKS)
    return before + after


def _one_line(value: str | None) -> str:
    return " ".join((value or "")[:LONGEST].split())
