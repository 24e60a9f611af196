"""What pydantic found, in words for the person who wrote the file. No value is quoted unless the caller allows it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import ErrorDetails

from config.shape import Spot

OWN_WORDS = "config"
"""The type of errors whose text is written here, and known to quote nothing."""

_INTEGER = "a whole number"
_NUMBER = "a number"
_TEXT = "text"
_LIST = "a list"
_MAPPING = "a mapping (keys with values)"
_NOUNS: Mapping[str, str] = {
    "int": _INTEGER,
    "float": _NUMBER,
    "decimal": _NUMBER,
    "string": _TEXT,
    "bool": "true or false",
    "list": _LIST,
    "tuple": _LIST,
    "set": _LIST,
    "frozen_set": _LIST,
    "dict": _MAPPING,
    "mapping": _MAPPING,
    "model": _MAPPING,
    "dataclass": _MAPPING,
    "path": "a path",
    "url": "a URL",
    "uuid": "a UUID",
    "date": "a date",
    "datetime": "a date with time",
    "time": "a time of day",
    "time_delta": "a duration",
    "none": "nothing",
    "bytes": _TEXT,
}
_KINDS = {type(None): "nothing", bool: "true or false", int: _INTEGER, float: _NUMBER, str: _TEXT}
_KIND = re.compile(
    rf"({'|'.join(sorted(_NOUNS, key=len, reverse=True))})"
    r"_(type|parsing|parsing_size|from_float|attributes_type|unicode|exact_type|required)"
)
_BOUNDS = {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}
_SIZES = {"string_too_short", "string_too_long", "too_short", "too_long", "bytes_too_short", "bytes_too_long"}
_FREE_TEXT = {"value_error", "assertion_error"}


@dataclass(frozen=True)
class Meaning:
    """What an error says: either `expected`, what should stand there, or `what` and `todo` in full."""

    expected: str = ""
    what: str = ""
    todo: str = ""
    free: bool = False

    @classmethod
    def of(cls, sentence: str, *, free: bool = False) -> Meaning:
        """Takes `what; what to do` apart."""
        what, _, todo = sentence.partition("; ")
        return cls(what=what, todo=todo or "correct it", free=free)


def explain(error: ErrorDetails, spots: Iterable[Spot]) -> Meaning:
    """What one of pydantic's errors means.

    Args:
        error: as `ValidationError.errors()` gives it.
        spots: the types that may stand at its place, for their bounds.

    Returns:
        A meaning; `free` is set where the text is not ours and may quote the value.
    """
    kind, context = error["type"], error.get("ctx", {})
    if kind == OWN_WORDS:
        return Meaning.of(error["msg"])
    if kind in _FREE_TEXT:
        return Meaning.of(str(context["error"]), free=True)
    if kind.startswith("union_tag"):
        what = f"{_quoted(context.get('discriminator', 'its kind'))} is missing or unknown"
        return Meaning(what=what, todo=f"use one of {_quoted(context.get('expected_tags', 'those in the guide'))}")
    if kind in _SIZES:
        return _size(kind, context)
    if expected := _expected(kind, context, spots):
        return Meaning(expected=expected)
    return Meaning.of(error["msg"].replace("Input should", "must").replace("; ", ", "), free=True)


def _expected(kind: str, context: Mapping[str, Any], spots: Iterable[Spot]) -> str | None:
    noun = None
    if kind.startswith("byte_size"):
        return "a size such as 25MiB"
    if kind in {"literal_error", "enum"}:
        return _quoted(context["expected"])
    if kind in _BOUNDS:
        noun = _INTEGER if any(spot.annotation is int for spot in spots) else _NUMBER
    elif match := _KIND.fullmatch(kind):
        noun = _NOUNS[match[1]]
    return noun + bounds(spots) if noun in {_INTEGER, _NUMBER} else noun


def bounds(spots: Iterable[Spot]) -> str:
    """The range that numbers must keep, such as ` from 1 to 65535`."""
    limits = {name: value for spot in spots for entry in spot.metadata for name, value in _limits(entry)}
    low, high = limits.get("ge"), limits.get("le")
    if low is not None and high is not None:
        return f" from {low} to {high}"
    words = {"ge": "of at least", "gt": "above", "le": "of at most", "lt": "below"}
    return "".join(f" {word} {limits[name]}" for name, word in words.items() if name in limits)


def kind_of(value: object) -> str:
    """The kind of a YAML value, for `got …`."""
    return _KINDS.get(type(value), _MAPPING if isinstance(value, Mapping) else _LIST)


def unknown_key(key: object, known: Iterable[str], present: Iterable[str]) -> str:
    """What to do about a key nobody knows.

    Args:
        key: the key.
        known: the keys that could stand in its place.
        present: the keys that stand there already, which were hardly meant.
    """
    names = tuple(dict.fromkeys(known))
    close = closest(str(key), set(names).difference(present)) or closest(str(key), names)
    if close:
        return f'did you mean "{close}"?'
    return f"known here: {', '.join(names)}" if names else "remove it"


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that a mistyped one looks like, or None."""
    return next(iter(difflib.get_close_matches(word.lower(), sorted(known), 1)), None)


def choices(expected: str) -> list[str]:
    """The words that `must be "none", "starttls" or "tls"` names."""
    return re.findall(r'"([^"]*)"', expected)


def _quoted(expected: str) -> str:
    return re.sub(r"'([^']*)'", r'"\1"', expected)


def _limits(entry: object) -> list[tuple[str, Any]]:
    return [(name, value) for name in ("ge", "gt", "le", "lt") if (value := getattr(entry, name, None)) is not None]


def _size(kind: str, context: Mapping[str, Any]) -> Meaning:
    unit = "entries" if kind.startswith("too") else "characters"
    low, high = context.get("min_length"), context.get("max_length")
    if low == 1:
        return Meaning(what="is empty", todo="write something, or leave the key out")
    if low is not None:
        return Meaning(what="is too short", todo=f"give it at least {low} {unit}")
    return Meaning(what="is too long", todo=f"give it at most {high} {unit}")
