"""When each channel last heard and sent, and how many messages came in each hour of the last weeks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pymongo import UpdateOne

from inbox.store.client import Database
from inbox.store.guard import guarded

Hour = tuple[str, datetime]
"""A channel, and the beginning of an hour."""


@guarded
class Traffic:
    """The `channels` and `hours` collections."""

    def __init__(self, database: Database) -> None:
        self._channels = database["channels"]
        self._hours = database["hours"]

    async def share(
        self, came: Mapping[str, datetime], left: Mapping[str, datetime]
    ) -> dict[str, tuple[datetime | None, datetime | None]]:
        """Keeps the newest of what each process says of each channel's last message in and out; returns them."""
        for channel in {*came, *left}:
            newest = {name: times[channel] for name, times in (("in", came), ("out", left)) if channel in times}
            await self._channels.update_one({"_id": channel}, {"$max": newest}, upsert=True)
        return {found["_id"]: (found.get("in"), found.get("out")) async for found in self._channels.find({})}

    async def add(self, came: Mapping[Hour, int]) -> None:
        """Adds to what came in those hours."""
        if came:
            counts = [
                UpdateOne(
                    {"_id": f"{channel}|{hour.isoformat()}"},
                    {"$inc": {"count": count}, "$setOnInsert": {"channel": channel, "hour": hour}},
                    upsert=True,
                )
                for (channel, hour), count in came.items()
            ]
            await self._hours.bulk_write(counts, ordered=False)

    async def hours(self, channel: str) -> dict[datetime, int]:
        """What came in each hour that is remembered; hours in which nothing came are missing."""
        found = self._hours.find({"channel": channel}, {"hour": 1, "count": 1})
        return {document["hour"]: document["count"] async for document in found}
