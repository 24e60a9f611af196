"""When the office is open: reckoned by its own clocks, without reading one."""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo

from msgspec import Struct

HORIZON_DAYS = 366
DAY_MINUTES = 1440

Span = tuple[int, int]
"""Open from and to, in minutes since midnight; 1440 is the day's end."""


class Opening(Struct, frozen=True, kw_only=True):
    """Whether the office is open, and when that changes next: aware, in UTC; None: within a year it does not."""

    open: bool
    changes_at: datetime | None


class OfficeHours(Struct, frozen=True, kw_only=True):
    """Opening times of a week by the clocks of `zone`.

    Attributes:
        zone: whose clocks the times are of.
        week: the spans of each day in order, Monday first.
        closed: days on which the office is closed, whatever day of the week they are.
    """

    zone: tzinfo
    week: tuple[tuple[Span, ...], ...]
    closed: frozenset[date] = frozenset()

    def at(self, now: datetime) -> Opening:
        """Whether it is open at `now` (aware).

        An hour that clocks strike twice is open both times; a time that they leave out is when they jump.
        """
        opened = False
        until = now
        for start, end in self._spans(now.astimezone(self.zone).date()):
            if end <= until:
                continue
            if start > until:
                return Opening(open=opened, changes_at=until if opened else start)
            opened, until = True, end
        return Opening(open=opened, changes_at=None)

    def _spans(self, today: date) -> Iterator[tuple[datetime, datetime]]:
        """When it is open from today on, in UTC and in order."""
        for day in (today + timedelta(days=number) for number in range(HORIZON_DAYS)):
            if day not in self.closed:
                for start, end in self.week[day.weekday()]:
                    yield self._moment(day, start, last=False), self._moment(day, end, last=end < DAY_MINUTES)

    def _moment(self, day: date, minutes: int, *, last: bool) -> datetime:
        """When the clocks show that time, for the first or the last time that day; a day ends at the first midnight."""
        wall = datetime.combine(day, datetime.min.time(), self.zone) + timedelta(minutes=minutes)
        moment = wall.replace(fold=int(last)).astimezone(UTC)
        if moment.astimezone(self.zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
            return moment
        return self._jump(wall.replace(fold=1).astimezone(UTC), wall.replace(fold=0).astimezone(UTC))

    def _jump(self, before: datetime, after: datetime) -> datetime:
        """When the clocks are put forward, to the minute."""
        was = before.astimezone(self.zone).utcoffset()
        minutes = range(int((after - before) / timedelta(minutes=1)))
        passed = bisect.bisect_left(
            minutes, True, key=lambda m: (before + timedelta(minutes=m)).astimezone(self.zone).utcoffset() != was
        )
        return before + timedelta(minutes=passed)
