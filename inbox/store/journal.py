"""The journal: the durable record of each raw event, written before it is acknowledged.

Bytes go in as they came. What would not fit a document with comfort goes to GridFS first; if the process dies between
the two writes the file is an orphan and is swept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from gridfs import NoFile
from gridfs.asynchronous import AsyncGridFSBucket
from pymongo import ASCENDING
from pymongo.errors import BulkWriteError

from inbox.store.client import Database, Document
from inbox.store.documents import from_document, to_document
from inbox.store.errors import StoreUnavailableError
from inbox.store.guard import guarded

INLINE_BYTES = 64 * 1024
DUPLICATE_KEY = 11000


class JournalEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One raw event. `body` is None where it stands in GridFS, under the entry's `message_id`.

    `id` is channel + event key; `message_id` is the id of the message that it becomes; `owner` is the process that is
    to apply it. `sender` is channel + who it is from: events of one sender are applied in the order of `message_id`,
    which one process gives out in the order of arrival even where its clock is set back.
    """

    id: str
    channel: str
    connector: str
    message_id: str
    content_type: str
    envelope: Mapping[str, Any]
    sender: str | None = None
    size: int
    body: bytes | None
    received_at: datetime
    state: Literal["new", "applied", "failed"] = "new"
    owner: str
    error: str | None = None
    replayed: bool = False


@guarded
class Journal:
    """The `journal` collection and its large originals."""

    def __init__(self, database: Database) -> None:
        self._entries = database["journal"]
        self._originals = AsyncGridFSBucket(database, bucket_name="originals")
        self._files = database["originals.files"]

    async def save_original(self, entry_id: str, message_id: str, body: bytes) -> None:
        """Keeps a large original, before its entry is added."""
        await self._originals.upload_from_stream_with_id(message_id, entry_id, body)

    async def drop_original(self, message_id: str) -> None:
        """Deletes the original of an entry that was there already."""
        await self._originals.delete(message_id)

    async def sweep(self, before: datetime) -> int:
        """Deletes large originals of the week before `before` whose entries were never added; returns how many."""
        swept = 0
        of_that_week = {"uploadDate": {"$gte": before - timedelta(days=7), "$lt": before}}
        async for file in self._files.find(of_that_week, {"filename": 1}):
            entry = {"_id": file["filename"], "message_id": file["_id"]}
            if await self._entries.find_one(entry, {"_id": 1}) is None:
                await self._originals.delete(file["_id"])
                swept += 1
        return swept

    async def add(self, entries: Sequence[JournalEntry]) -> list[JournalEntry | Exception]:
        """Adds a batch. For each: the entry that stands in the journal now (maybe an earlier one), or why not.

        Raises:
            StoreUnavailableError: the database does not answer, or not for a majority; some may have been added.
        """
        first = {entry.id: entry for entry in reversed(entries)}
        outcomes: dict[str, JournalEntry | Exception] = dict(first)
        try:
            await self._entries.insert_many([to_document(entry) for entry in first.values()], ordered=False)
        except BulkWriteError as error:
            details = error.details or {}
            if details.get("writeConcernErrors"):  # written, but nobody knows whether a majority has it
                raise StoreUnavailableError("the database does not say that a majority keeps it") from error
            failed = {item["op"]["_id"]: item for item in details["writeErrors"]}
            outcomes |= {id_: RuntimeError(item["errmsg"]) for id_, item in failed.items()}
            outcomes |= await self._standing([id_ for id_, item in failed.items() if item["code"] == DUPLICATE_KEY])
        return [outcomes[entry.id] for entry in entries]

    async def _standing(self, ids: list[str]) -> dict[str, JournalEntry]:
        found = self._entries.find({"_id": {"$in": ids}}, {"body": 0})
        return {document["_id"]: _entry(document) async for document in found}

    async def get(self, entry_id: str) -> JournalEntry | None:
        """One entry, or None."""
        document = await self._entries.find_one({"_id": entry_id})
        return _entry(document) if document else None

    async def body(self, entry: JournalEntry) -> bytes:
        """The original, exactly as received.

        Raises:
            LookupError: it is not there any more.
        """
        if entry.body is not None:
            return entry.body
        try:
            stream = await self._originals.open_download_stream(entry.message_id)
            return await stream.read()
        except NoFile as error:
            raise LookupError(f"the original of {entry.id} is gone") from error

    async def take_over(self, owner: str, alive: Sequence[str]) -> int:
        """Makes `owner` the one to apply what belongs to processes that are not among `alive`; returns how many."""
        result = await self._entries.update_many(
            {"state": "new", "owner": {"$nin": [*alive, owner]}}, {"$set": {"owner": owner}}
        )
        return result.modified_count

    async def unapplied(self, owner: str, limit: int) -> list[JournalEntry]:
        """What `owner` has still to apply, oldest first."""
        found = self._entries.find({"state": "new", "owner": owner}).sort("message_id", ASCENDING).limit(limit)
        return [_entry(document) async for document in found]

    async def still_new(self, owner: str, entry_ids: Sequence[str]) -> set[str]:
        """Those of these entries that `owner` has still to apply."""
        query = {"_id": {"$in": list(entry_ids)}, "state": "new", "owner": owner}
        return {document["_id"] async for document in self._entries.find(query, {"_id": 1})}

    async def fail(self, entry_id: str, owner: str, error: str) -> None:
        """Sets an entry aside that could not be applied, with its traceback."""
        await self._entries.update_one(
            {"_id": entry_id, "state": "new", "owner": owner}, {"$set": {"state": "failed", "error": error}}
        )

    async def replay(self, owner: str, entry_ids: Sequence[str] | None) -> int:
        """Gives failed entries (all, where None) to `owner` to be applied again; returns how many."""
        query: Document = {"state": "failed"}
        if entry_ids is not None:
            query["_id"] = {"$in": list(entry_ids)}
        result = await self._entries.update_many(query, {"$set": {"state": "new", "owner": owner, "replayed": True}})
        return result.modified_count


def _entry(document: Document) -> JournalEntry:
    document.setdefault("body", None)
    return from_document(document, JournalEntry)
