"""Ingest: kept before it is told so, applied exactly once, and nobody hurts his neighbours."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import postbox
import pytest
from harness import eventually
from postbox import CHANNEL, intake, profiled, raw, said
from pymongo.asynchronous.database import AsyncDatabase

from connectors.tasks import end
from inbox import housekeeping
from inbox.attachments import Attachments
from inbox.ingest import Ingest
from inbox.ingest.apply import apply
from inbox.ingest.backlog import HELD_BYTES
from inbox.ingest.entries import Understood
from inbox.outbox import OutboxWorker
from inbox.store import NotOwnerError, Store
from normalizer.outcomes import Outcome, Raw
from normalizer.schema import Message

Documents = AsyncDatabase[dict[str, Any]]


@contextlib.asynccontextmanager
async def running(ingest: Ingest) -> AsyncIterator[None]:
    task = asyncio.create_task(ingest.run())
    try:
        yield
        assert not task.done(), "ingest ended"
    finally:
        await end(task)


async def settled(documents: Documents) -> None:
    """Returns when the journal holds nothing that is still to be applied."""

    async def done() -> bool:
        return not await documents["journal"].count_documents({"state": "new"})

    await eventually(done)


async def applied(store: Store, documents: Documents, *events: Raw, ingest: Ingest | None = None) -> None:
    """Receives these, one after another, and returns when all of them are applied or failed."""
    ingest = ingest or postbox.ingest(store)
    async with running(ingest):
        for event in events:
            await ingest.receive(CHANNEL, event)
        await settled(documents)


async def messages(documents: Documents, **query: Any) -> list[dict[str, Any]]:
    return [one async for one in documents["messages"].find(query).sort([("conversation_id", 1), ("seq", 1)])]


async def failed(store: Store) -> list[str]:
    return [entry.id for entry in (await store.queries.failed(after=None, limit=100)).items]


async def everything(documents: Documents) -> dict[str, list[dict[str, Any]]]:
    names = sorted(await documents.list_collection_names())
    return {name: [one async for one in documents[name].find().sort("_id", 1)] for name in names}


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


async def test_one_thread_is_one_conversation_in_order_without_gaps(store: Store, documents: Documents) -> None:
    await applied(store, documents, *[raw(f"k{n}", said(f"m{n}", thread="t")) for n in range(300)])
    found = await messages(documents)
    assert [one["seq"] for one in found] == list(range(1, 301))
    assert [one["text"] for one in found] == [f"m{n}" for n in range(300)]
    (conversation,) = (await everything(documents))["conversations"]
    assert (conversation["last_seq"], conversation["inbound"], conversation["status"]) == (300, 300, "open")
    assert conversation["last_message"]["text"] == "m299"


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


async def test_what_a_dead_process_left_is_picked_up_before_what_comes(store: Store, documents: Documents) -> None:
    dead = postbox.ingest(store, "dead")
    await store.processes.beat("dead", {"id": "nothing"}, {})
    for n in range(5):
        await dead.receive(CHANNEL, raw(f"k{n}", said(f"m{n}", thread="t")))
    await store.processes.leave("dead")
    heir = postbox.ingest(store, "heir")
    outbox = OutboxWorker(store, "heir", {}, Attachments(store), postbox.metrics())
    await postbox.housekeeping(store, "heir", heir, outbox).begin()
    async with running(heir):
        for n in range(5, 10):
            await heir.receive(CHANNEL, raw(f"k{n}", said(f"m{n}", thread="t")))
        await settled(documents)
    assert [one["text"] for one in await messages(documents)] == [f"m{n}" for n in range(10)]


async def test_a_sender_is_applied_in_order_whichever_process_received_what(store: Store, documents: Documents) -> None:
    late, quick = postbox.ingest(store, "late"), postbox.ingest(store, "quick")
    await late.receive(CHANNEL, raw("k0", said("m0", thread="t"), sender="ada"))
    async with running(quick):
        for n in (1, 2):
            await quick.receive(CHANNEL, raw(f"k{n}", said(f"m{n}", thread="t"), sender="ada"))
        await quick.receive(CHANNEL, raw("k3", said("not held up", thread="u"), sender="eve"))

        async def told() -> list[dict[str, Any]]:
            return await messages(documents)

        assert [one["text"] for one in await eventually(told)] == ["not held up"]
        async with running(late):
            await settled(documents)
    (conversation,) = {one["conversation_id"] for one in await messages(documents, text="m0")}
    found = await messages(documents, conversation_id=conversation)
    assert [one["text"] for one in found] == ["m0", "m1", "m2"]


async def test_nobody_is_buried_by_one_who_was_silent_himself(
    store: Store, documents: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the database was away all were silent, and the first to come back must not take the others for dead."""
    monkeypatch.setattr(housekeeping, "BEAT_SECONDS", 0.01)
    monkeypatch.setattr(housekeeping, "DEAD_AFTER_SECONDS", 0.5)
    keeping = postbox.housekeeping(store, "me")
    await keeping.begin()
    await store.processes.beat("other", {"id": "nothing"}, {})
    time.sleep(1)  # the silence, as of a database that is away
    await documents["processes"].update_many({}, {"$set": {"seen_at": datetime.now(UTC) - timedelta(hours=1)}})
    began = time.monotonic()
    running_on = asyncio.create_task(keeping.run())

    async def buried() -> bool:
        return await store.processes.alive() == ["me"]

    await eventually(buried)
    assert time.monotonic() - began > 0.5
    await end(running_on)


async def test_a_living_process_keeps_its_entries(store: Store, documents: Documents) -> None:
    busy, other = postbox.ingest(store, "busy"), postbox.ingest(store, "other")
    await store.processes.beat("busy", {"id": "nothing"}, {})
    await busy.receive(CHANNEL, raw("k", said()))
    outbox = OutboxWorker(store, "other", {}, Attachments(store), postbox.metrics())
    await postbox.housekeeping(store, "other", other, outbox).begin()
    assert await documents["journal"].count_documents({"owner": "busy", "state": "new"}) == 1


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


async def test_what_was_left_behind_stands_before_what_came_later_though_it_is_read_after_it(
    store: Store, documents: Documents
) -> None:
    ingest = postbox.ingest(store)
    batch = []
    for number in range(3):
        event = raw(f"k{number}", said(f"m{number}", thread="t"), sender="ada")
        await ingest.receive(CHANNEL, event)
        entry = await store.journal.get(f"{CHANNEL}|k{number}")
        assert entry is not None
        batch.append(Understood(entry=entry, outcomes=tuple(postbox.normalize(event))))
    await store.write(lambda unit: apply(unit, batch[::-1], {CHANNEL: postbox.POLICY}, "me", alone=False))
    assert [one["text"] for one in await messages(documents)] == ["m0", "m1", "m2"]


async def test_a_clock_that_is_set_back_changes_no_order(store: Store, documents: Documents) -> None:
    ingest, now = postbox.ingest(store), datetime.now(UTC)
    for number in range(5):
        at = now - timedelta(seconds=number)
        await ingest.receive(CHANNEL, raw(f"k{number}", said(f"m{number}", thread="t"), sender="ada", received_at=at))
    async with running(ingest):
        await settled(documents)
    assert [one["text"] for one in await messages(documents)] == [f"m{number}" for number in range(5)]


async def test_a_mark_that_only_one_may_bear_makes_one_message(store: Store, documents: Documents) -> None:
    await applied(store, documents, raw("k1", said("once", unique="u")), raw("k2", said("once", unique="u")))
    assert len(await messages(documents)) == 1
    assert await documents["journal"].count_documents({"state": "applied"}) == 2


async def test_more_than_fits_memory_is_applied_in_order(store: Store, documents: Documents) -> None:
    ingest = postbox.ingest(store)
    padding = b" " * 1_000_000
    count = HELD_BYTES // len(padding) + 12

    def event(n: int) -> Raw:
        return raw(f"k{n}", body=json.dumps([said(f"m{n}", thread="t")]).encode() + padding)

    async with running(ingest):
        for n in range(count):
            await ingest.receive(CHANNEL, event(n))
        await settled(documents)
    assert [one["text"] for one in await messages(documents)] == [f"m{n}" for n in range(count)]


async def test_nothing_is_lost_when_all_comes_before_anybody_applies(store: Store, documents: Documents) -> None:
    ingest = postbox.ingest(store)
    for n in range(600):
        await ingest.receive(CHANNEL, raw(f"k{n}", said(f"m{n}", thread="t")))
    async with running(ingest):
        for n in range(600, 700):
            await ingest.receive(CHANNEL, raw(f"k{n}", said(f"m{n}", thread="t")))
        await settled(documents)
    assert [one["text"] for one in await messages(documents)] == [f"m{n}" for n in range(700)]


async def test_a_flood_that_does_not_end_is_applied_meanwhile(store: Store, documents: Documents) -> None:
    """Who waits for an acknowledgement goes first, but a backlog has its turns too."""
    ingest = postbox.ingest(store)

    async def pour(source: int) -> None:
        for number in itertools.count():
            await ingest.receive(CHANNEL, raw(f"{source}/{number}", said("more")))

    async def several_batches() -> bool:
        return await documents["events"].count_documents({}) > 3000

    async with running(ingest):
        flood = [asyncio.create_task(pour(source)) for source in range(64)]
        try:
            await eventually(several_batches)
        finally:
            await end(*flood)


async def test_a_backlog_is_read_once_and_not_again_for_each_batch(store: Store, documents: Documents) -> None:
    ingest, count = postbox.ingest(store), 3000
    events = [raw(f"k{n}", {"is": "nothing"}, sender="ada") for n in range(count)]
    await asyncio.gather(*[ingest.receive(CHANNEL, event) for event in events])
    async with profiled(documents), running(ingest):
        await settled(documents)
    asked = [one async for one in documents["system.profile"].find({"ns": f"{documents.name}.journal"})]
    looks = [one for one in asked if "sender" in one.get("originatingCommand", one["command"]).get("filter", {})]
    assert len(looks) > 3
    assert sum(one["docsExamined"] for one in looks) < 1.5 * count


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


def change(of: str = "x", **fields: Any) -> dict[str, Any]:
    return {"is": "change", "of": of, **fields}


Arrange = Callable[..., Awaitable[Message]]


@pytest.fixture
def arrange(store: Store, documents: Documents) -> Arrange:
    """Applies events (in one batch, or one by one) and gives the only message."""

    async def arranged(*items: dict[str, Any], at_once: bool) -> Message:
        ingest = postbox.ingest(store)
        async with contextlib.AsyncExitStack() as stack:
            if not at_once:
                await stack.enter_async_context(running(ingest))
            for number, item in enumerate(items):
                await ingest.receive(CHANNEL, raw(f"k{number}", item))
                if not at_once:
                    await settled(documents)
            if at_once:
                await stack.enter_async_context(running(ingest))
                await settled(documents)
        assert await failed(store) == []
        (message,) = await messages(documents, kind="message")
        found = await store.queries.message(message["_id"])
        assert found is not None
        assert await documents["waiting_changes"].count_documents({}) == 0
        return found

    return arranged


FIRST, EDIT1, EDIT2 = said("t0", id="x"), change(at=1, text="t1"), change(at=2, text="t2")


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(
    "items",
    [(FIRST, EDIT1, EDIT2), (FIRST, EDIT2, EDIT1), (EDIT1, FIRST, EDIT2), (EDIT2, EDIT1, FIRST)],
    ids=["in order", "edits swapped", "one before", "both before"],
)
async def test_edits_in_any_order_end_alike(
    *, items: tuple[dict[str, Any], ...], at_once: bool, arrange: Arrange
) -> None:
    message = await arrange(*items, at_once=at_once)
    assert message.text == "t2"
    assert [one.text for one in message.revisions] == ["t0", "t1"]


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("early", [True, False])
async def test_deletions_and_reactions_find_their_message(*, early: bool, at_once: bool, arrange: Arrange) -> None:
    changes = [change(at=1, reaction="👍"), change(at=2, deleted=True)]
    message = await arrange(*(changes if early else ()), FIRST, *(() if early else changes), at_once=at_once)
    assert message.text == "t0"
    assert message.deleted_at == postbox.AT + timedelta(minutes=2)
    assert [one.emoji for one in message.reactions] == ["👍"]


async def test_the_inbox_shows_what_the_last_message_says_now(arrange: Arrange, documents: Documents) -> None:
    await arrange(FIRST, EDIT1, at_once=False)
    (conversation,) = (await everything(documents))["conversations"]
    assert conversation["last_message"]["text"] == "t1"
    assert conversation["inbound"] == 1


async def test_an_edit_never_reopens(store: Store, documents: Documents) -> None:
    await applied(store, documents, raw("k", FIRST))
    await documents["conversations"].update_many({}, {"$set": {"status": "resolved"}})
    await applied(store, documents, raw("e", EDIT1), raw("r", change(at=2, reaction="👍")))
    (conversation,) = (await everything(documents))["conversations"]
    assert conversation["status"] == "resolved"


async def test_an_event_stands_in_the_conversation_and_neither_reopens_nor_counts(
    store: Store, documents: Documents
) -> None:
    await applied(store, documents, raw("k", said(thread="t")))
    await documents["conversations"].update_many({}, {"$set": {"status": "resolved"}})
    await applied(store, documents, raw("e", {"is": "event", "thread": "t", "from": "ada"}))
    _, event = await messages(documents)
    assert (event["kind"], event["author"]["type"], event["text"], event["seq"]) == ("event", "system", "Rated 5", 2)
    (conversation,) = (await everything(documents))["conversations"]
    assert (conversation["status"], conversation["inbound"]) == ("resolved", 1)
    assert conversation["last_message"]["text"] == "hello"


@pytest.mark.parametrize(
    ("status", "reopens", "after"),
    [
        ("resolved", True, "open"),
        ("resolved", False, "resolved"),
        ("snoozed", True, "open"),
        ("pending", True, "pending"),
    ],
)
async def test_what_comes_changes_the_status_by_the_rules(
    *, status: str, reopens: bool, after: str, store: Store, documents: Documents
) -> None:
    await applied(store, documents, raw("k", said(thread="t")))
    await documents["conversations"].update_many({}, {"$set": {"status": status}})
    await applied(store, documents, raw("k2", said(thread="t", reopens=reopens)))
    (conversation,) = (await everything(documents))["conversations"]
    assert (conversation["status"], conversation["last_seq"]) == (after, 2)


async def test_a_customer_who_comes_back_late_begins_anew_and_the_new_one_names_the_old(
    store: Store, documents: Documents
) -> None:
    await applied(store, documents, raw("k", said("then", thread="t")))
    long_ago = datetime.now(UTC) - timedelta(days=30)
    await documents["conversations"].update_many({}, {"$set": {"status": "resolved", "last_message.at": long_ago}})
    await applied(store, documents, raw("k2", said("now", thread="t")), raw("k3", said("and now", thread="t")))
    old, new = (await everything(documents))["conversations"]
    assert (new["previous_id"], new["last_seq"], new["status"]) == (old["_id"], 2, "open")
    assert (old["status"], old["last_seq"]) == ("resolved", 1)


async def test_a_late_parent_joins_two_conversations_and_no_seq_is_used_twice(
    store: Store, documents: Documents
) -> None:
    await applied(
        store,
        documents,
        raw("k1", said("first", id="m1")),
        raw("k3", said("third", id="m3", refers=["m2"])),
        raw("k4", said("fourth", id="m4", refers=["m3"])),
    )
    events_before = await store.events.newest()
    await applied(store, documents, raw("k2", said("second", id="m2", refers=["m1"])))
    home, emptied = (await everything(documents))["conversations"]
    assert emptied["merged_into"] == home["_id"]
    assert (emptied["last_seq"], emptied["status"]) == (0, "resolved")
    found = await messages(documents)
    assert [(one["conversation_id"], one["seq"], one["text"]) for one in found] == [
        (home["_id"], seq, text) for seq, text in enumerate(["first", "third", "fourth", "second"], start=1)
    ]
    assert (home["last_seq"], home["inbound"]) == (4, 4)
    told = [event.type for event in await store.events.after(events_before, 100)]
    assert "conversation.merged" in told
    await applied(store, documents, raw("k5", said("fifth", id="m5", refers=["m4"])))
    assert [one["seq"] for one in await messages(documents)] == [1, 2, 3, 4, 5]


async def test_three_people_who_answer_each_other_are_one_conversation_of_the_first(
    store: Store, documents: Documents
) -> None:
    await applied(
        store,
        documents,
        raw("k1", said("a", sender="ada", id="m1")),
        raw("k2", said("b", sender="bob", id="m2", refers=["m1"])),
        raw("k3", said("c", sender="eve", id="m3", refers=["m1", "m2"])),
    )
    (conversation,) = (await everything(documents))["conversations"]
    found = await messages(documents)
    assert len({one["customer_id"] for one in found}) == 3
    assert found[0]["customer_id"] == conversation["customer_id"]


async def test_no_reference_moves_anothers_messages(store: Store, documents: Documents) -> None:
    await applied(
        store,
        documents,
        raw("k1", said("mine", sender="mallory", id="m1")),
        raw("k2", said("secret", sender="ada", id="a1")),
        raw("k3", said("give", sender="mallory", id="m2", refers=["a1", "m1"])),
    )
    conversations = (await everything(documents))["conversations"]
    assert [one["merged_into"] for one in conversations] == [None, None]
    by_text = {one["text"]: one["conversation_id"] for one in await messages(documents)}
    assert by_text["secret"] != by_text["mine"] == by_text["give"]


async def test_what_needs_no_place_takes_none(store: Store, documents: Documents) -> None:
    await applied(
        store, documents, raw("k", {"is": "nothing"}), raw("k2", {"is": "report", "state": "read"}), raw("k3")
    )
    assert await messages(documents) == []
    assert await documents["journal"].count_documents({"state": "applied"}) == 3


async def test_attachments_of_a_process_that_died_between_their_pieces_are_repaired(
    store: Store, documents: Documents
) -> None:
    await store.files.put("a", b"x" * 600_000)
    await documents["files.files"].delete_one({"_id": "a"})
    await documents["files.chunks"].delete_one({"files_id": "a", "n": 2})
    await store.files.put("a", b"x" * 600_000)
    await store.files.put("a", b"never looked at")
    assert b"".join([piece async for piece in store.files.open("a")]) == b"x" * 600_000


async def test_what_nobody_waits_for_any_more_is_applied_all_the_same(store: Store, documents: Documents) -> None:
    ingest = postbox.ingest(store)
    running = asyncio.create_task(ingest.run())
    gone = asyncio.create_task(ingest.receive(CHANNEL, raw("gone", said("the caller left", thread="t"))))
    await asyncio.sleep(0)  # it has handed its event in, and waits
    gone.cancel()
    await ingest.receive(CHANNEL, raw("next", said("one more", thread="t")))

    async def both() -> bool:
        return await documents["messages"].count_documents({}) == 2

    await eventually(both)
    await end(running)
