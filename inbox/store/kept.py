"""What agents have at hand beside conversations: canned replies, views and tags.

`inbox.keeping` and `inbox.tags` change them.
"""

from __future__ import annotations

from pymongo import ASCENDING

from inbox.filters import View
from inbox.model import CannedReply
from inbox.store.client import Database
from inbox.store.documents import from_document
from inbox.store.guard import guarded
from inbox.tagging import Tag, TagChange


@guarded
class Kept:
    """Reads over the `canned_replies`, `views`, `tags` and `tag_changes` collections."""

    def __init__(self, database: Database) -> None:
        self._replies = database["canned_replies"]
        self._views = database["views"]
        self._tags = database["tags"]
        self._tag_changes = database["tag_changes"]

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

    async def tags(self) -> list[Tag]:
        """What is kept of tags; there are others, which conversations have."""
        return [from_document(document, Tag) async for document in self._tags.find()]

    async def tag_changes(self) -> list[TagChange]:
        """The tags that are on their way out of conversations, in the order in which they go."""
        found = self._tag_changes.find().sort("_id", ASCENDING)
        return [from_document(document, TagChange) async for document in found]
