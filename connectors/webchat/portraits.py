"""Who writes, as visitors see them: by name, and agents with their picture."""

from __future__ import annotations

from aiohttp import hdrs, web

from connectors.context import Faces
from connectors.errors import UnavailableError
from connectors.webchat.problems import Problem
from connectors.webchat.protocol import ShownAuthor
from normalizer.schema import Author

FOLDER = "pictures/"


class Portraits:
    """Shows authors. Nobody waits for a picture in the midst of a message: who writes is met before."""

    def __init__(self, faces: Faces) -> None:
        self._faces = faces
        self._known: dict[str, str] = {}

    async def meet(self, *authors: Author | None) -> None:
        """Looks up their pictures; a database that is away costs no more than those."""
        for id_ in {author.id for author in authors if author is not None and author.type == "agent"}:
            try:
                picture = await self._faces.find(id_) if id_ else None
            except UnavailableError:
                continue
            if picture is None:
                self._known.pop(id_ or "", None)
            elif id_:
                self._known[id_] = picture

    def shown(self, author: Author) -> ShownAuthor:
        """An author without what only agents may know."""
        picture = self._known.get(author.id or "") if author.type == "agent" else None
        return ShownAuthor(type=author.type, name=author.name, picture=picture and FOLDER + picture)

    async def answer(self, picture_id: str) -> web.Response:
        """A picture, which a browser may keep for good: another one has another id.

        Raises:
            Problem: nobody has it.
        """
        try:
            picture = await self._faces.open(picture_id)
        except UnavailableError:
            raise Problem(503, "Come back later") from None
        if picture is None:
            raise Problem(404, "There is no such picture")
        headers = {
            hdrs.CONTENT_TYPE: picture.content_type,
            hdrs.CACHE_CONTROL: "public, max-age=31536000, immutable",
            "Content-Security-Policy": "sandbox",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "X-Content-Type-Options": "nosniff",
        }
        return web.Response(body=picture.content, headers=headers)
