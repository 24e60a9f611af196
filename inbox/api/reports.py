"""Reports over days: what came and went, how long customers waited, what was left to do, and when customers write."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Generic, Literal, TypeVar

from msgspec import Meta, Struct, field

from inbox.api.problems import FieldError
from inbox.api.reading import invalid_query
from inbox.api.routing import Call, route
from inbox.api.sheets import Sheet
from inbox.store.reports import Scope, Slots
from inbox.tallies import merged, quantile
from normalizer.schema import Time

LONGEST = 366  # days
WEEKDAYS = range(1, 8)
HOURS = range(24)

RowT = TypeVar("RowT", bound=Struct)
Bucket = Literal["day", "week", "span"]


class ReportQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of which days, and of what; each filter that is given must hold."""

    from_: Annotated[date, Meta(description="The first day, in the inbox's timezone.")] = field(name="from")
    to: Annotated[date, Meta(description="The last day, which is in it too: at most 366 days with the first.")]
    channel: Annotated[str | None, Meta(description="The id of a channel.")] = None
    team: Annotated[str | None, Meta(description="The id of the team whose the conversation was.")] = None
    agent: Annotated[
        str | None, Meta(description="The id of the agent or token who wrote it, or else had the conversation.")
    ] = None
    format: Annotated[Literal["json", "csv"], Meta(description="`csv` is a file for spreadsheets.")] = "json"


class BucketQuery(ReportQuery, frozen=True, kw_only=True):
    """A report that may be of whole weeks, or of the whole span, in place of days."""

    bucket: Annotated[Bucket, Meta(description="What a row is of; weeks begin on Monday.")] = "day"


class Report(Struct, Generic[RowT], frozen=True, kw_only=True):
    """A report. Nothing was counted before `since`; days are those of `timezone`."""

    items: list[RowT]
    since: Time
    timezone: str


class Volume(Struct, frozen=True, kw_only=True):
    """What came and went by a channel: messages in and out, and new conversations. `begins` is the bucket's first day.

    Where nothing came or went, there is no row.
    """

    begins: date
    channel: str
    inbound: int
    outbound: int
    conversations: int


class Times(Struct, frozen=True, kw_only=True):
    """How long it took, in seconds, to within 5 %: half and nine tenths took at most that long.

    Where nothing was answered or resolved, there is no row.
    """

    begins: date
    first_responses: int
    first_response_median: float | None
    first_response_p90: float | None
    resolutions: int
    resolution_median: float | None
    resolution_p90: float | None


class Backlog(Struct, frozen=True, kw_only=True):
    """How many conversations were open, and in how many a customer waited, when the day ended; today: now."""

    day: date
    open: int
    waiting: int


class Hour(Struct, frozen=True, kw_only=True):
    """How many messages customers wrote in an hour of the week; `weekday` is 1 on Monday, 7 on Sunday."""

    weekday: int
    hour: int
    inbound: int


@route("GET", "/api/v1/reports/volume")
async def report_volume(call: Call[BucketQuery, None]) -> Report[Volume] | Sheet:
    """Messages in and out and new conversations, by channel and day, week or span."""
    found: defaultdict[tuple[date, str], Counter[str]] = defaultdict(Counter)
    for flow in await call.store.reports.flows(_scope(call.query)):
        numbers = {"inbound": flow.inbound, "outbound": flow.outbound, "conversations": flow.conversations}
        found[_begin(flow.day, call.query), flow.channel].update(numbers)
    rows = [
        Volume(
            begins=begins,
            channel=channel,
            inbound=numbers["inbound"],
            outbound=numbers["outbound"],
            conversations=numbers["conversations"],
        )
        for (begins, channel), numbers in sorted(found.items())
    ]
    return await _answer(call, "volume", Volume, rows)


@route("GET", "/api/v1/reports/times")
async def report_times(call: Call[BucketQuery, None]) -> Report[Times] | Sheet:
    """How long customers waited for the first response, and how long it took to resolve: median and p90."""
    reports, scope = call.store.reports, _scope(call.query)
    both = await asyncio.gather(reports.first_responses(scope), reports.resolutions(scope))
    first, resolved = (_bucketed(slots, call.query) for slots in both)
    rows = [
        Times(
            begins=begins,
            first_responses=(answered := first.get(begins, Counter())).total(),
            first_response_median=quantile(answered, 0.5),
            first_response_p90=quantile(answered, 0.9),
            resolutions=(done := resolved.get(begins, Counter())).total(),
            resolution_median=quantile(done, 0.5),
            resolution_p90=quantile(done, 0.9),
        )
        for begins in sorted(first.keys() | resolved.keys())
    ]
    return await _answer(call, "times", Times, rows)


@route("GET", "/api/v1/reports/backlog")
async def report_backlog(call: Call[ReportQuery, None]) -> Report[Backlog] | Sheet:
    """How many conversations were open, and in how many a customer waited, at the end of each day."""
    levels = await call.store.reports.levels(_scope(call.query))
    rows = [Backlog(day=day, open=level.open, waiting=level.waiting) for day, level in levels.items()]
    return await _answer(call, "backlog", Backlog, rows)


@route("GET", "/api/v1/reports/hours")
async def report_hours(call: Call[ReportQuery, None]) -> Report[Hour] | Sheet:
    """At which hours of the week customers write: messages in each of its 168 hours."""
    found: Counter[tuple[int, int]] = Counter()
    for day, hours in (await call.store.reports.hours(_scope(call.query))).items():
        found.update({(day.isoweekday(), hour): n for hour, n in hours.items()})
    rows = [Hour(weekday=day, hour=hour, inbound=found[day, hour]) for day in WEEKDAYS for hour in HOURS]
    return await _answer(call, "hours", Hour, rows)


def _scope(query: ReportQuery) -> Scope:
    days = (query.to - query.from_).days + 1
    if not 1 <= days <= LONGEST:
        detail = f"must be from on or later, and at most {LONGEST} days with it"
        raise invalid_query(FieldError(field="to", detail=detail))
    return Scope(first=query.from_, last=query.to, channel=query.channel, team=query.team, agent=query.agent)


def _begin(day: date, query: BucketQuery) -> date:
    """The day by which the bucket of a day is called."""
    if query.bucket == "span":
        return query.from_
    return day - timedelta(days=day.weekday()) if query.bucket == "week" else day


def _bucketed(slots: Slots, query: BucketQuery) -> Mapping[date, Counter[int]]:
    days: defaultdict[date, list[date]] = defaultdict(list)
    for day in slots:
        days[_begin(day, query)].append(day)
    return {begins: merged(slots[day] for day in inside) for begins, inside in days.items()}


async def _answer(call: Call[Any, None], name: str, row: type[RowT], rows: list[RowT]) -> Report[RowT] | Sheet:
    """The rows as they are asked for."""
    query: ReportQuery = call.query
    if query.format == "csv":
        return Sheet(f"{name}_{query.from_}_{query.to}", row, rows)
    reports = call.store.reports
    return Report(items=rows, since=await reports.since(), timezone=str(reports.zone))


ROUTES = (report_volume, report_times, report_backlog, report_hours)
