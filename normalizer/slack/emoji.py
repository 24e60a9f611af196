"""Slack's names of emoji (https://docs.slack.dev/messaging/formatting-message-text#emoji)."""

from __future__ import annotations

import re

import emoji

_NAME = re.compile(r":([A-Za-z0-9_+'-]{1,100})(?:::skin-tone-([2-6]))?:")
_FLAG = re.compile(r"flag-([a-z])([a-z])")
_REGIONAL_A = 0x1F1E6
# What a man or a woman does has hyphens; the younger ones, and all other emoji, have not.
_DOING = re.compile(
    r"(?:wo)?man_(?!climbing|feeding|kneeling|standing)(?:mountain_)?[a-z]+ing(?:_[a-z_]+)?(?<!_facing_right)"
)
_JOINER = "\u200d"
_SKIN_TONES = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"


def character(name: str) -> str:
    """The emoji of that name, also with a skin tone behind it; one of the workspace's own stays `:name:`."""
    plain, _, tone = name.partition("::skin-tone-")
    flag = _FLAG.fullmatch(plain)
    if flag:
        return "".join(chr(_REGIONAL_A + ord(letter) - ord("a")) for letter in flag.groups())
    found = emoji.emojize(f":{plain}:", language="alias")
    if found == f":{plain}:":
        found = emoji.emojize(f":{plain.replace('-', '_')}:", language="alias")
    if not found.startswith(":") and tone in ("2", "3", "4", "5", "6"):
        found = found.rstrip("\ufe0f") + _SKIN_TONES[int(tone) - 2]
    return found if not found.startswith(":") else f":{plain}:"


def replaced(text: str) -> str:
    """The text with names of emoji written as emoji."""
    return _NAME.sub(lambda found: character(found[0][1:-1]), text) if ":" in text else text


def name_of(character_: str) -> str:
    """Slack's name of an emoji, or of one of the workspace's own: `:name:` without its colons."""
    plain = "".join(char for char in character_ if char not in _SKIN_TONES)
    country = [chr(ord(char) - _REGIONAL_A + ord("a")) for char in plain if 0 <= ord(char) - _REGIONAL_A < 26]
    if country:
        return f"flag-{''.join(country)}"
    if _JOINER not in plain:
        return emoji.demojize(plain, language="alias").strip(":")
    name = emoji.demojize(plain).strip(":").lower()
    return name.replace("_", "-") if _DOING.fullmatch(name) else name
