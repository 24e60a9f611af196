"""The rates of platforms, over all processes."""

from __future__ import annotations

from harness import PATIENCE, eventually
from ingesting import Documents
from msgspec.structs import replace
from outbox_office import Office
from postbox import CHANNEL, Platform, Postbox

from connectors.base import Rate
from inbox.outbox import OF_ONE_CHANNEL
from inbox.store import Store


class SlowPostbox(Postbox):
    """Its platform bears three pieces in two seconds, and one a second in a thread."""

    capabilities = replace(
        Postbox.capabilities, rates=(Rate(count=1, seconds=1.0, per="thread"), Rate(count=3, seconds=2.0))
    )


async def test_the_rates_of_a_platform_are_kept_over_all_processes(
    by_hand: None, store: Store, documents: Documents
) -> None:
    office = Office(store, documents, SlowPostbox)
    office.platform.pieces = 2
    replies = [await office.reply(await office.conversation(sender=f"c{n}", thread=f"t{n}")) for n in range(2)]
    async with office.working(), office.working(office.another_worker("other")):
        for id_ in replies:
            await office.until(id_, "sent")
    budgets = {one["_id"]: one["times"] async for one in documents["budgets"].find({})}
    assert set(budgets) == {f"{CHANNEL}|t0|1/1", f"{CHANNEL}|t1|1/1", f"{CHANNEL}|3/2"}
    assert all(len(times) == 1 for key, times in budgets.items() if key != f"{CHANNEL}|3/2")


async def test_a_budget_is_one_for_all_processes_and_comes_back_with_time(mongod_url: str, store: Store) -> None:
    other = await Store.open(mongod_url)
    assert [await one.budgets.take("k", 3, 3600) for one in (store, other, store)] == [0, 0, 0]
    wait = await other.budgets.take("k", 3, 3600)
    assert 3600 - PATIENCE < wait <= 3600
    assert await other.budgets.take("another", 3, 3600) == 0

    async def again() -> bool:  # by then the three are older than that
        return await store.budgets.take("k", 3, 1.5) == 0

    await eventually(again)
    await other.close()


async def test_a_platform_that_keeps_everybody_waiting_does_not_hold_up_the_others(
    store: Store, documents: Documents
) -> None:
    office = Office(store, documents)
    office.platform.door.clear()
    waiting = [
        await office.reply(await office.conversation(sender=f"c{n}", thread=f"t{n}")) for n in range(OF_ONE_CHANNEL + 2)
    ]
    other = Postbox(Platform(), "other")
    worker = office.another_worker("me", **{CHANNEL: office.postbox, "other": other})
    async with office.working(worker):
        for id_ in waiting[:OF_ONE_CHANNEL]:
            await office.until(id_, "sending")
        quick = await office.reply(await office.conversation(sender="dan", thread="quick"))
        moved = {"channel": "other", "lane": f"other|{quick}"}
        await office.documents["outbox"].update_one({"_id": quick}, {"$set": moved})
        await office.until(quick, "sent")
        assert (await office.delivery(waiting[-1])).state == "queued"
        office.platform.door.set()
        for id_ in waiting:
            await office.until(id_, "sent")
