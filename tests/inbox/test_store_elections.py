"""The journal on a database that fails as a replica set in an election does."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from rig.replica_set import ReplicaSet

from inbox.store import JournalEntry, Store, StoreUnavailableError

SHUTDOWN_IN_PROGRESS = 91


def entry(key: str, message_id: str) -> JournalEntry:
    return JournalEntry(
        id=key,
        channel="post",
        connector="postbox",
        message_id=message_id,
        content_type="text/plain",
        envelope={},
        size=1,
        body=b"x",
        received_at=datetime.now(UTC),
        owner="me",
    )


@pytest.mark.parametrize("again", [[], ["known"]])
async def test_what_no_majority_is_known_to_have_is_not_told_as_kept(again: list[str], tmp_path: Path) -> None:
    replica_set = ReplicaSet(tmp_path, "--setParameter", "enableTestCommands=1", members=1)
    try:
        await replica_set.start()
        store = await Store.open(replica_set.url)
        await store.journal.add([entry("known", "m0")])
        async with AsyncMongoClient[dict[str, Any]](replica_set.url) as client:
            failing = {"code": SHUTDOWN_IN_PROGRESS, "errmsg": "", "errorLabels": ["RetryableWriteError"]}
            data = {"failCommands": ["insert"], "writeConcernError": failing}
            await client.admin.command({"configureFailPoint": "failCommand", "mode": "alwaysOn", "data": data})
            batch = [*(entry(key, "m1") for key in again), entry("new", "m2")]
            with pytest.raises(StoreUnavailableError):
                await store.journal.add(batch)
            await client.admin.command({"configureFailPoint": "failCommand", "mode": "off"})
        assert [one.message_id for one in await store.journal.add(batch) if isinstance(one, JournalEntry)] == [
            *("m0" for _ in again),
            "m2",
        ]
        await store.close()
    finally:
        await replica_set.stop()
