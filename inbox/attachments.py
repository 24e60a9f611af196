"""Attachments: stored as they come, their type sniffed, given only to those they belong to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection

import puremagic

from connectors.errors import PermanentError
from inbox.clock import utc_now
from inbox.model import Upload, new_id
from inbox.staff import Principal
from inbox.store import Store
from inbox.store.files import PICTURES
from normalizer.codec import clean_text
from normalizer.schema import Attachment

LONGEST_NAME = 200


class Attachments:
    """Implements `connectors.base.Files` for the API and for channels."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def save(self, content: AsyncIterator[bytes], *, filename: str, owner: str, limit: int) -> Attachment:
        """Stores what somebody uploads; the type is sniffed, never believed.

        Raises:
            PermanentError: larger than `limit`.
        """
        id_ = new_id()
        try:
            kept = await self._store.files.stream_in(id_, content, limit)
        except ValueError as error:
            raise PermanentError(f"the file is too large: {limit} bytes is the most", code="too_large") from error
        attachment = Attachment(
            id=id_,
            filename=_safe_name(filename),
            content_type=await asyncio.to_thread(sniff, kept.head),
            size=kept.size,
            sha256=kept.sha256,
        )
        now = utc_now()
        await self._store.files.add_upload(Upload(id=id_, owner=owner, attachment=attachment, created_at=now))
        return attachment

    def open(self, attachment_id: str) -> AsyncIterator[bytes]:
        """The bytes of a stored attachment. Raises LookupError where there is none."""
        return self._store.files.open(attachment_id)

    async def find(self, attachment_id: str, *, owner: str) -> Attachment | None:
        """An attachment that `owner` uploaded, or that stands in a message of the thread `owner`."""
        upload = await self._store.files.upload(attachment_id)
        if upload is not None and upload.owner == owner:
            return upload.attachment
        within = {"external.thread_key": owner, "direction": {"$ne": "note"}}
        return await self._store.files.attachment(attachment_id, within)

    async def uploaded(self, attachment_ids: Collection[str], *, owner: str) -> dict[str, Attachment]:
        """Those of these files that `owner` uploaded and that are there still."""
        found = await self._store.files.uploads(attachment_ids)
        return {id_: upload.attachment for id_, upload in found.items() if upload.owner == owner}

    async def get(self, attachment_id: str, reader: Principal) -> Attachment | None:
        """What `reader` may read: an upload of theirs, a customer's picture, or what a message shows that they see."""
        upload = await self._store.files.upload(attachment_id)
        if upload is None or upload.owner not in (reader.id, PICTURES):
            shown_in = await self._store.files.shown_in(attachment_id)
            if not await self._store.queries.seen(reader, shown_in):
                return None
        return upload.attachment if upload else await self._store.files.attachment(attachment_id)


def sniff(head: bytes) -> str:
    """The content type that the first bytes tell; text and what is unknown are told apart by their bytes."""
    try:
        found = str(puremagic.from_string(head, mime=True))
    except (puremagic.PureError, ValueError):
        found = ""
    if found:
        return found
    try:
        head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # the head may end inside a character
            return "application/octet-stream"
    return "text/plain" if b"\0" not in head else "application/octet-stream"


def _safe_name(name: str) -> str:
    name = clean_text(name).replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in name if c.isprintable()).strip(". ")[:LONGEST_NAME] or "file"
