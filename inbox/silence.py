"""Whether a channel is silent when it never used to be: pure, over what came in each hour of the last weeks.

Traffic has the rhythm of the week, so the hours of a silence are compared with the same hours of the weeks before. The
quietest of these weeks counts: a holiday among them makes the alarm slower, and never false.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import Struct

HOUR = timedelta(hours=1)
WEEK = timedelta(weeks=1)
WEEKS = 4
LEAST = timedelta(hours=1)
LONGEST = timedelta(days=1)  # of a silence, that is looked at
MISSED = 10  # messages that must be missing


class Silence(Struct, frozen=True, kw_only=True):
    """How long it has been silent, and the fewest messages that came in the same hours of any of `weeks` weeks."""

    lasting: timedelta
    missed: int
    weeks: int


def hour_of(at: datetime) -> datetime:
    """The beginning of an hour."""
    return at.replace(minute=0, second=0, microsecond=0)


def unusual(hours: Mapping[datetime, int], since: datetime, now: datetime) -> Silence | None:
    """Says so where nothing has come since a time, and something always used to.

    Args:
        hours: how many messages came in each hour, where any did.
        since: when the last message came.
        now: the present.
    """
    begin = hour_of(max(since, now - LONGEST)) + HOUR
    silent = [begin + n * HOUR for n in range(int((hour_of(now) - begin) / HOUR))]
    first = min(hours, default=now)
    known = [week for week in range(1, WEEKS + 1) if begin - week * WEEK >= first]
    if not silent or not known:
        return None
    missed = min(sum(hours.get(hour - week * WEEK, 0) for hour in silent) for week in known)
    return Silence(lasting=now - since, missed=missed, weeks=len(known)) if missed >= MISSED else None
