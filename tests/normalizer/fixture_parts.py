"""Comparing what came out with what a fixture names of it."""

from __future__ import annotations

from typing import Any


def part_of(value: Any, like: Any) -> Any:
    """What of `value` stands at the places that `like` names."""
    if isinstance(like, dict) and isinstance(value, dict):
        return {key: part_of(value[key], inner) for key, inner in like.items() if key in value}
    if isinstance(like, list) and len(value) == len(like):
        return [part_of(one, inner) for one, inner in zip(value, like, strict=True)]
    return list(value) if isinstance(value, tuple) else value
