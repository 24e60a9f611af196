"""What reports count: the precision of times, and that each change of a transaction counts."""

from __future__ import annotations

import asyncio
import random
import statistics
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from inbox.conversations import Conversations
from inbox.model import Conversation, Status, new_id
from inbox.store import Store, Unit
from inbox.tallies import PRECISION, quantile, slot_of

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.mark.parametrize("longest", [10, 3600, 10**6, 10**9])
def test_median_and_p90_are_as_precise_as_they_say(longest: int) -> None:
    chance = random.Random(longest)
    times = [longest ** chance.random() for _ in range(1001)]
    slots = Counter(slot_of(timedelta(seconds=time)) for time in times)
    exact = statistics.quantiles(times, n=10, method="inclusive")
    assert quantile(slots, 0.5) == pytest.approx(statistics.median(times), rel=PRECISION + 0.01, abs=0.06)
    assert quantile(slots, 0.9) == pytest.approx(exact[8], rel=PRECISION + 0.01, abs=0.06)


def test_few_times_and_none_have_quantiles_too() -> None:
    assert quantile({}, 0.5) is None
    slots = Counter([slot_of(timedelta(seconds=60))])
    assert quantile(slots, 0.5) == quantile(slots, 0.9) == pytest.approx(60, rel=0.05)
    for instant in (timedelta(0), timedelta(seconds=-5), timedelta(milliseconds=1)):
        assert slot_of(instant) == 0


async def test_what_is_resolved_and_opened_again_in_one_transaction_was_resolved(store: Store, documents: Any) -> None:
    conversation = Conversation(id=new_id(), customer_id="ada", channels=("post",), created_at=NOW, updated_at=NOW)

    async def begin(unit: Unit) -> None:
        unit.put(conversation)

    await store.write(begin)
    held = asyncio.Event()

    async def hold(_: Unit) -> None:
        await held.wait()

    hand = Conversations(store)
    statuses: tuple[Status, ...] = ("resolved", "open", "resolved", "open")
    writes = [asyncio.create_task(store.write(hold))]
    await asyncio.sleep(0)
    for status in statuses:  # all of them wait for the one that is held, and share the next
        writes.append(asyncio.create_task(hand.change(conversation.id, {"status": status}, version=None)))
        await asyncio.sleep(0)
    held.set()
    *_, last = await asyncio.gather(*writes)
    assert last.opened_at is not None

    numbers = await documents["counters"].find_one({"_id": "transactions"})
    assert numbers["number"] <= 3
    tallies = [tally async for tally in documents["reports"].find({"channel": "post", "team": None})]
    assert sum(sum(tally.get("resolved", {}).values()) for tally in tallies) == 2
    assert sum(tally["open"] for tally in tallies) == 1


async def test_a_change_that_is_undone_counts_nothing(store: Store, documents: Any) -> None:
    async def change(unit: Unit) -> None:
        unit.put(Conversation(id=new_id(), customer_id="ada", created_at=NOW, updated_at=NOW))
        raise ValueError("not this time")

    with pytest.raises(ValueError, match="not this time"):
        await store.write(change)
    assert await documents["reports"].count_documents({}) == 0
