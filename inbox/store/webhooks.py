"""Subscribers, and what is on its way to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, ReturnDocument
from pymongo.errors import BulkWriteError

from inbox.store.client import Database
from inbox.store.documents import from_document, to_document
from inbox.store.guard import guarded
from inbox.store.paging import Place, Slice, beyond, slice_of
from inbox.subscribers import Webhook, WebhookDelivery

DUPLICATE_KEY = 11000


@guarded
class Webhooks:
    """The `webhooks` and `webhook_deliveries` collections."""

    def __init__(self, database: Database) -> None:
        self._webhooks = database["webhooks"]
        self._deliveries = database["webhook_deliveries"]

    async def add(self, webhook: Webhook) -> None:
        """Keeps a new subscriber."""
        await self._webhooks.insert_one(to_document(webhook))

    async def get(self, webhook_id: str) -> Webhook | None:
        """One subscriber, or None."""
        document = await self._webhooks.find_one({"_id": webhook_id})
        return from_document(document, Webhook) if document else None

    async def all(self) -> list[Webhook]:
        """All subscribers, in the order in which they were made."""
        return [from_document(document, Webhook) async for document in self._webhooks.find().sort("_id", ASCENDING)]

    async def change(self, webhook_id: str, changes: Mapping[str, Any]) -> Webhook | None:
        """Changes fields of a subscriber."""
        document = await self._webhooks.find_one_and_update(
            {"_id": webhook_id}, {"$set": dict(changes)}, return_document=ReturnDocument.AFTER
        )
        return from_document(document, Webhook) if document else None

    async def drop(self, webhook_id: str) -> bool:
        """Forgets a subscriber and all that is on its way; whether there was one."""
        gone = (await self._webhooks.delete_one({"_id": webhook_id})).deleted_count == 1
        await self._deliveries.delete_many({"webhook_id": webhook_id})
        return gone

    async def serve(self, webhook: Webhook, deliveries: Sequence[WebhookDelivery], position: int) -> None:
        """Puts events on their way, and then moves the subscriber on, unless an admin has moved it meanwhile."""
        if deliveries:
            try:
                await self._deliveries.insert_many([to_document(one) for one in deliveries], ordered=False)
            except BulkWriteError as error:
                details = error.details or {}
                if details.get("writeConcernErrors") or any(
                    item["code"] != DUPLICATE_KEY for item in details["writeErrors"]
                ):
                    raise
        await self._webhooks.update_one(
            {"_id": webhook.id, "position": webhook.position}, {"$set": {"position": position}}
        )

    async def again(self, webhook_id: str, after: int) -> None:
        """Sends everything after a position once more: also what had come through."""
        await self._deliveries.delete_many({"webhook_id": webhook_id, "_id": {"$gt": delivery_id(webhook_id, after)}})
        await self._webhooks.update_one({"_id": webhook_id}, {"$set": {"position": after}})

    async def claim(self, now: datetime, until: datetime, busy: Collection[str]) -> WebhookDelivery | None:
        """Takes the delivery that has been due longest, of none of the `busy` subscribers; others may after `until`."""
        document = await self._deliveries.find_one_and_update(
            {"state": "pending", "due_at": {"$lte": now}, "webhook_id": {"$nin": list(busy)}},
            {"$set": {"due_at": until}, "$inc": {"attempts": 1}},
            sort=[("due_at", ASCENDING)],
            return_document=ReturnDocument.AFTER,
        )
        return from_document(document, WebhookDelivery) if document else None

    async def tried(self, delivery: WebhookDelivery, changes: Mapping[str, Any]) -> None:
        """Keeps what became of an attempt, unless another has begun since."""
        same = {"_id": delivery.id, "attempts": delivery.attempts, "state": "pending"}
        await self._deliveries.update_one(same, {"$set": dict(changes)})

    async def retry(self, webhook_id: str, delivery_id_: str, now: datetime) -> WebhookDelivery | None:
        """Tries one delivery from the beginning."""
        document = await self._deliveries.find_one_and_update(
            {"_id": delivery_id_, "webhook_id": webhook_id},
            {"$set": {"state": "pending", "attempts": 0, "due_at": now}},
            return_document=ReturnDocument.AFTER,
        )
        return from_document(document, WebhookDelivery) if document else None

    async def deliveries(self, webhook_id: str, *, after: Place | None, limit: int) -> Slice[WebhookDelivery]:
        """A page of what went, or is to go, to a subscriber, the newest first."""
        found = self._deliveries.find(beyond({"webhook_id": webhook_id}, "created_at", DESCENDING, after))
        found = found.sort([("created_at", DESCENDING), ("_id", DESCENDING)])
        return await slice_of(found, WebhookDelivery, limit, lambda item: Place(item.created_at, item.id))


def delivery_id(webhook_id: str, position: int) -> str:
    """The id of an event's way to a subscriber; ids of one subscriber are in the order of the events."""
    return f"{webhook_id}|{position:020d}"
