"""Who did what to whose data."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pymongo import DESCENDING

from inbox.staff import AuditEntry
from inbox.store.client import Database, Document
from inbox.store.documents import to_document
from inbox.store.guard import guarded
from inbox.store.paging import Place, Slice, beyond, slice_of


@guarded
class AuditLog:
    """The `audit` collection; entries are added and, after their time, deleted by `Retention`, never changed."""

    def __init__(self, database: Database) -> None:
        self._entries = database["audit"]

    async def add(self, entries: Sequence[AuditEntry]) -> None:
        """Writes entries."""
        await self._entries.insert_many([to_document(entry) for entry in entries], ordered=False)

    async def page(
        self, *, customer_ids: Collection[str] | None, principal_id: str | None, after: Place | None, limit: int
    ) -> Slice[AuditEntry]:
        """A page of entries, the newest first: of some customers, or of what one principal did."""
        query: Document = {}
        if customer_ids is not None:
            query["customer_id"] = {"$in": list(customer_ids)}
        if principal_id is not None:
            query["principal_id"] = principal_id
        found = self._entries.find(beyond(query, "at", DESCENDING, after))
        found = found.sort([("at", DESCENDING), ("_id", DESCENDING)])
        if customer_ids is not None:
            found.hint("customer")  # left alone, the planner may go through the entries of all
        return await slice_of(found, AuditEntry, limit, lambda item: Place(item.at, item.id))
