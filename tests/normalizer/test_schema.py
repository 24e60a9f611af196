"""The message schema: what is exported says exactly what is sent, and nothing can be changed in place."""

from __future__ import annotations

import json
import typing
from datetime import UTC, datetime
from types import UnionType
from typing import Any

import jsonschema
import msgspec
import pytest

from normalizer import codec, schema
from normalizer.schema import (
    Attachment,
    Authenticated,
    Author,
    Delivery,
    DeliveryError,
    External,
    Flags,
    Message,
    Part,
    Reaction,
    Recipient,
    Relations,
    Revision,
)

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)

FULL = Message(
    id="m",
    conversation_id="c",
    customer_id="u",
    seq=7,
    channel="mail",
    connector="email",
    author=Author(type="customer", id="u", name="Ada", identity_id="email:ada@example.org"),
    external=External(id="x", ids=("x", "y"), thread_key="t", original_id="mail|x"),
    text="Merhaba\0 dünya",
    html="<p>Merhaba</p>",
    quoted="> hi",
    subject="Konu",
    language="tr",
    parts=(Part(type="location", text="41, 29", data={"lat": 41.0, "deep": [{"a": None}]}),),
    attachments=(Attachment(id="a", filename="a.png", content_type="image/png", size=1, sha256="00", inline=True),),
    relations=Relations(reply_to="m0", group_id="album"),
    revisions=(Revision(text="Merhba", until=AT),),
    deleted_at=AT,
    reactions=(Reaction(emoji="👍", author=Author(type="agent"), at=AT),),
    sent_at=AT,
    received_at=AT,
    created_at=AT,
    delivery=Delivery(
        state="failed",
        attempts=2,
        error=DeliveryError(code="550", text="no such user", temporary=False),
        next_attempt_at=AT,
        unless_customer_writes=True,
        recipients=(Recipient(address="ada@example.org", state="failed", code="550", text="no such user"),),
    ),
    flags=Flags(auto_submitted=True, authenticated=Authenticated(spf="pass", dkim="none", dmarc="fail")),
    channel_data={"email.to": [{"address": "support@example.com"}]},
)
SMALL = Message(author=Author(type="system"), text="")


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    exported = codec.json_schema()
    jsonschema.Draft202012Validator.check_schema(exported)
    return jsonschema.Draft202012Validator(exported)


@pytest.mark.parametrize("message", [FULL, SMALL], ids=["full", "small"])
def test_what_is_sent_fits_the_exported_schema(message: Message, validator: jsonschema.Draft202012Validator) -> None:
    validator.validate(json.loads(codec.to_json(message)))
    assert codec.from_json(codec.to_json(message), Message) == message


@pytest.mark.parametrize(
    "broken",
    [
        {"direction": "sideways"},
        {"text": None},
        {"seq": "7"},
        {"author": {"type": "customer", "id": 5}},
        {"author": {}},
        {"attachments": [{"id": "a"}]},
    ],
)
def test_what_is_wrong_does_not_fit(broken: dict[str, Any], validator: jsonschema.Draft202012Validator) -> None:
    sent = json.loads(codec.to_json(FULL)) | broken
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(sent)
    with pytest.raises(msgspec.ValidationError):
        codec.from_json(json.dumps(sent), Message)


def test_the_schema_names_itself_and_its_version() -> None:
    exported = codec.json_schema()
    assert exported["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert exported["$id"].endswith(f"message-{schema.SCHEMA_VERSION}.json")
    assert SMALL.schema_version == schema.SCHEMA_VERSION == 1


def structures() -> list[type[msgspec.Struct]]:
    return [one for one in vars(schema).values() if isinstance(one, type) and issubclass(one, msgspec.Struct)][1:]


@pytest.mark.parametrize("structure", structures())
def test_nothing_of_it_can_be_changed_in_place(structure: type[msgspec.Struct]) -> None:
    assert structure.__struct_config__.frozen
    for hint in typing.get_type_hints(structure).values():
        kinds = typing.get_args(hint) if isinstance(hint, UnionType) else (hint,)
        assert not any(typing.get_origin(kind) in (list, set) for kind in kinds)


def test_a_message_refuses_to_be_changed() -> None:
    with pytest.raises(AttributeError):
        FULL.text = "other"  # type: ignore[misc]


def test_the_fields_are_those_of_version_1() -> None:
    assert [field.name for field in msgspec.structs.fields(Message)] == [
        *("id", "schema_version", "conversation_id", "customer_id", "seq", "kind", "direction", "channel"),
        *("connector", "author", "external", "text", "html", "quoted", "subject", "language", "parts"),
        *("attachments", "relations", "revisions", "deleted_at", "reactions", "sent_at", "received_at"),
        *("created_at", "delivery", "flags", "channel_data"),
    ]
