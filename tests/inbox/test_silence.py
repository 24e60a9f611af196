"""A channel that is silent when it never used to be shows: by its traffic, or by a poller's own word."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import postbox
import pytest
from harness import eventually
from postbox import CHANNEL, Platform, Postbox

from connectors.pulse import LEAST_SECONDS, Pulse
from connectors.supervisor import Supervisor
from inbox.activity import Activity
from inbox.silence import HOUR, WEEK, hour_of, unusual
from inbox.store import Store

NOW = datetime(2026, 11, 25, 14, 20, tzinfo=UTC)


def traffic(count: int, *, weeks: int = 4, quiet: Mapping[int, int] | None = None) -> dict[datetime, int]:
    """As many messages in each hour of that many weeks; `quiet` weeks have others."""
    begin = hour_of(NOW) - weeks * WEEK
    return {begin + n * HOUR: (quiet or {}).get(weeks - n // 168, count) for n in range(weeks * 168)}


@pytest.mark.parametrize(
    ("hours", "silent_for", "missed"),
    [
        (traffic(5), timedelta(hours=4), 15),  # three whole hours of five each
        (traffic(5), timedelta(hours=2), None),  # five are too few to be missed
        (traffic(5, quiet={2: 0}), timedelta(hours=9), None),  # a week before last it was as silent
        (traffic(5, quiet={2: 4}), timedelta(hours=4), 12),
        (traffic(5, weeks=2), timedelta(hours=4), 15),
        (traffic(5, weeks=1), timedelta(hours=4), None),  # a week ago it began later in the day
        (traffic(500), timedelta(minutes=30), None),  # no whole hour yet
        ({NOW - timedelta(days=2): 500}, timedelta(hours=9), None),  # nothing is known of a week ago
        ({}, timedelta(hours=9), None),
    ],
)
def test_a_silence_is_measured_by_the_same_hours_of_other_weeks(
    hours: dict[datetime, int], silent_for: timedelta, missed: int | None
) -> None:
    found = unusual(hours, NOW - silent_for, NOW)
    assert (found.missed if found else None) == missed


def test_a_silence_of_days_is_judged_by_its_last_day() -> None:
    found = unusual(traffic(1), NOW - timedelta(days=3), NOW)
    assert found is not None
    assert (found.missed, found.lasting) == (23, timedelta(days=3))


async def test_what_comes_is_counted_over_all_processes_and_a_silence_is_told(store: Store) -> None:
    running = asyncio.Event()

    def make_context(_channel: str, seat: Any) -> Any:
        seat.ready.set()
        running.set()
        return seat

    now = datetime.now(UTC)
    for activity in (Activity(), Activity()):
        for week in (1, 2):
            for n in range(12):
                activity.came(CHANNEL, 1, now - week * WEEK - n * HOUR / 2)
        activity.came(CHANNEL, 1, now - 3 * WEEK)
        activity.came(CHANNEL, 1, now - timedelta(hours=8))
        await activity.share(store)
    supervisor = Supervisor({CHANNEL: Postbox(Platform())}, {}, make_context)
    supervisor.start()
    try:
        roster = postbox.roster(store, "me", supervisor)
        await running.wait()
        await roster.listen_for_silence(activity, now)

        async def told() -> str | None:
            (state,) = supervisor.states()
            return state.reason if state.state == "silent" else None

        assert "no message for 8 h; in the same hours of the last" in (await eventually(told) or "")
        activity.came(CHANNEL, 1, now)
        await roster.listen_for_silence(activity, now)
        assert [state.state for state in supervisor.states()] == ["running"]
    finally:
        await supervisor.stop()


def test_a_poller_that_falls_silent_is_deaf_and_one_that_never_spoke_is_not() -> None:
    pulse = Pulse()
    assert pulse.silence(1e6) is None
    for second in range(0, 300, 30):
        pulse.beat(float(second))
    assert pulse.silence(270.0 + 2 * 30) is None
    assert pulse.silence(270.0 + 4 * 30 + 1) == (121.0, 30.0)
    pulse.beat(400.0)
    assert pulse.silence(400.0 + LEAST_SECONDS) is None
