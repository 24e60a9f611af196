"""The shipped configurations fit the built-in connectors, and a channel's mistakes are told with their lines."""

from __future__ import annotations

from pathlib import Path

import pytest

import config
from connectors.registry import Registry
from inbox.channels import ChannelChecker, build

EXAMPLE = Path(config.__file__).with_name("example.yaml")
SECRETS = {"SMTP_PASSWORD": "sesame", "IDENTITY_SECRET": "0123456789abcdef0123456789abcdef"}

STRICT = ChannelChecker(Registry(), strict=True)
LENIENT = ChannelChecker(Registry(), strict=False)


def told(text: str, folder: Path, check: ChannelChecker) -> list[str]:
    """The mistakes of a YAML file, each as the line that an admin reads."""
    path = folder / "santral.yaml"
    path.write_text(text, "utf-8")
    try:
        config.load(path, environ={}, check=check)
    except config.ConfigError as error:
        return [str(problem).rpartition("santral.yaml")[2] for problem in error.problems]
    return []


def test_the_built_in_default_is_whole() -> None:
    channels = build(config.load(None, environ={}, check=STRICT), Registry())
    assert {id_: connector.name for id_, connector in channels.connectors.items()} == {
        "mail": "email",
        "site": "webchat",
    }
    assert not channels.refused


def test_the_annotated_example_is_whole(tmp_path: Path) -> None:
    found = {name for name in SECRETS if f"${{{name}}}" in EXAMPLE.read_text("utf-8")}
    loaded = config.load(EXAMPLE, environ={name: SECRETS[name] for name in found}, check=STRICT)
    assert build(loaded, Registry()).connectors


TWO_MISTAKES = """
channels:
  - {id: m, connector: email, address: a@example.com, send: {host: x, prot: 25}}
  - {id: w, connector: webchat, origin: x}
"""

MISTAKES = [
    (
        "channels: [{id: m, connector: emial, address: a@example.com}]",
        [':1: channels[0].connector: no connector "emial" is installed; did you mean "email"?'],
    ),
    (
        (
            "channels:\n  - {id: mail, connector: email, address: a@example.com}\n"
            "  - id: a\n    connector: webchat\n    answer_by_mail: {channel: mial}\n"
            "  - id: b\n    connector: webchat\n    answer_by_mail:\n      channel: a\n"
            "  - id: c\n    connector: webchat\n    answer_by_mail: {channel: mail, after: soon}\n"
            "  - {id: d, connector: webchat, answer_by_mail: {channel: mail, after: 2h}}\n"
        ),
        [
            ':5: channels[1].answer_by_mail.channel: there is no such channel; did you mean "mail"?',
            (
                ":9: channels[2].answer_by_mail.channel: on a channel of webchat only the customer can write first; "
                "name a mail channel"
            ),
            ":12: channels[3].answer_by_mail.after: a duration is written such as 10m, 2h or 1d; correct it",
        ],
    ),
    (
        "channels: [{id: m, connector: email, adress: a@example.com}]",
        [':1: channels[0].adress: unknown key; did you mean "address"?'],
    ),
    (
        TWO_MISTAKES,
        [
            ':3: channels[0].send.prot: unknown key; did you mean "port"?',
            ':4: channels[1].origin: unknown key; did you mean "origins"?',
        ],
    ),
]


@pytest.mark.parametrize(("text", "expected"), MISTAKES)
def test_mistakes_of_channels_are_told_all_at_once(text: str, expected: list[str], tmp_path: Path) -> None:
    assert told(text, tmp_path, STRICT) == expected


def test_running_refuses_options_but_not_a_connector_that_is_not_installed(tmp_path: Path) -> None:
    text = "channels:\n  - {id: t, connector: telegrm, token: x}\n  - {id: w, connector: webchat, origin: x}\n"
    assert told(text, tmp_path, LENIENT) == [':3: channels[1].origin: unknown key; did you mean "origins"?']


def test_a_channel_without_a_connector_leaves_the_others(tmp_path: Path) -> None:
    path = tmp_path / "santral.yaml"
    path.write_text("channels:\n  - {id: t, connector: telegrm}\n  - {id: w, connector: webchat}\n", "utf-8")
    channels = build(config.load(path, environ={}, check=LENIENT), Registry())
    assert list(channels.connectors) == ["w"]
    assert channels.refused == {"t": ("telegrm", 'no connector "telegrm" is installed')}
