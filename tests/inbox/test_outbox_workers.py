"""Replies of workers that die, stand still, or are two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from harness import PATIENCE, eventually
from outbox_office import Office
from pymongo import AsyncMongoClient
from rig.replica_set import ReplicaSet

from inbox.store import Store, StoreUnavailableError


async def claimed_by_a_dead_worker(office: Office, state: str) -> str:
    id_ = await office.reply(await office.conversation())
    await office.documents["outbox"].update_one({"_id": id_}, {"$set": {"state": state, "owner": "dead"}})
    if state == "sending":
        await office.documents["messages"].update_one({"_id": id_}, {"$set": {"delivery.state": "sending"}})
    return id_


async def test_what_a_dead_worker_had_only_claimed_goes_out(office: Office) -> None:
    id_ = await claimed_by_a_dead_worker(office, "claimed")
    await office.worker.recover(["me"])
    async with office.working():
        await office.until(id_, "sent")
    assert office.platform.taken == [(id_, 0)]


async def test_of_what_a_dead_worker_was_sending_nobody_knows(office: Office) -> None:
    id_ = await claimed_by_a_dead_worker(office, "sending")
    await office.worker.recover(["me"])
    unknown = await office.delivery(id_)
    assert unknown.state == "unknown"
    assert unknown.error is not None
    assert "may have left" in unknown.error.text
    async with office.working():
        await office.replies.retry(id_)
        await office.until(id_, "sent")


async def test_what_a_dead_worker_was_sending_goes_out_again_where_twice_shows_once(sure: Office) -> None:
    id_ = await claimed_by_a_dead_worker(sure, "sending")
    await sure.worker.recover(["me"])
    async with sure.working():
        await sure.until(id_, "sent")


async def test_what_a_living_worker_is_sending_is_left_to_it(office: Office) -> None:
    id_ = await claimed_by_a_dead_worker(office, "sending")
    await office.worker.recover(["me", "dead"])
    assert (await office.delivery(id_)).state == "sending"


async def test_a_worker_that_was_taken_for_dead_writes_nothing_more(office: Office) -> None:
    id_ = await office.reply(await office.conversation())
    office.platform.door.clear()
    async with office.working():
        await office.until(id_, "sending")
        await office.another_worker("heir").recover(["heir"])
        assert (await office.delivery(id_)).state == "unknown"
        office.platform.door.set()
        await office.worker.drain(PATIENCE)  # it has heard what became of it
        assert office.platform.taken == [(id_, 0)]
        assert (await office.delivery(id_)).state == "unknown"


async def test_what_left_while_the_database_was_away_is_known_once_it_is_back(by_hand: None, tmp_path: Path) -> None:
    replica_set = ReplicaSet(tmp_path, members=1)
    try:
        await replica_set.start()
        store = await Store.open(replica_set.url)
        async with AsyncMongoClient[dict[str, Any]](replica_set.url, tz_aware=True) as client:
            office = Office(store, client.get_default_database())
            id_ = await office.reply(await office.conversation())
            office.platform.door.clear()
            async with office.working():
                await office.until(id_, "sending")
                proxy = replica_set.members[0].proxy
                proxy.refusing = True
                proxy.cut()
                office.platform.door.set()
                with pytest.raises(StoreUnavailableError):
                    await office.reply("any")
                proxy.refusing = False
                await eventually(store.ping)
                assert (await office.until(id_, "sent", "unknown")).state == "sent"
            assert office.platform.taken == [(id_, 0)]
        await store.close()
    finally:
        await replica_set.stop()


async def test_two_workers_send_each_reply_once(office: Office) -> None:
    ids = [await office.reply(await office.conversation(thread=f"t{n}")) for n in range(12)]
    async with office.working(), office.working(office.another_worker("other")):
        for id_ in ids:
            await office.until(id_, "sent")
    assert sorted(office.platform.taken) == sorted((id_, 0) for id_ in ids)
