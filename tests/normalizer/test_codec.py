"""Whatever a platform sends: once cleaned, it comes back from BSON and JSON as it went in."""

from __future__ import annotations

import copy
import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import bson
import msgspec
import pytest
from bson.codec_options import CodecOptions
from hypothesis import given, settings
from hypothesis import strategies as st

from normalizer import codec
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

AWARE = CodecOptions[dict[str, Any]](tz_aware=True, tzinfo=UTC)

texts = st.text(st.characters(exclude_categories=()), max_size=20)  # lone surrogates and U+0000 included
moments = st.datetimes(
    min_value=datetime(1, 1, 3),  # noqa: DTZ001 (hypothesis wants it so)
    max_value=datetime(9999, 12, 29),  # noqa: DTZ001
    timezones=st.timezones(),
)
scalars = st.none() | st.booleans() | texts | st.integers() | st.floats() | st.binary(max_size=8) | moments
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)
mappings = st.dictionaries(texts, values, max_size=4)


def several(of: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(of, max_size=3).map(tuple)


def maybe(of: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | of


authors = st.builds(
    Author,
    type=st.sampled_from(["customer", "agent", "bot", "system"]),
    id=maybe(texts),
    name=maybe(texts),
    identity_id=maybe(texts),
)
states = st.sampled_from(["queued", "sent", "failed"])
errors = st.builds(DeliveryError, code=maybe(texts), text=texts, temporary=st.booleans())
messages = st.builds(
    Message,
    id=texts,
    seq=st.integers(0, 2**62),
    kind=st.sampled_from(["message", "event"]),
    direction=st.sampled_from(["inbound", "outbound", "note"]),
    author=authors,
    external=st.builds(External, id=maybe(texts), ids=several(texts), thread_key=maybe(texts)),
    text=texts,
    html=maybe(texts),
    quoted=maybe(texts),
    parts=several(st.builds(Part, type=texts, text=texts, data=mappings)),
    attachments=several(
        st.builds(Attachment, id=texts, filename=texts, content_type=texts, size=maybe(st.integers(0, 2**40)))
    ),
    relations=st.builds(Relations, reply_to=maybe(texts), group_id=maybe(texts)),
    revisions=several(st.builds(Revision, text=texts, html=maybe(texts), until=moments)),
    deleted_at=maybe(moments),
    reactions=several(st.builds(Reaction, emoji=texts, author=authors, at=moments)),
    sent_at=maybe(moments),
    delivery=maybe(
        st.builds(
            Delivery,
            state=states,
            attempts=st.integers(0, 99),
            error=maybe(errors),
            next_attempt_at=maybe(moments),
            recipients=several(st.builds(Recipient, address=texts, state=states, text=maybe(texts))),
        )
    ),
    flags=st.builds(Flags, spam=st.booleans(), authenticated=maybe(st.builds(Authenticated, spf=maybe(texts)))),
    channel_data=mappings,
)


def through_bson(value: Any) -> Any:
    return bson.decode(bson.encode({"value": value}), codec_options=AWARE)["value"]


@given(messages)
@settings(max_examples=120, deadline=None)
def test_a_message_comes_back_from_bson_and_json(message: Message) -> None:
    clean = codec.clean_structure(message)
    assert codec.from_builtins(through_bson(codec.to_builtins(clean)), Message) == clean
    again = codec.from_json(codec.to_json(clean), Message)
    assert codec.to_json(again) == codec.to_json(clean)
    timeless = {"channel_data": {}, "parts": ()}  # a time inside foreign data is text in JSON, which has no times
    assert msgspec.structs.replace(again, **timeless) == msgspec.structs.replace(clean, **timeless)


@given(messages)
@settings(max_examples=60, deadline=None)
def test_what_is_clean_stays_as_it_is(message: Message) -> None:
    clean = codec.clean_structure(message)
    assert codec.clean_structure(clean) == clean


@given(values)
@settings(max_examples=200, deadline=None)
def test_any_value_becomes_portable_and_the_original_is_not_touched(value: Any) -> None:
    before = copy.deepcopy(value)
    clean = codec.clean(value)
    assert through_bson(clean) == clean
    codec.to_json(clean)
    assert repr(value) == repr(before)


def nested(levels: int) -> Any:
    value: Any = "bottom"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("foreign", "portable"),
    [
        ("\ud800", "�"),
        ("a\udc00b", "a�b"),
        ("\ud83d\ude00", "😀"),  # a pair of surrogates is one letter, torn apart by a careless program
        ("a\0b", "a\0b"),
        (2**63 - 1, 2**63 - 1),
        (2**63, "9223372036854775808"),
        (-(2**63), -(2**63)),
        (-(2**63) - 1, "-9223372036854775809"),
        (True, True),
        (math.inf, None),
        (0.1, 0.1),
        (b"\x00\xff", "00ff"),
        ((1, {2}), [1, [2]]),
        ({1: 2, None: 3}, {"1": 2, "None": 3}),
        ({"a\0b": 1}, {"a�b": 1}),
        (object, "<class 'object'>"),
        (datetime(2026, 1, 2, 3, 4, 5, 678_901), datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC)),  # noqa: DTZ001
    ],
)
def test_foreign_values_have_one_portable_form(foreign: Any, portable: Any) -> None:
    assert codec.clean(foreign) == portable
    assert type(codec.clean(foreign)) is type(portable)


def test_nan_is_null() -> None:
    assert codec.clean({"x": math.nan}) == {"x": None}


def test_what_is_deeper_than_anybody_reads_is_cut_off() -> None:
    assert codec.clean(nested(codec.MAX_DEPTH)) == nested(codec.MAX_DEPTH)
    deep = codec.clean(nested(100_000))
    assert through_bson(deep) == deep
    assert "…" in repr(deep)


def test_times_are_put_into_utc_and_cut_to_milliseconds() -> None:
    istanbul = timezone(timedelta(hours=3))
    moment = codec.to_milliseconds(datetime(2026, 11, 23, 13, 0, 0, 123_999, istanbul))
    assert moment == datetime(2026, 11, 23, 10, 0, 0, 123_000, UTC)
    assert moment.tzinfo is UTC
    sent = Message(author=Author(type="system"), text="", sent_at=moment)
    assert b'"sent_at":"2026-11-23T10:00:00.123' in codec.to_json(sent)


def test_unknown_keys_of_a_later_version_are_passed_over() -> None:
    document = codec.to_builtins(Message(author=Author(type="system"), text="t")) | {"of_version_2": 1}
    assert codec.from_builtins(document, Message).text == "t"
