"""Modules of others that are called like Santral's own rooms: which of two Python finds is chance."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import packages_distributions
from pathlib import Path

ROOMS = ("config", "connectors", "inbox", "normalizer")
ROOT = Path(__file__).resolve().parents[1]
OURS = "santral"


def shadows(path: Sequence[str] | None = None) -> list[str]:
    """A line for each top-level module of somebody else that is called like one of ours.

    Args:
        path: the folders where Python looks; None for those of this process.
    """
    folders = dict.fromkeys(Path(folder).resolve() for folder in (sys.path if path is None else path) if folder)
    found = [(room, place) for folder in folders for room in ROOMS for place in _strangers(folder, room)]
    if not found:
        return []
    owners = packages_distributions()
    return [_line(room, place, [name for name in owners.get(room, []) if name != OURS]) for room, place in found]


def _strangers(folder: Path, room: str) -> list[Path]:
    places = [folder / f"{room}.py"]
    if folder != ROOT:
        places.append(folder / room / "__init__.py")
    return [place for place in places if place.is_file()]


def _line(room: str, place: Path, owners: Sequence[str]) -> str:
    who = f" of the distribution {' or '.join(dict.fromkeys(owners))}" if owners else ""
    return (
        f"{place}{who} is called like Santral's own `{room}`, so that one of the two hides the other; "
        "uninstall it, or move it into a package folder of its own"
    )
