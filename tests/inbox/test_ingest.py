"""Ingest: kept before it is told so, applied exactly once, and nobody hurts his neighbours."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import postbox
import pytest
from ingesting import Documents, applied, everything, failed, messages, settled
from postbox import CHANNEL, intake, raw, running, said

from inbox.ingest.apply import apply
from inbox.ingest.entries import Understood
from inbox.store import NotOwnerError, Store
from normalizer.outcomes import Outcome, Raw
from normalizer.schema import Message

BODIES = {
    "nothing": b"",
    "zeros": b"\0\0\0",
    "every byte": bytes(range(256)),
    "a lone surrogate": b'["\\ud800"]',
    "no text": b"\xff\xfe\xfa\x80",
    "a 65-bit integer": b"[18446744073709551616]",
    "200 deep": b"[" * 200 + b"]" * 200,
    "64 KiB": b"x" * (64 * 1024),
    "64 KiB and one": b"x" * (64 * 1024 + 1),
    "17 MB": b"17 MB" * (17 * 1024 * 1024 // 5),
}


@pytest.mark.parametrize("name", BODIES)
async def test_bytes_are_kept_exactly(name: str, store: Store) -> None:
    ingest = postbox.ingest(store)
    await ingest.receive(CHANNEL, raw("k", body=BODIES[name]))
    entry = await store.journal.get(f"{CHANNEL}|k")
    assert entry is not None
    assert entry.size == len(BODIES[name])
    kept = await store.journal.body(entry)
    assert hashlib.sha256(kept).digest() == hashlib.sha256(BODIES[name]).digest()


@pytest.mark.parametrize("key", ["k", "", "\ud800", "a\0b", "k" * 10_000, "çok/özel|key", "$where", "a.b"])
async def test_an_event_is_named_by_channel_and_key_and_received_once(key: str, store: Store) -> None:
    ingest = postbox.ingest(store)
    first = await ingest.receive(CHANNEL, raw(key, said("one")))
    again = await ingest.receive(CHANNEL, raw(key, said("two")))
    other = await postbox.ingest(store, "another process").receive(CHANNEL, raw(key, said("three")))
    assert not first.duplicate
    assert again.duplicate
    assert other.duplicate
    assert {again.message_id, other.message_id} == {first.message_id}
    assert {again.received_at, other.received_at} == {first.received_at}


async def test_the_same_event_many_times_at_once_is_one(store: Store, documents: Documents) -> None:
    ingest = postbox.ingest(store)
    got = await asyncio.gather(*[ingest.receive(CHANNEL, raw("k", said())) for _ in range(50)])
    assert len({one.message_id for one in got}) == 1
    assert sum(not one.duplicate for one in got) == 1
    assert await documents["journal"].count_documents({}) == 1


async def test_a_large_original_that_comes_twice_is_stored_once(store: Store, documents: Documents) -> None:
    ingest = postbox.ingest(store)
    body = b"x" * 300_000
    got = await asyncio.gather(*[ingest.receive(CHANNEL, raw("k", body=body)) for _ in range(4)])
    assert len({one.message_id for one in got}) == 1
    assert [one["_id"] async for one in documents["originals.files"].find()] == [got[0].message_id]


async def test_an_original_whose_entry_never_came_is_swept(store: Store, documents: Documents) -> None:
    ingest = postbox.ingest(store)
    await ingest.receive(CHANNEL, raw("k", body=b"x" * 300_000))
    await store.journal.save_original(f"{CHANNEL}|lost", "lost", b"y" * 300_000)
    assert await store.journal.sweep(datetime.now(UTC) + timedelta(minutes=1)) == 1
    assert await documents["originals.files"].count_documents({}) == 1
    assert await documents["originals.chunks"].count_documents({"files_id": "lost"}) == 0


async def test_the_message_bears_the_id_that_was_promised(store: Store, documents: Documents) -> None:
    ingest = postbox.ingest(store)
    async with running(ingest):
        received = await ingest.receive(CHANNEL, raw("k", said("one"), said("two", id="x")))
        await settled(documents)
    first, second = sorted([await store.queries.message(one["_id"]) for one in await messages(documents)], key=_text)
    assert (first.id, second.id) == (received.message_id, f"{received.message_id}-1")
    assert first.received_at == received.received_at
    assert first.external.original_id == f"{CHANNEL}|k"


def _text(message: Message | None) -> str:
    assert message is not None
    return message.text


async def test_an_event_that_nobody_can_read_fails_alone(store: Store, documents: Documents) -> None:
    events = [raw(f"k{n}", said(f"m{n}", thread="t")) for n in range(20)]
    events[7] = raw("poison", {"is": "a riddle"})
    events[11] = raw("no json", body=b"\xff")
    ingest = postbox.ingest(store)
    got = await asyncio.gather(*[ingest.receive(CHANNEL, event) for event in events])
    async with running(ingest):
        await settled(documents)
    assert len(got) == 20
    assert len(await messages(documents)) == 18
    entries = {entry.id: entry for entry in (await store.queries.failed(after=None, limit=100)).items}
    assert set(entries) == {f"{CHANNEL}|poison", f"{CHANNEL}|no json"}
    error = entries[f"{CHANNEL}|poison"].error
    assert error is not None
    assert "nobody can read this: a riddle" in error
    assert "Traceback" in error


async def test_what_failed_is_applied_once_the_code_is_better(store: Store, documents: Documents) -> None:
    received = await postbox.ingest(store).receive(CHANNEL, raw("k", {"is": "a riddle"}))
    await applied(store, documents)
    assert await failed(store) == [f"{CHANNEL}|k"]
    ingest = postbox.ingest(store, post=intake(normalize=lambda _: postbox.normalize(raw("k", said("solved")))))
    async with running(ingest):
        assert await ingest.replay([f"{CHANNEL}|k"]) == 1
        assert await ingest.replay([f"{CHANNEL}|k"]) == 0
        await settled(documents)
    assert await failed(store) == []
    (message,) = await messages(documents)
    assert (message["_id"], message["text"]) == (received.message_id, "solved")
    (entry,) = (await everything(documents))["journal"]
    assert entry["replayed"]
    assert "error" not in entry


@pytest.mark.parametrize(
    "text",
    ["lone \ud800 surrogate", "x" * 20_000_000],
    ids=["surrogate", "20 MB"],
)
async def test_an_error_that_the_database_cannot_hold_stops_nothing(
    text: str, store: Store, documents: Documents
) -> None:
    def normalize(event: Raw) -> Sequence[Outcome]:
        if event.key == "poison":
            raise ValueError(text)
        return postbox.normalize(event)

    ingest = postbox.ingest(store, post=intake(normalize=normalize))
    await applied(store, documents, raw("poison"), raw("k", said()), ingest=ingest)
    assert await failed(store) == [f"{CHANNEL}|poison"]
    assert len(await messages(documents)) == 1


async def test_a_message_that_the_database_cannot_hold_fails_alone(store: Store, documents: Documents) -> None:
    events = [raw(f"k{n}", said(f"m{n}", thread="t")) for n in range(6)]
    events[3] = raw("huge", said("0123456789abcdef", times=1024 * 1024 + 1, thread="t"))
    ingest = postbox.ingest(store)
    await asyncio.gather(*[ingest.receive(CHANNEL, event) for event in events])
    async with running(ingest):
        await settled(documents)
    assert await failed(store) == [f"{CHANNEL}|huge"]
    assert [one["text"] for one in await messages(documents)] == ["m0", "m1", "m2", "m4", "m5"]
    assert [one["seq"] for one in await messages(documents)] == [1, 2, 3, 4, 5]


async def test_entries_of_a_channel_that_has_gone_fail_readably_and_wait(store: Store, documents: Documents) -> None:
    await postbox.ingest(store).receive(CHANNEL, raw("k", said()))
    async with running(postbox.ingest(store, other=intake())):
        await settled(documents)
    (entry,) = (await store.queries.failed(after=None, limit=10)).items
    assert entry.error is not None
    assert f'channel "{CHANNEL}" is not in the configuration any more' in entry.error
    ingest = postbox.ingest(store)
    async with running(ingest):
        await ingest.replay(None)
        await settled(documents)
    assert len(await messages(documents)) == 1


async def test_applying_twice_changes_nothing(store: Store, documents: Documents) -> None:
    ingest = postbox.ingest(store)
    event = raw("k", said("m", thread="t"))
    await ingest.receive(CHANNEL, event)
    entry = await store.journal.get(f"{CHANNEL}|k")
    assert entry is not None
    batch = [Understood(entry=entry, outcomes=tuple(postbox.normalize(event)))]
    await store.write(lambda unit: apply(unit, batch, {CHANNEL: postbox.POLICY}, "me", alone=False))
    before = await everything(documents)
    with pytest.raises(NotOwnerError):
        await store.write(lambda unit: apply(unit, batch, {CHANNEL: postbox.POLICY}, "me", alone=False))
    assert await everything(documents) == before


async def test_a_mark_that_only_one_may_bear_makes_one_message(store: Store, documents: Documents) -> None:
    await applied(store, documents, raw("k1", said("once", unique="u")), raw("k2", said("once", unique="u")))
    assert len(await messages(documents)) == 1
    assert await documents["journal"].count_documents({"state": "applied"}) == 2


HOSTILE = {"s": "\ud800", "n\0ul": "\0", "big": 1 << 70, "nan": float("nan"), "deep": {"a": [{}]}, "": 1, "$x.y": 2}


async def test_hostile_values_become_their_nearest_portable_ones(store: Store, documents: Documents) -> None:
    event = raw("k", said("t\ud800", name="n\udfff", sender="s\ud800", thread="k\ud800", data={"post.x": HOSTILE}))
    rating = raw("e", {"is": "event", "thread": "k\ud800", "from": "s\ud800", "data": HOSTILE})
    change = raw("c", {"is": "change", "of": "x\ud800", "text": "c\ud800"})
    await applied(store, documents, event, rating, change)
    assert await failed(store) == []
    first, second = [await store.queries.message(one["_id"]) for one in await messages(documents)]
    assert first is not None
    assert second is not None
    assert (first.text, first.author.name) == ("t�", "n�")
    portable = {"s": "�", "n�ul": "\0", "big": str(1 << 70), "nan": None, "deep": {"a": [{}]}, "": 1, "$x.y": 2}
    assert first.channel_data == {"post.x": portable}
    assert second.parts[0].data == portable


async def test_what_the_transport_said_is_kept_though_it_is_hostile(store: Store) -> None:
    ingest = postbox.ingest(store)
    await ingest.receive(CHANNEL, raw("k", envelope=HOSTILE))
    entry = await store.journal.get(f"{CHANNEL}|k")
    assert entry is not None
    assert entry.envelope["big"] == str(1 << 70)


async def test_attachments_of_a_process_that_died_between_their_pieces_are_repaired(
    store: Store, documents: Documents
) -> None:
    await store.files.put("a", b"x" * 600_000)
    await documents["files.files"].delete_one({"_id": "a"})
    await documents["files.chunks"].delete_one({"files_id": "a", "n": 2})
    await store.files.put("a", b"x" * 600_000)
    await store.files.put("a", b"never looked at")
    assert b"".join([piece async for piece in store.files.open("a")]) == b"x" * 600_000
