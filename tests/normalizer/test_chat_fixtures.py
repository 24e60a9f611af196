"""Each update and request in `fixtures` becomes what the file beside it says, written after the platforms' documents.

A new case is two new files. `.form.json` is what a form holds: a command's fields, or else its `payload`.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from fixture_parts import part_of

from normalizer import slack, telegram
from normalizer.outcomes import Raw

FIXTURES = Path(__file__).parents[1] / "fixtures"
AT = datetime(2025, 11, 26, 10, tzinfo=UTC)
NAMES = {"U7": "Ada", "C7": "lamps"}


def names(platform: str) -> list[str]:
    found = (path.name.removesuffix(".expected.json") for path in (FIXTURES / platform).glob("*.expected.json"))
    return sorted(found)


def plain(outcomes: Any) -> list[Any]:
    return [{"type": type(outcome).__name__} | msgspec.to_builtins(outcome) for outcome in outcomes]


@pytest.mark.parametrize("name", names("telegram"))
def test_an_update_becomes_what_its_fixture_says(name: str) -> None:
    expected = json.loads((FIXTURES / "telegram" / f"{name}.expected.json").read_text("utf-8"))
    body = (FIXTURES / "telegram" / f"{name}.json").read_bytes()
    raw = Raw(key="k", body=body, content_type="application/json", received_at=AT)
    outcomes = plain(telegram.normalize(raw, telegram.TelegramChannel(bot=7000)))

    assert part_of(outcomes, expected) == expected


@pytest.mark.parametrize("name", ["button-in-a-group", "group-member", "reaction-in-a-group"])
def test_groups_are_ignored_on_demand(name: str) -> None:
    body = (FIXTURES / "telegram" / f"{name}.json").read_bytes()
    raw = Raw(key="k", body=body, content_type="application/json", received_at=AT)
    (outcome,) = plain(telegram.normalize(raw, telegram.TelegramChannel(bot=7000, groups="ignore")))

    assert (outcome["type"], outcome["reason"].endswith("the channel ignores groups")) == ("Ignored", True)


@pytest.mark.parametrize("name", names("slack"))
def test_a_request_becomes_what_its_fixture_says(name: str) -> None:
    expected = json.loads((FIXTURES / "slack" / f"{name}.expected.json").read_text("utf-8"))
    form = FIXTURES / "slack" / f"{name}.form.json"
    told = (form if form.exists() else FIXTURES / "slack" / f"{name}.json").read_bytes()
    content_type = "application/json"
    if form.exists():
        fields = json.loads(told)
        told = urlencode(fields if "command" in fields else {"payload": json.dumps(fields)}).encode()
        content_type = "application/x-www-form-urlencoded"
    known = NAMES if name == "names-known" else {}
    raw = Raw(key="k", body=told, content_type=content_type, received_at=AT, envelope={"names": known})
    outcomes = plain(slack.normalize(raw, slack.SlackChannel()))

    assert part_of(outcomes, expected) == expected
