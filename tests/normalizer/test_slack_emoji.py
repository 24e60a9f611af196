"""An emoji has the name by which Slack knows it, and that name is read as the emoji."""

import pytest

from normalizer.slack.emoji import character, name_of


@pytest.mark.parametrize(
    ("emoji", "name"),
    [
        ("🎉", "tada"),
        ("🇹🇷", "flag-tr"),
        ("🤷‍♀️", "woman-shrugging"),
        ("🙅‍♂️", "man-gesturing-no"),
        ("🚵‍♀️", "woman-mountain-biking"),
        ("🧗‍♀️", "woman_climbing"),
        ("🕺", "man_dancing"),
        ("🐈‍⬛", "black_cat"),
        (":our-logo:", "our-logo"),
    ],
)
def test_an_emoji_has_slacks_name(emoji: str, name: str) -> None:
    assert name_of(emoji) == name
    assert character(name) == emoji


def test_a_name_tells_no_tone() -> None:
    assert name_of("🤷🏽‍♀️") == "woman-shrugging"
