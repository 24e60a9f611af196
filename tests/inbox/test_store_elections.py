"""Writes on a database that fails as a replica set in an election does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import postbox
import pytest
from harness import PATIENCE, eventually
from postbox import CHANNEL, entry, raw, said
from pymongo import AsyncMongoClient
from rig.replica_set import ReplicaSet

from connectors.tasks import end
from inbox import store as module
from inbox.store import JournalEntry, Store, StoreUnavailableError

INTERRUPTED_BY_STEP_DOWN = 11602
NOT_KNOWN_IN_TIME = 64


@pytest.fixture
async def replica_set(tmp_path: Path) -> AsyncIterator[ReplicaSet]:
    running = ReplicaSet(tmp_path, "--setParameter", "enableTestCommands=1", members=1)
    try:
        await running.start()
        yield running
    finally:
        await running.stop()


@contextlib.asynccontextmanager
async def no_majority(
    replica_set: ReplicaSet, command: str, code: int = INTERRUPTED_BY_STEP_DOWN, mode: Any = "alwaysOn"
) -> AsyncIterator[None]:
    """Meanwhile such a write is done, and nobody hears that a majority has it; `code` says why, `mode` how often."""
    failing = {"code": code, "errmsg": "", "errorLabels": ["RetryableWriteError"]}
    data = {"failCommands": [command], "writeConcernError": failing}
    async with AsyncMongoClient[dict[str, Any]](replica_set.url) as client:
        await client.admin.command({"configureFailPoint": "failCommand", "mode": mode, "data": data})
        yield
        await client.admin.command({"configureFailPoint": "failCommand", "mode": "off"})


async def test_what_no_majority_is_known_to_have_is_not_told_as_kept(replica_set: ReplicaSet) -> None:
    store = await Store.open(replica_set.url)
    await store.journal.add([entry("known", "m0")])
    for batch in ([entry("new", "m1")], [entry("known", "m2"), entry("newer", "m3")]):
        async with no_majority(replica_set, "insert"):
            with pytest.raises(StoreUnavailableError):
                await store.journal.add(batch)
    standing = await store.journal.add([entry("known", "m4"), entry("new", "m5"), entry("newer", "m3")])
    assert [one.message_id for one in standing if isinstance(one, JournalEntry)] == ["m0", "m1", "m3"]
    await store.close()


async def test_any_other_write_of_which_no_majority_is_known_counts_as_a_database_that_is_away(
    replica_set: ReplicaSet,
) -> None:
    store = await Store.open(replica_set.url)
    async with no_majority(replica_set, "update"):
        with pytest.raises(StoreUnavailableError):
            await store.processes.beat("me", store.session_id, {})
    await store.close()


@pytest.mark.parametrize("command", ["createIndexes", "update"])
async def test_a_start_waits_an_election_out(replica_set: ReplicaSet, command: str) -> None:
    async with no_majority(replica_set, command, mode={"times": 2}):
        store = await Store.open(replica_set.url)
    assert await store.ping()
    await store.close()


async def test_a_start_without_a_primary_waits_for_one(
    replica_set: ReplicaSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ELECTION_SECONDS", PATIENCE)
    async with AsyncMongoClient[dict[str, Any]](replica_set.url) as client:
        await client.admin.command({"replSetStepDown": 10, "force": True})

    async def is_without() -> bool:  # a member that is slow to answer says nothing
        return bool((await replica_set.members[0].hello()).get("secondary"))

    await eventually(is_without)
    store = await Store.open(replica_set.url)
    assert await store.ping()
    await store.close()


async def test_a_start_waits_for_a_primary_so_long_and_no_longer(
    replica_set: ReplicaSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ELECTION_SECONDS", 0.5)
    async with AsyncMongoClient[dict[str, Any]](replica_set.url) as client:
        await client.admin.command({"replSetStepDown": 600, "force": True})
    with pytest.raises(StoreUnavailableError, match="no primary"):
        await Store.open(replica_set.url)


async def test_a_commit_that_nobody_hears_of_changes_no_order(replica_set: ReplicaSet) -> None:
    store = await Store.open(replica_set.url)
    ingest = postbox.ingest(store, alone=True)
    events = [raw(f"k{n}", said(f"m{n}", thread="t"), sender="ada") for n in range(1200)]
    async with AsyncMongoClient[dict[str, Any]](replica_set.url) as client:
        messages = client.get_default_database()["messages"]

        async def there(count: int) -> bool:
            return await messages.count_documents({}) >= count

        applying = asyncio.create_task(ingest.run())
        async with no_majority(replica_set, "commitTransaction", NOT_KNOWN_IN_TIME):
            await ingest.receive(CHANNEL, events[0])
            await eventually(lambda: there(1))
            await asyncio.gather(*(ingest.receive(CHANNEL, event) for event in events[1:]))
        await eventually(lambda: there(len(events)))
        await end(applying)
        assert [one["text"] async for one in messages.find().sort("seq")] == [f"m{n}" for n in range(len(events))]
    await store.close()
