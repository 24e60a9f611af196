"""Finding the replies whose turn it is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from pymongo import ASCENDING

from inbox.model import OutboxItem
from inbox.store.client import Database, Document
from inbox.store.documents import from_document
from inbox.store.guard import guarded

HEADS: list[Document] = [
    {"$match": {"state": {"$in": ["queued", "claimed", "sending"]}}},
    {"$sort": {"lane": ASCENDING, "seq": ASCENDING}},
    {"$group": {"_id": "$lane", "head": {"$first": "$$ROOT"}}},
    {"$replaceRoot": {"newRoot": "$head"}},
]


@guarded
class Outbox:
    """The `outbox` collection, read only: it is changed through `Unit`, with the messages it belongs to."""

    def __init__(self, database: Database) -> None:
        self._items = database["outbox"]
        self._follow_ups = database["follow_ups"]

    async def ready(self, now: datetime, limit: int, *, busy: Collection[str] = ()) -> list[OutboxItem]:
        """The first of each lane, where it is queued and due and of none of the `busy` channels; longest due first."""
        due = {"state": "queued", "due_at": {"$lte": now}, "channel": {"$nin": list(busy)}}
        pipeline: list[Document] = [*HEADS, {"$match": due}, {"$sort": {"due_at": ASCENDING}}, {"$limit": limit}]
        return [from_document(item, OutboxItem) async for item in await self._items.aggregate(pipeline)]

    async def scheduled(self, now: datetime) -> list[OutboxItem]:
        """Replies whose hour has come."""
        found = self._items.find({"state": "scheduled", "due_at": {"$lte": now}}).sort("due_at", ASCENDING)
        return [from_document(item, OutboxItem) async for item in found]

    async def follow_ups(self, now: datetime, limit: int) -> list[str]:
        """The ids of what has waited long enough to be fetched."""
        found = self._follow_ups.find({"due_at": {"$lte": now}}, {"_id": 1}).sort("due_at", ASCENDING).limit(limit)
        return [document["_id"] async for document in found]

    async def abandoned(self, alive: Sequence[str]) -> list[OutboxItem]:
        """Replies in the hands of processes that are gone."""
        found = self._items.find({"state": {"$in": ["claimed", "sending"]}, "owner": {"$nin": list(alive)}})
        return [from_document(item, OutboxItem) async for item in found]
