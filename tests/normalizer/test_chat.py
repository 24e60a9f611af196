"""What the frames of a visitor's browser mean."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer.chat import normalize
from normalizer.outcomes import ConversationEvent, DeliveryUpdate, Draft, Ignored, Outcome, Person, Raw

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
VISITOR = Person(kind="visitor", value="v-1")


def raw(body: Any, **envelope: Any) -> Raw:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    envelope.setdefault("visitor", "v-1")
    return Raw(key="k", body=data, content_type="application/json", received_at=NOW, envelope=envelope)


def only(body: Any, **envelope: Any) -> Outcome:
    (outcome,) = normalize(raw(body, **envelope))
    return outcome


def test_message() -> None:
    file = {"id": "f-1", "filename": "a.png", "content_type": "image/png", "size": 7, "sha256": "0" * 64}
    draft = only(
        {"type": "message", "client_id": "c-1", "text": " Merhaba\n", "attachments": ["f-1"]}, attachments=[file]
    )
    assert isinstance(draft, Draft)
    assert (draft.customer, draft.keys, draft.reopens) == (VISITOR, ("v-1",), True)
    message = draft.message
    assert (message.text, message.direction, message.author.type) == (" Merhaba\n", "inbound", "customer")
    assert (message.external.id, message.external.thread_key, message.sent_at) == ("c-1", "v-1", NOW)
    (attachment,) = message.attachments
    assert (attachment.id, attachment.size, attachment.state) == ("f-1", 7, "ready")


@pytest.mark.parametrize(("envelope", "text"), [({"label": "Hayır"}, "Hayır"), ({}, "no"), ({"label": ""}, "no")])
def test_choice(envelope: dict[str, str], text: str) -> None:
    draft = only({"type": "choose", "message_id": "m-1", "value": "no"}, **envelope)
    assert isinstance(draft, Draft)
    assert draft.message.text == text
    assert draft.message.relations.reply_to == "m-1"
    (part,) = draft.message.parts
    assert (part.type, part.text, part.data) == ("choice", text, {"message_id": "m-1", "value": "no"})


@pytest.mark.parametrize(
    ("frame", "kind", "text", "data"),
    [
        ({"type": "rate", "score": 4}, "rating", "Rated 4", {"score": 4, "comment": ""}),
        ({"type": "rate", "score": 5, "comment": "iyi"}, "rating", "Rated 5: iyi", {"score": 5, "comment": "iyi"}),
        ({"type": "call_back", "phone": "1"}, "call_back", "Asks to be called at 1", {"phone": "1", "when": ""}),
        (
            {"type": "call_back", "phone": "1", "when": "at 5"},
            "call_back",
            "Asks to be called at 1, at 5",
            {"phone": "1", "when": "at 5"},
        ),
    ],
)
def test_rating_and_call_back(frame: dict[str, Any], kind: str, text: str, data: dict[str, Any]) -> None:
    event = only(frame)
    assert isinstance(event, ConversationEvent)
    assert (event.thread_key, event.customer, event.at) == ("v-1", VISITOR, NOW)
    assert (event.part.type, event.part.text, event.part.data) == (kind, text, data)


@pytest.mark.parametrize("state", ["delivered", "read"])
def test_delivery(state: str) -> None:
    update = only({"type": state, "message_id": "m-1"})
    assert isinstance(update, DeliveryUpdate)
    assert (update.state, update.message_id, update.at) == (state, "m-1", NOW)


def test_identity() -> None:
    event = only({"type": "identified"}, identity={"sub": "42", "email": "a@example.com", "name": "Ayşe"})
    assert isinstance(event, ConversationEvent)
    assert event.customer == Person(kind="visitor", value="v-1", name="Ayşe", email="a@example.com", verified=True)
    assert event.part.text == "Signed in as Ayşe <a@example.com> 42"


def test_a_visitor_cannot_vouch_for_themselves() -> None:
    """What a browser writes into a frame is never taken for what the connector knows."""
    draft = only(
        b'{"type":"message","client_id":"c","text":"x","visitor":"v-2","identity":{"sub":"1"},"label":"y"}',
    )
    assert isinstance(draft, Draft)
    assert draft.customer == VISITOR


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"null", b'{"type":"hello"}', b'{"type":"message"}', b"[" * 100_000, b'{"type":"rate"}']
)
def test_what_cannot_be_read_is_ignored_with_a_reason(body: bytes) -> None:
    outcome = only(body)
    assert isinstance(outcome, Ignored)
    assert outcome.reason


def test_event_without_its_visitor_is_ignored() -> None:
    assert isinstance(only({"type": "message", "client_id": "c", "text": "x"}, visitor=None), Ignored)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_code_point_stays(text: str) -> None:
    draft = only({"type": "message", "client_id": "c", "text": text})
    assert isinstance(draft, Draft)
    assert draft.message.text == text
