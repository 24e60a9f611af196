"""Answers that are not written to the end: one of each principal in each conversation."""

from __future__ import annotations

from collections.abc import Collection

from pymongo import ASCENDING

from inbox.model import Draft
from inbox.store.client import Database
from inbox.store.documents import from_document, to_document
from inbox.store.guard import guarded


@guarded
class Drafts:
    """The `drafts` collection."""

    def __init__(self, database: Database) -> None:
        self._drafts = database["drafts"]

    async def put(self, draft: Draft) -> None:
        """Keeps a draft in place of the one before."""
        await self._drafts.replace_one({"_id": draft.id}, to_document(draft), upsert=True)

    async def get(self, draft_id: str) -> Draft | None:
        """One draft, or None."""
        document = await self._drafts.find_one({"_id": draft_id})
        return from_document(document, Draft) if document else None

    async def within(self, conversation_ids: Collection[str]) -> list[Draft]:
        """All drafts in these conversations, whoever writes them."""
        found = self._drafts.find({"conversation_id": {"$in": list(conversation_ids)}})
        return [from_document(document, Draft) async for document in found]

    async def drop(self, draft_id: str) -> None:
        """Throws a draft away, where there is one."""
        await self._drafts.delete_one({"_id": draft_id})

    async def of(self, principal_id: str, *, conversation_id: str | None = None) -> list[Draft]:
        """All drafts of a principal, the oldest first; only that in a conversation where one is named."""
        within = {} if conversation_id is None else {"conversation_id": conversation_id}
        found = self._drafts.find({"principal_id": principal_id, **within}).sort("updated_at", ASCENDING)
        return [from_document(document, Draft) async for document in found]
