"""Whether the office is open, and until when."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo

import pytest

from connectors.hours import OfficeHours, Opening, Span

BERLIN = ZoneInfo("Europe/Berlin")
AZORES = ZoneInfo("Atlantic/Azores")
NINE_TO_SIX = (9 * 60, 18 * 60)


def office(
    *, zone: tzinfo = BERLIN, closed: tuple[str, ...] = (), every: tuple[Span, ...] = (), **days: tuple[Span, ...]
) -> OfficeHours:
    names = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    return OfficeHours(
        zone=zone,
        week=tuple(days.get(name, every) for name in names),
        closed=frozenset(map(date.fromisoformat, closed)),
    )


def told(opening: Opening) -> tuple[bool, str | None]:
    return opening.open, opening.changes_at and opening.changes_at.strftime("%a %Y-%m-%d %H:%M")


LUNCH = office(monday=((540, 750), (810, 1080)), friday=(NINE_TO_SIX,))
PARTY = office(saturday=((20 * 60, 1440),), sunday=((0, 120),))
NIGHT = office(every=((150, 240),))


@pytest.mark.parametrize(
    ("hours", "now", "open_now", "changes"),
    [
        # 2026-06-01 is a Monday; Berlin is two hours ahead of UTC.
        pytest.param(LUNCH, "2026-06-01T06:59:59", False, "Mon 2026-06-01 07:00", id="a second before"),
        pytest.param(LUNCH, "2026-06-01T07:00:00", True, "Mon 2026-06-01 10:30", id="opens"),
        pytest.param(LUNCH, "2026-06-01T10:30:00", False, "Mon 2026-06-01 11:30", id="the break"),
        pytest.param(LUNCH, "2026-06-01T16:00:00", False, "Fri 2026-06-05 07:00", id="days between"),
        pytest.param(LUNCH, "2026-06-05T16:00:00", False, "Mon 2026-06-08 07:00", id="the week goes round"),
        pytest.param(PARTY, "2026-06-06T21:59:00", True, "Sun 2026-06-07 00:00", id="over midnight"),
        pytest.param(PARTY, "2026-06-06T22:00:00", True, "Sun 2026-06-07 00:00", id="midnight itself"),
        pytest.param(
            office(every=(NINE_TO_SIX,), closed=("2026-06-02", "2026-06-03")),
            "2026-06-01T16:00:00", False, "Thu 2026-06-04 07:00", id="holidays",
        ),
        pytest.param(
            office(every=(NINE_TO_SIX,), closed=tuple(f"2026-06-{day:02}" for day in range(1, 31))),
            "2026-06-01T07:00:00", False, "Wed 2026-07-01 07:00", id="weeks of closure",
        ),
        pytest.param(
            office(every=((0, 1440),), closed=("2026-12-25",)),
            "2026-06-01T07:00:00", True, "Thu 2026-12-24 23:00", id="always but for a holiday",
        ),
        pytest.param(office(every=((0, 1440),)), "2026-06-01T07:00:00", True, None, id="always"),
        pytest.param(office(), "2026-06-01T07:00:00", False, None, id="never"),
        # Clocks go from 02:00 to 03:00 on 2026-03-29, from 03:00 to 02:00 on 2026-10-25, both at 01:00 UTC.
        pytest.param(LUNCH, "2026-03-27T17:00:00", False, "Mon 2026-03-30 07:00", id="summer time comes meanwhile"),
        pytest.param(NIGHT, "2026-03-29T00:59:00", False, "Sun 2026-03-29 01:00", id="02:30 is left out"),
        pytest.param(NIGHT, "2026-03-29T01:00:00", True, "Sun 2026-03-29 02:00", id="a shorter night"),
        pytest.param(NIGHT, "2026-10-25T00:29:00", False, "Sun 2026-10-25 00:30", id="the first 02:30"),
        pytest.param(NIGHT, "2026-10-25T01:15:00", True, "Sun 2026-10-25 03:00", id="the second 02:15"),
        pytest.param(
            office(every=((0, 150),)), "2026-10-25T00:45:00", True, "Sun 2026-10-25 01:30", id="until the last 02:30"
        ),
        # There it strikes midnight twice: at 00:00 and at 01:00 UTC.
        pytest.param(
            office(zone=AZORES, saturday=((600, 1440),)),
            "2026-10-24T20:00:00", True, "Sun 2026-10-25 00:00", id="the first midnight",
        ),
        pytest.param(office(zone=UTC, monday=(NINE_TO_SIX,)), "2026-06-01T09:00:00", True, "Mon 2026-06-01 18:00",
                     id="UTC"),
    ],
)  # fmt: skip
def test_it_says_whether_it_is_open_and_when_that_changes(
    hours: OfficeHours, now: str, *, open_now: bool, changes: str | None
) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)

    assert told(hours.at(moment)) == (open_now, changes)


@pytest.mark.parametrize("hours", [LUNCH, PARTY, NIGHT, office(every=((0, 1440),), closed=("2026-10-25",))])
@pytest.mark.parametrize("around", ["2026-03-27", "2026-10-23"])
def test_what_it_says_of_the_next_change_is_so(hours: OfficeHours, around: str) -> None:
    now = datetime.fromisoformat(around).replace(tzinfo=UTC)
    for _ in range(6):
        opening = hours.at(now)
        if opening.changes_at is None:
            return
        assert opening.changes_at > now
        assert hours.at(opening.changes_at).open is not opening.open
        assert hours.at(now + (opening.changes_at - now) / 2).open is opening.open
        now = opening.changes_at
