"""Reading JSON that a stranger wrote: a field of another type than the platform's documents say is as if absent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from normalizer.codec import to_milliseconds

Fields = Mapping[str, Any]

NOTHING: Fields = {}

_decode = msgspec.json.Decoder().decode


def parse(body: bytes) -> Fields | None:
    """The JSON object in `body`, or None where there is none: truncated, nested too deep, or another value."""
    try:
        value = _any(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _any(body: bytes) -> Any:  # noqa: ANN401 (any JSON value)
    try:
        return _decode(body)
    except (msgspec.DecodeError, RecursionError):
        # Three times as slow, but it takes what is hardly JSON: lone surrogates, integers of any size, NaN, UTF-16.
        return json.loads(body)


def record(fields: Fields, name: str) -> Fields:
    """An object, empty where there is none."""
    value = fields.get(name)
    return value if isinstance(value, dict) else NOTHING


def records(fields: Fields, name: str) -> list[Fields]:
    """The objects of a list."""
    value = fields.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def text(fields: Fields, name: str) -> str:
    """Text, empty where there is none."""
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def number(fields: Fields, name: str) -> int | None:
    """A whole number."""
    value = fields.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def decimal(fields: Fields, name: str) -> float | None:
    """Any finite number."""
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or abs(value) > 1e18:  # noqa: PLR0124 (NaN)
        return None
    return float(value)


def moment(seconds: float | None) -> datetime | None:
    """Seconds since 1970 as a time, cut to milliseconds; None for what is none."""
    if seconds is None:
        return None
    try:
        return to_milliseconds(datetime.fromtimestamp(seconds, UTC))
    except (OverflowError, OSError, ValueError):
        return None
