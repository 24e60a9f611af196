"""Reading a mail as the inbox does, and what must be true of whatever comes out."""

from __future__ import annotations

from datetime import UTC, datetime

import bson
import msgspec

from normalizer.codec import clean_structure, to_builtins
from normalizer.mail import MailChannel, normalize
from normalizer.outcomes import Draft, Raw

CHANNEL = MailChannel(id="mail", own=frozenset({"support@inbox.test"}))


def read(mail: bytes, **envelope: str | None) -> Draft:
    raw = Raw(
        key="k",
        body=mail,
        content_type="message/rfc822",
        received_at=datetime(2025, 1, 14, tzinfo=UTC),
        envelope={"mail_from": "a@example.com", "trusted": True} | envelope,
    )
    outcomes = normalize(raw, CHANNEL)
    assert outcomes == normalize(raw, CHANNEL)
    draft = outcomes[0]
    assert isinstance(draft, Draft)
    message = clean_structure(draft.message)
    msgspec.json.encode(message)
    bson.encode(to_builtins(message))
    assert isinstance(message.text, str)
    assert len(draft.files) == len(draft.message.attachments)
    assert draft.customer.value
    assert draft.keys[0] == draft.message.external.id
    return draft
