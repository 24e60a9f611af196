"""Slack's names of emoji (https://docs.slack.dev/messaging/formatting-message-text#emoji)."""

from __future__ import annotations

import functools
import re
from importlib import resources

_NAME = re.compile(r":([A-Za-z0-9_+'-]{1,100})(?:::skin-tone-([2-6]))?:")
_VARIANT = "\ufe0f"  # asks for the coloured form; many leave it out
_SKIN_TONES = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"


def character(name: str) -> str:
    """The emoji of that name, also with a skin tone behind it; one of the workspace's own stays `:name:`."""
    plain, _, tone = name.partition("::skin-tone-")
    found = _characters().get(plain)
    if found is None:
        return f":{plain}:"
    if tone in ("2", "3", "4", "5", "6"):  # it stands behind the person, whatever that person does
        return found[0] + _SKIN_TONES[int(tone) - 2] + found[1:].removeprefix(_VARIANT)
    return found


def replaced(text: str) -> str:
    """The text with names of emoji written as emoji."""
    return _NAME.sub(lambda found: character(found[0][1:-1]), text) if ":" in text else text


def name_of(character_: str) -> str:
    """Slack's name of an emoji, or of one of the workspace's own: `:name:` without its colons."""
    plain = "".join(char for char in character_ if char not in _SKIN_TONES)
    return _names().get(plain.replace(_VARIANT, ""), plain.strip(":"))


@functools.cache
def _characters() -> dict[str, str]:
    """Each emoji by all its names."""
    return {name: found for found, *names in _table() for name in names}


@functools.cache
def _names() -> dict[str, str]:
    """The first name of each emoji."""
    return {found.replace(_VARIANT, ""): name for found, name, *_ in _table()}


def _table() -> list[list[str]]:
    """What `scripts/emoji_tables.py` has written."""
    return [line.split(" ") for line in (resources.files(__package__) / "emoji.txt").read_text("utf-8").splitlines()]
