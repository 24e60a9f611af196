"""Agents' pictures: given by them, shown to colleagues, and to customers by channels that show who writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from connectors.context import Picture
from connectors.errors import PermanentError
from inbox.attachments import Attachments
from inbox.staff import Agent
from inbox.store import Store
from inbox.store.files import FACES

MOST_BYTES = 1 << 20
FRESH_SECONDS = 10.0
SHOWN = frozenset(
    {"image/png", "image/jpeg", "image/webp", "image/gif"}
)  # what every browser shows and nothing runs in


class Faces:
    """Implements `connectors.context.Faces`, and is the agents' hand on their pictures.

    A picture has an id of its own, so that another picture is another address and may be kept by browsers.
    """

    def __init__(self, store: Store, files: Attachments) -> None:
        self._store = store
        self._files = files
        self._known: dict[str, str] = {}
        self._fresh_until = 0.0
        self._asking = asyncio.Lock()

    async def change(self, agent_id: str, content: AsyncIterator[bytes]) -> Agent | None:
        """Gives an agent a picture in place of the one they had; None where there is no such agent.

        Raises:
            PermanentError: it is none, by its own bytes, or has more than `MOST_BYTES` (code `too_large`).
        """
        kept = await self._files.save(content, filename="picture", owner=FACES, limit=MOST_BYTES)
        if kept.content_type not in SHOWN:
            await self._forget(kept.id)
            raise PermanentError("a picture is a PNG, JPEG, WebP or GIF file")
        return await self._replace(agent_id, kept.id)

    async def remove(self, agent_id: str) -> Agent | None:
        """Takes an agent's picture away; None where there is no such agent."""
        return await self._replace(agent_id, None)

    async def find(self, agent_id: str) -> str | None:
        """The id of an agent's picture, as of some seconds ago, or None.

        Raises:
            UnavailableError: the database is away.
        """
        loop = asyncio.get_running_loop()
        async with self._asking:
            if loop.time() >= self._fresh_until:
                self._known = await self._store.staff.pictures()
                self._fresh_until = loop.time() + FRESH_SECONDS
        return self._known.get(agent_id)

    async def open(self, picture_id: str) -> Picture | None:
        """A picture, or None where no agent has it.

        Raises:
            UnavailableError: the database is away.
        """
        upload = await self._store.files.upload(picture_id)
        if upload is None or upload.owner != FACES:
            return None
        try:
            pieces = [piece async for piece in self._store.files.open(picture_id)]
        except LookupError:
            return None
        return Picture(content_type=upload.attachment.content_type, content=b"".join(pieces))

    async def _replace(self, agent_id: str, picture: str | None) -> Agent | None:
        before = await self._store.staff.change_picture(agent_id, picture)
        gone = picture if before is None else before.picture
        if gone is not None:
            await self._forget(gone)
        self._fresh_until = 0.0
        return await self._store.staff.agent(agent_id)

    async def _forget(self, picture_id: str) -> None:
        """What a crash leaves here is swept like an upload that nobody sends."""
        await self._store.files.delete(picture_id)
        await self._store.files.drop_upload(picture_id)
