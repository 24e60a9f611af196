"""What `inbox.sight` says, as a query."""

from __future__ import annotations

from collections.abc import Collection

from inbox.sight import sees_all
from inbox.staff import Principal
from inbox.store.client import Database, Document


def seen_by(reader: Principal) -> Document:
    """The conversations that exist for `reader`."""
    if sees_all(reader):
        return {}
    return {"$and": [{"$or": [{"team": {"$in": [None, *reader.teams]}}, {"assignee": reader.id}]}]}


async def seen(database: Database, reader: Principal, conversation_ids: Collection[str]) -> set[str]:
    """Those of these conversations that `reader` sees."""
    if sees_all(reader):
        return set(conversation_ids)
    query = {"_id": {"$in": list(conversation_ids)}, **seen_by(reader)}
    return {document["_id"] async for document in database["conversations"].find(query, {"_id": 1})}
