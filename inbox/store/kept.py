"""What agents have at hand beside conversations: canned replies and views. `inbox.keeping` changes them."""

from __future__ import annotations

from inbox.filters import View
from inbox.model import CannedReply
from inbox.store.client import Database
from inbox.store.documents import from_document
from inbox.store.guard import guarded


@guarded
class Kept:
    """Reads over the `canned_replies` and `views` collections."""

    def __init__(self, database: Database) -> None:
        self._replies = database["canned_replies"]
        self._views = database["views"]

    async def replies(self) -> list[CannedReply]:
        """All canned replies."""
        return [from_document(document, CannedReply) async for document in self._replies.find()]

    async def reply(self, reply_id: str) -> CannedReply | None:
        """One canned reply, or None."""
        document = await self._replies.find_one({"_id": reply_id})
        return from_document(document, CannedReply) if document else None

    async def views(self, owner: str) -> list[View]:
        """The views of one owner, and those that are shared with anybody."""
        found = self._views.find({"$or": [{"owner": owner}, {"shared": True}]})
        return [from_document(document, View) async for document in found]

    async def view(self, view_id: str) -> View | None:
        """One view, or None."""
        document = await self._views.find_one({"_id": view_id})
        return from_document(document, View) if document else None
