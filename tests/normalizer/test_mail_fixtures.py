"""Each mail in `fixtures/email` becomes what the file beside it says; a new case is two new files."""

import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from fixture_parts import part_of

from normalizer.mail import MailChannel, normalize
from normalizer.outcomes import Raw

FIXTURES = Path(__file__).parents[1] / "fixtures" / "email"
CHANNEL = MailChannel(id="mail", own=frozenset({"support@inbox.test"}), form_senders=frozenset({"form@inbox.test"}))
ENVELOPE = {"mail_from": "bounce@ornek.test", "rcpt_to": ["support@inbox.test"], "trusted": True}


@pytest.mark.parametrize("name", sorted(path.stem for path in FIXTURES.glob("*.eml")))
def test_mail_becomes_what_its_fixture_says(name: str) -> None:
    expected = json.loads((FIXTURES / f"{name}.expected.json").read_text("utf-8"))
    # Kept with bare newlines, so that an editor can show them; on the wire lines end in CRLF.
    mail = (FIXTURES / f"{name}.eml").read_bytes().replace(b"\n", b"\r\n")
    raw = Raw(
        key="k",
        body=mail,
        content_type="message/rfc822",
        received_at=datetime(2025, 1, 14, 8, tzinfo=UTC),
        envelope=ENVELOPE | expected.get("envelope", {}),
    )

    outcomes = [{"type": type(outcome).__name__} | msgspec.to_builtins(outcome) for outcome in normalize(raw, CHANNEL)]

    assert part_of(outcomes, expected["outcomes"]) == expected["outcomes"]
