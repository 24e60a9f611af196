"""Attachments in GridFS: written before the message that shows them, swept where that message never came."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import AsyncIterator, Collection
from datetime import datetime

import msgspec
from gridfs import NoFile
from gridfs.asynchronous import AsyncGridFSBucket
from gridfs.errors import FileExists

from inbox.model import Upload
from inbox.store.client import Database, Document
from inbox.store.documents import from_document, to_document
from inbox.store.guard import guarded
from normalizer.codec import from_builtins
from normalizer.schema import Attachment

PIECE = 255 * 1024
PICTURES = "pictures"  # the owner of uploads that no message shows, and that stay: customers' pictures
FACES = "faces"  # likewise, as long as an agent has it: agents' pictures


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What was stored: how many bytes, their SHA-256 in hexadecimal, and the first 4 KiB to tell the type by."""

    size: int
    sha256: str
    head: bytes


@guarded
class FileStore:
    """The bytes of attachments, and the uploads that wait for their message."""

    def __init__(self, database: Database) -> None:
        self._bucket = AsyncGridFSBucket(database, bucket_name="files", chunk_size_bytes=PIECE)
        self._uploads = database["uploads"]
        self._messages = database["messages"]
        self._drafts = database["drafts"]
        self._agents = database["agents"]

    async def put(self, attachment_id: str, content: bytes) -> None:
        """Stores an attachment's bytes; doing it twice changes nothing, and repairs what a dying process left."""
        try:
            await self._bucket.upload_from_stream_with_id(attachment_id, attachment_id, content)
        except FileExists:
            if not await self._is_whole(attachment_id):
                with contextlib.suppress(NoFile):  # it has pieces only
                    await self._bucket.delete(attachment_id)
                await self._bucket.upload_from_stream_with_id(attachment_id, attachment_id, content)

    async def _is_whole(self, attachment_id: str) -> bool:
        """GridFS writes the pieces first and the file's own document last."""
        return bool([found async for found in self._bucket.find({"_id": attachment_id}, limit=1)])

    async def stream_in(self, attachment_id: str, pieces: AsyncIterator[bytes], limit: int) -> Kept:
        """Stores bytes as they come. What is stored last for an attachment is what it holds.

        Each time has a file of its own: of two processes that fetch the same one, neither harms the other's.

        Raises:
            ValueError: more than `limit` bytes; nothing is kept.
        """
        size, digest, head = 0, hashlib.sha256(), b""
        stream = self._bucket.open_upload_stream(attachment_id)
        try:
            async for piece in pieces:
                size += len(piece)
                if size > limit:
                    raise ValueError(f"more than {limit} bytes")
                digest.update(piece)
                if len(head) < 4096:
                    head += piece[: 4096 - len(head)]
                await stream.write(piece)
        except BaseException:
            await stream.abort()
            raise
        await stream.close()
        return Kept(size=size, sha256=digest.hexdigest(), head=head)

    async def open(self, attachment_id: str) -> AsyncIterator[bytes]:
        """The bytes of an attachment, in pieces.

        Raises:
            LookupError: there is none of that id.
        """
        try:
            stream = await self._bucket.open_download_stream_by_name(attachment_id)
        except NoFile as error:
            raise LookupError(f"no attachment {attachment_id}") from error
        while piece := await stream.readchunk():
            yield piece

    async def delete(self, attachment_id: str) -> None:
        """Deletes an attachment's bytes, where there are any."""
        with contextlib.suppress(NoFile):
            await self._bucket.delete_by_name(attachment_id)

    async def add_upload(self, upload: Upload) -> None:
        """Remembers whose an uploaded file is."""
        await self._uploads.insert_one(to_document(upload))

    async def upload(self, attachment_id: str) -> Upload | None:
        """An uploaded file, or None."""
        document = await self._uploads.find_one({"_id": attachment_id})
        return from_document(document, Upload) if document else None

    async def uploads(self, attachment_ids: Collection[str]) -> dict[str, Upload]:
        """Those of these uploaded files that are there."""
        found = self._uploads.find({"_id": {"$in": list(attachment_ids)}})
        return {document["_id"]: from_document(document, Upload) async for document in found}

    async def attachment(self, attachment_id: str, within: Document | None = None) -> Attachment | None:
        """The attachment of that id in a message (one that fits `within`), or None."""
        query = {"attachments.id": attachment_id, **(within or {})}
        document = await self._messages.find_one(query, {"attachments": 1})
        for item in (document or {}).get("attachments", []):
            if item["id"] == attachment_id:
                return from_builtins(item, Attachment)
        return None

    async def shown_in(self, attachment_id: str) -> set[str]:
        """The conversations with a message that shows an attachment."""
        found = self._messages.find({"attachments.id": attachment_id}, {"conversation_id": 1})
        return {document["conversation_id"] async for document in found}

    async def drop_upload(self, attachment_id: str) -> None:
        """Forgets whose a file is."""
        await self._uploads.delete_one({"_id": attachment_id})

    async def _is_wanted(self, attachment_id: str) -> bool:
        """Whether a draft has an upload, or an agent for a picture."""
        in_draft = await self._drafts.find_one({"attachments": attachment_id}, {"_id": 1})
        return (in_draft or await self._agents.find_one({"picture": attachment_id}, {"_id": 1})) is not None

    async def sweep(self, before: datetime) -> int:
        """Deletes uploads older than `before` that no message shows, and no draft or agent has; returns how many."""
        swept = 0
        async for document in self._uploads.find({"created_at": {"$lt": before}, "owner": {"$ne": PICTURES}}):
            if await self._is_wanted(document["_id"]):
                continue
            if await self.attachment(document["_id"]) is None:
                await self.delete(document["_id"])
                swept += 1
            await self._uploads.delete_one({"_id": document["_id"]})
        return swept
