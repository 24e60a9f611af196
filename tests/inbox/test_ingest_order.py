"""Ingest: in order, whoever received it and however much waits."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import postbox
import pytest
from harness import eventually
from ingesting import Documents, applied, everything, messages, settled
from postbox import CHANNEL, profiled, raw, running, said

from connectors.tasks import end
from inbox import housekeeping
from inbox.attachments import Attachments
from inbox.ingest import Ingest
from inbox.ingest.apply import apply
from inbox.ingest.backlog import HELD_BYTES
from inbox.ingest.entries import Understood
from inbox.outbox import OutboxWorker
from inbox.store import Store
from normalizer.outcomes import Raw


async def sent(ingest: Ingest, numbers: Iterable[int]) -> None:
    """A customer sends these, one after another, into one thread."""
    for n in numbers:
        await ingest.receive(CHANNEL, raw(f"k{n}", said(f"m{n}", thread="t")))


async def test_one_thread_is_one_conversation_in_order_without_gaps(store: Store, documents: Documents) -> None:
    await applied(store, documents, *[raw(f"k{n}", said(f"m{n}", thread="t")) for n in range(300)])
    found = await messages(documents)
    assert [one["seq"] for one in found] == list(range(1, 301))
    assert [one["text"] for one in found] == [f"m{n}" for n in range(300)]
    (conversation,) = (await everything(documents))["conversations"]
    assert (conversation["last_seq"], conversation["inbound"], conversation["status"]) == (300, 300, "open")
    assert conversation["last_message"]["text"] == "m299"


async def test_what_a_dead_process_left_is_picked_up_before_what_comes(store: Store, documents: Documents) -> None:
    dead = postbox.ingest(store, "dead")
    await store.processes.beat("dead", {"id": "nothing"}, {})
    await sent(dead, range(5))
    await store.processes.leave("dead")
    heir = postbox.ingest(store, "heir")
    outbox = OutboxWorker(store, "heir", {}, Attachments(store), postbox.metrics())
    await postbox.housekeeping(store, "heir", heir, outbox).begin()
    async with running(heir):
        await sent(heir, range(5, 10))
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
    await sent(ingest, range(600))
    async with running(ingest):
        await sent(ingest, range(600, 700))
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
