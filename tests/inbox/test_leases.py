"""Leases: one holder over all processes, and a late one knows that it is late."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from harness import PATIENCE, eventually
from pymongo.asynchronous.database import AsyncDatabase

from connectors.errors import LeaseLostError
from inbox import leases
from inbox.leases import hold
from inbox.store import Store
from inbox.store import leases as stored
from inbox.store.leases import LEASE_SECONDS

Documents = AsyncDatabase[dict[str, Any]]


@pytest.fixture
def lasting(monkeypatch: pytest.MonkeyPatch) -> None:
    """No lease ends by itself, however slow the machine is."""
    for module in (leases, stored):
        monkeypatch.setattr(module, "LEASE_SECONDS", 3600.0)


@pytest.mark.usefixtures("lasting")
async def test_one_holds_and_the_next_gets_a_higher_token(store: Store) -> None:
    async with hold(store, "a", "l") as first:
        assert await store.leases.acquire("l", "b") is None
        assert await store.leases.acquire("l", "a") == first.token
    async with hold(store, "b", "l") as second:
        assert second.token > first.token


async def test_leases_of_other_names_are_others(store: Store) -> None:
    async with hold(store, "a", "l"), hold(store, "b", "m"):
        pass


@pytest.mark.usefixtures("lasting")
async def test_who_waits_gets_it_when_it_is_given_back(store: Store) -> None:
    async def wait() -> int:
        async with hold(store, "b", "l") as lease:
            return lease.token

    async with hold(store, "a", "l") as first:
        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0.1)
        assert not waiting.done()
    assert await asyncio.wait_for(waiting, PATIENCE) > first.token


@pytest.mark.usefixtures("lasting")
async def test_a_holder_that_fell_silent_loses_it_and_its_cursor_is_refused(
    store: Store, documents: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "BEAT_SECONDS", 3600.0)  # nobody renews
    async with hold(store, "silent", "l") as late:
        await late.save_cursor(b"1")
        await documents["leases"].update_one(
            {"_id": "l"}, {"$set": {"until": datetime.now(UTC) - timedelta(seconds=1)}}
        )
        async with hold(store, "heir", "l") as heir:
            assert heir.token == late.token + 1
            assert await heir.load_cursor() == b"1"
            await heir.save_cursor(b"2")
            with pytest.raises(LeaseLostError):
                await late.save_cursor(b"3")
            assert await late.load_cursor() == b"2"


async def test_a_holder_whose_renewals_do_not_come_through_is_stopped_before_another_begins(
    store: Store, documents: Documents
) -> None:
    with pytest.raises(LeaseLostError):  # noqa: PT012 (it is the block that is cancelled)
        async with hold(store, "silent", "l"):
            # Its renewals find a lease that is another's, as they do where they come too late.
            await documents["leases"].update_one({"_id": "l"}, {"$set": {"owner": "heir"}})
            await asyncio.sleep(3600)
    assert await store.leases.acquire("l", "heir") is not None


async def test_a_holder_that_stood_still_is_stopped_when_it_wakes(store: Store) -> None:
    with pytest.raises(LeaseLostError):  # noqa: PT012 (likewise)
        async with hold(store, "silent", "l"):
            time.sleep(LEASE_SECONDS + 0.5)  # as SIGSTOP does
            await asyncio.sleep(3600)

    async def free() -> bool:  # a renewal that it began when it woke may come after its giving back
        return await store.leases.acquire("l", "heir") is not None

    await eventually(free)


@pytest.mark.usefixtures("lasting")
async def test_many_at_once_make_one_holder(store: Store) -> None:
    got = await asyncio.gather(*[store.leases.acquire("l", f"p{n}") for n in range(20)])
    assert len([token for token in got if token is not None]) == 1


@pytest.mark.usefixtures("lasting")
async def test_an_error_inside_gives_it_back(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        async with hold(store, "a", "l"):
            raise ZeroDivisionError

    async def free() -> bool:
        return await store.leases.acquire("l", "b") is not None

    assert await eventually(free)


async def test_a_dead_process_is_buried_though_its_session_cannot_be_ended(store: Store, documents: Documents) -> None:
    await store.processes.beat("dead", {"id": "no session"}, {})
    await documents["processes"].update_many({}, {"$set": {"seen_at": datetime.now(UTC) - timedelta(hours=1)}})
    await store.processes.beat("alive", store.session_id, {})
    assert await store.processes.bury() == 1
    assert await store.processes.alive() == ["alive"]
