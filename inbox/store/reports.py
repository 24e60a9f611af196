"""Tallies for reports: small documents by day, channel, team and agent, added to in the transaction that they tell of.

A report reads those of its days, which are one range of ids, and adds them up in the database. So it costs as much as
there were channels on those days, or teams and agents where one is asked for, however many messages there were.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from msgspec import Struct
from pymongo import UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from inbox.clock import utc_now
from inbox.store.client import Client, Database, Document
from inbox.store.guard import guarded
from inbox.store.indexes import LONG_AGO
from inbox.tallies import ALL, Tallies, day_of, lead

BEHIND = "~"  # sorts behind all that stands in an id
DAY = timedelta(days=1)

Slots = Mapping[date, Mapping[int, int]]
"""For each day how many fell into each slot, where any did."""


class Scope(Struct, frozen=True, kw_only=True):
    """What a report is about: days, both of them in it, and a channel, a team or an agent where one is asked."""

    first: date
    last: date
    channel: str | None = None
    team: str | None = None
    agent: str | None = None


class Flow(Struct, frozen=True, kw_only=True):
    """What came and went on a day by a channel."""

    day: date
    channel: str
    inbound: int
    outbound: int
    conversations: int


class Level(Struct, frozen=True, kw_only=True):
    """How many conversations are open, and in how many a customer waits."""

    open: int
    waiting: int


def changes(tallies: Tallies) -> Sequence[UpdateOne]:
    """What to write for what a transaction adds."""
    operations = []
    for place, counted in tallies.items():
        if added := {name: n for name, n in counted.items() if n}:
            update = {"$inc": added, "$setOnInsert": place._asdict()}
            operations.append(UpdateOne({"_id": place.id}, update, upsert=True))
    return operations


@guarded
class Reports:
    """The `reports` collection."""

    def __init__(self, client: Client, database: Database, zone: tzinfo) -> None:
        """`zone` is that of the days."""
        self.zone = zone
        self._client = client
        self._database = database
        self._reports = database["reports"]

    async def prepare(self) -> None:
        """Notes when counting began, where nobody has."""
        begins = {"$setOnInsert": {"since": utc_now()}}
        await self._database["meta"].update_one({"_id": "reports"}, begins, upsert=True)

    async def since(self) -> datetime:
        """When counting began."""
        document = await self._database["meta"].find_one({"_id": "reports"})
        assert document is not None  # `prepare` wrote it
        since: datetime = document["since"]
        return since

    async def flows(self, scope: Scope) -> list[Flow]:
        """What came and went, by day and channel, where anything did."""
        names = ("inbound", "outbound", "conversations")
        group: Document = {"_id": {"day": "$day", "channel": "$channel"}, **{name: _sum(name) for name in names}}
        some: Document = {"$or": [{name: {"$gt": 0}} for name in names]}
        order: Document = {"_id.day": 1, "_id.channel": 1}
        pipeline = [{"$match": _within(scope)}, {"$group": group}, {"$match": some}, {"$sort": order}]
        return [
            Flow(
                day=date.fromisoformat(found["_id"]["day"]),
                channel=found["_id"]["channel"],
                **{name: found[name] for name in names},
            )
            async for found in await self._reports.aggregate(pipeline)
        ]

    async def first_responses(self, scope: Scope) -> Slots:
        """How long customers waited for a first response."""
        return await self._slots(scope, "first")

    async def resolutions(self, scope: Scope) -> Slots:
        """How long it took to resolve conversations."""
        return await self._slots(scope, "resolved")

    async def hours(self, scope: Scope) -> Slots:
        """How many messages customers wrote in each hour, 0 to 23."""
        return await self._slots(scope, "hours")

    async def levels(self, scope: Scope) -> dict[date, Level]:
        """How it stood at the end of each day since counting began, today as it stands now.

        Counted back from now: so what stood before counting began is in it too.
        """
        today = date.fromisoformat(day_of(datetime.now(UTC), self.zone))
        began = date.fromisoformat(day_of(await self.since(), self.zone))
        async with self._client.start_session(snapshot=True) as session:  # else what happens meanwhile counts half
            open_, waiting = await self._open(scope, session), await self._waiting(scope, session)
            changed = await self._changed(scope, today, session)
        found: dict[date, Level] = {}
        day = today
        while day >= max(scope.first, began):
            if day <= scope.last:
                found[day] = Level(open=open_, waiting=waiting)
            open_, waiting = open_ - changed[day]["open"], waiting - changed[day]["waiting"]
            day -= DAY
        return dict(sorted(found.items()))

    async def _slots(self, scope: Scope, name: str) -> Slots:
        pairs: Document = {"$objectToArray": f"${name}"}
        pipeline: list[Document] = [
            {"$match": {**_within(scope), name: {"$exists": True}}},
            {"$project": {"day": 1, "slots": pairs}},
            {"$unwind": "$slots"},
            {"$group": {"_id": {"day": "$day", "slot": "$slots.k"}, "n": {"$sum": "$slots.v"}}},
        ]
        slots: defaultdict[date, dict[int, int]] = defaultdict(dict)
        async for found in await self._reports.aggregate(pipeline):
            slots[date.fromisoformat(found["_id"]["day"])][int(found["_id"]["slot"])] = found["n"]
        return slots

    async def _open(self, scope: Scope, session: AsyncClientSession) -> int:
        kind = {"kind": "channel", "value": scope.channel} if scope.channel is not None else {"kind": "all"}
        pipeline: list[Document] = [
            {"$match": {**kind, "status": "open", **_of(team=scope.team, assignee=scope.agent)}},
            {"$group": {"_id": None, "n": {"$sum": "$n"}}},
        ]
        return await self._number(self._database["counts"].aggregate(pipeline, session=session))

    async def _waiting(self, scope: Scope, session: AsyncClientSession) -> int:
        """Reads those that wait now, by the index that their list has."""
        query: Document = {"waiting_since": {"$gt": LONG_AGO}, "merged_into": None}
        query |= _of(channels=scope.channel, team=scope.team, assignee=scope.agent)
        pipeline: list[Document] = [{"$match": query}, {"$count": "n"}]
        found = self._database["conversations"].aggregate(pipeline, session=session, hint="waiting")
        return await self._number(found)

    async def _changed(self, scope: Scope, today: date, session: AsyncClientSession) -> dict[date, Counter[str]]:
        names = ("open", "waiting")
        within: Document = {"_id": _days(scope.first, today), **_of(team=scope.team, agent=scope.agent)}
        pipeline: list[Document] = [
            {"$match": {**within, "channel": scope.channel or ""}},
            {"$group": {"_id": "$day", **{name: _sum(name) for name in names}}},
        ]
        changed: defaultdict[date, Counter[str]] = defaultdict(Counter)
        async for found in await self._reports.aggregate(pipeline, session=session):
            changed[date.fromisoformat(found["_id"])] = Counter({name: found[name] for name in names})
        return changed

    async def _number(self, asked: Any) -> int:  # noqa: ANN401 (an aggregation of one number)
        async for found in await asked:
            return int(found["n"])
        return 0


def _within(scope: Scope) -> Document:
    """The tallies of what happened in a scope: those of all teams and agents together where none is asked."""
    team = ALL if scope.team is None and scope.agent is None else scope.team
    days = _days(scope.first, scope.last, lead(team))
    return {"_id": days, **_of(channel=scope.channel, team=team, agent=scope.agent)}


def _days(first: date, last: date, before: str = "") -> Document:
    return {"$gte": f"{before}{first}", "$lt": f"{before}{last}{BEHIND}"}


def _of(**named: str | None) -> Document:
    return {name: value for name, value in named.items() if value is not None}


def _sum(name: str) -> Document:
    return {"$sum": f"${name}"}
