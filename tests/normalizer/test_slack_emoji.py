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
        ("👩‍💻", "female-technologist"),
        ("👨‍⚕️", "male-doctor"),
        ("👩‍🏫", "female-teacher"),
        ("👨‍👩‍👧", "man-woman-girl"),
        ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", "flag-england"),
        ("🟢", "large_green_circle"),
        ("🥰", "smiling_face_with_3_hearts"),
        ("❤️", "heart"),
        (":our-logo:", "our-logo"),
    ],
)
def test_an_emoji_has_slacks_name(emoji: str, name: str) -> None:
    assert name_of(emoji) == name
    assert character(name) == emoji


def test_a_name_tells_no_tone() -> None:
    assert name_of("🤷🏽‍♀️") == "woman-shrugging"


def test_a_tone_stands_behind_the_person() -> None:
    assert character("woman-shrugging::skin-tone-3") == "🤷🏼‍♀️"
    assert character("point_up::skin-tone-6") == "☝🏿"


def test_an_emoji_in_its_plain_form_is_the_same() -> None:
    assert name_of("❤") == "heart"
    assert character("thumbsup") == character("+1") == "👍"
