"""Group commit: the callers of one write do not hurt each other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from harness import PATIENCE

from connectors.errors import UnavailableError
from inbox.group_commit import GroupCommit


class Ledger:
    """Where batches are written: its owner may close the door, poison an item, or take the whole thing away."""

    def __init__(self, *, batch: int = 10, backlog: int = 100, patience: float = 60.0) -> None:
        self.batches: list[list[int]] = []
        self.written: list[int] = []
        self.poisonous: set[int] = set()
        self.refused: set[int] = set()
        self.away = False
        self.door = asyncio.Event()
        self.door.set()
        self.group: GroupCommit[int, int] = GroupCommit(self._commit, batch=batch, backlog=backlog, patience=patience)

    async def _commit(self, items: Sequence[int]) -> Sequence[int | Exception]:
        self.batches.append(list(items))
        await self.door.wait()
        if self.away:
            raise UnavailableError("away")
        if self.poisonous & set(items):
            raise ValueError("the whole batch was refused")
        self.written += [item for item in items if item not in self.refused]
        return [KeyError(item) if item in self.refused else item * 10 for item in items]

    def submit(self, *items: int, weight: int = 1) -> list[asyncio.Task[int]]:
        return [asyncio.create_task(self.group.submit(item, weight)) for item in items]

    async def until_batches(self, number: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while len(self.batches) < number:
                await asyncio.sleep(0)


async def test_each_caller_hears_of_its_own_item() -> None:
    ledger = Ledger()
    ledger.refused = {2}
    one, two, three = ledger.submit(1, 2, 3)
    assert (await one, await three) == (10, 30)
    with pytest.raises(KeyError):
        await two


async def test_the_next_batch_forms_while_the_last_is_in_flight() -> None:
    ledger = Ledger(batch=3)
    ledger.door.clear()
    first = ledger.submit(1)
    await ledger.until_batches(1)
    rest = ledger.submit(2, 3, 4, 5)
    await asyncio.sleep(0)
    ledger.door.set()
    await asyncio.gather(*first, *rest)
    assert ledger.batches == [[1], [2, 3, 4], [5]]


async def test_the_next_batch_begins_before_those_of_the_last_answer() -> None:
    ledger = Ledger()
    ledger.door.clear()
    begun: list[int] = []

    async def answering() -> None:
        await ledger.group.submit(1)
        begun.append(len(ledger.batches))

    first = asyncio.create_task(answering())
    await ledger.until_batches(1)
    rest = ledger.submit(2)
    await asyncio.sleep(0)
    ledger.door.set()
    await asyncio.gather(first, *rest)
    assert begun == [2]


async def test_a_lone_caller_does_not_wait_for_company() -> None:
    ledger = Ledger()
    (lone,) = ledger.submit(7)
    for _ in range(5):  # turns, and no time
        await asyncio.sleep(0)
    assert lone.done()
    assert await lone == 70


async def test_a_cancelled_caller_takes_nothing_from_its_neighbours() -> None:
    ledger = Ledger()
    ledger.door.clear()
    before, cancelled, after = ledger.submit(1, 2, 3)
    await ledger.until_batches(1)
    cancelled.cancel()
    await asyncio.wait([cancelled])
    ledger.door.set()
    assert (await before, await after) == (10, 30)
    assert ledger.written == [1, 2, 3]


async def test_what_is_waiting_is_written_though_all_its_callers_have_gone() -> None:
    ledger = Ledger()
    ledger.door.clear()
    callers = ledger.submit(1, 2)
    await ledger.until_batches(1)
    callers += ledger.submit(3)
    await asyncio.sleep(0)
    for caller in callers:
        caller.cancel()
    await asyncio.wait(callers)
    ledger.door.set()
    await ledger.group.close()
    assert ledger.written == [1, 2, 3]


async def test_a_poisonous_item_hurts_itself_alone() -> None:
    ledger = Ledger()
    ledger.poisonous = {2}
    one, two, three = ledger.submit(1, 2, 3)
    assert (await one, await three) == (10, 30)
    with pytest.raises(ValueError, match="refused"):
        await two
    assert ledger.batches == [[1, 2, 3], [1], [2], [3]]


async def test_an_error_nobody_awaits_is_no_complaint_of_the_loop() -> None:
    ledger = Ledger()
    ledger.poisonous = {1}
    (caller,) = ledger.submit(1)
    await ledger.until_batches(1)
    caller.cancel()
    await asyncio.wait([caller])
    await ledger.group.close()


async def test_when_the_database_is_away_all_hear_it_at_once() -> None:
    ledger = Ledger()
    ledger.away = True
    callers = ledger.submit(1, 2, 3)
    outcomes = await asyncio.gather(*callers, return_exceptions=True)
    assert all(isinstance(outcome, UnavailableError) for outcome in outcomes)
    assert ledger.batches == [[1, 2, 3]]
    ledger.away = False
    assert await ledger.group.submit(4) == 40


async def test_more_than_the_backlog_is_refused_and_room_comes_back() -> None:
    ledger = Ledger(batch=2, backlog=4)
    ledger.door.clear()
    first = ledger.submit(1, 2)
    await ledger.until_batches(1)
    waiting = ledger.submit(3, 4, 5, 6)
    await asyncio.sleep(0)
    with pytest.raises(UnavailableError):
        await ledger.group.submit(7)
    ledger.door.set()
    await asyncio.gather(*first, *waiting)
    assert await ledger.group.submit(8) == 80


async def test_an_item_over_every_limit_is_written_alone() -> None:
    ledger = Ledger(batch=2, backlog=4)
    ledger.door.clear()
    first = ledger.submit(1)
    await ledger.until_batches(1)
    large, small = *ledger.submit(2, weight=100), *ledger.submit(3)
    await asyncio.sleep(0)
    ledger.door.set()
    outcomes = await asyncio.gather(*first, large, small, return_exceptions=True)
    assert outcomes[:2] == [10, 20]
    assert isinstance(outcomes[2], UnavailableError)
    assert [2] in ledger.batches


async def test_a_closed_group_has_written_all_it_took_and_takes_no_more() -> None:
    ledger = Ledger(batch=1)
    callers = ledger.submit(1, 2, 3)
    await asyncio.sleep(0)
    await ledger.group.close()
    assert await asyncio.gather(*callers) == [10, 20, 30]
    with pytest.raises(UnavailableError):
        await ledger.group.submit(4)


async def test_nobody_waits_for_ever_and_all_goes_on_when_the_batch_is_done() -> None:
    ledger = Ledger(batch=2, patience=0.05)
    ledger.door.clear()
    callers = ledger.submit(1, 2, 3)
    outcomes = await asyncio.wait_for(asyncio.gather(*callers, return_exceptions=True), PATIENCE)
    assert all(isinstance(outcome, UnavailableError) for outcome in outcomes)
    with pytest.raises(UnavailableError):
        await ledger.group.submit(4)
    ledger.door.set()
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                assert await ledger.group.submit(5) == 50
            except UnavailableError:
                await asyncio.sleep(0.01)
            else:
                break
    assert ledger.written == [1, 2, 5]
