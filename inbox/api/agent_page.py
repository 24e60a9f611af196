"""The agents' page: files of ours, served as they stand in `inbox/page`.

It uses the public API alone. Nothing in it is inline, so its policy allows no script and no style but these files.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from pathlib import Path

from aiohttp import hdrs, web
from msgspec import Struct

from inbox.api.routing import HEADERS

PAGE = Path(__file__).parent.parent / "page"
SERVED = (".css", ".html", ".js", ".svg", ".txt")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self'; "
    "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "Vary": hdrs.ACCEPT_ENCODING,
}
COMPRESSED_FROM = 1024  # bytes
_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))", re.IGNORECASE)  # and no weight of nought


class _File(Struct, frozen=True):
    """A file as it is sent."""

    body: bytes
    compressed: bytes | None
    content_type: str
    etag: str


class AgentPage:
    """The files of the page, read once."""

    def __init__(self, folder: Path = PAGE) -> None:
        found = (path for path in sorted(folder.rglob("*")) if path.suffix in SERVED)
        self._files = {path.relative_to(folder).as_posix(): _read(path) for path in found}

    async def show(self, request: web.Request) -> web.StreamResponse:
        """The page itself: where one is in it stands in the query, which is the page's alone."""
        return self._answer(request, "index.html")

    async def file(self, request: web.Request) -> web.StreamResponse:
        """What it is made of."""
        return self._answer(request, request.match_info["name"])

    def _answer(self, request: web.Request, name: str) -> web.StreamResponse:
        found = self._files.get(name)
        if found is None:
            raise web.HTTPNotFound
        headers = {**HEADERS, **PAGE_HEADERS, "ETag": found.etag, "Content-Type": found.content_type}
        if found.etag in request.headers.get(hdrs.IF_NONE_MATCH, ""):
            return web.Response(status=304, headers=headers)
        if found.compressed is not None and _GZIP.search(request.headers.get(hdrs.ACCEPT_ENCODING, "")):
            return web.Response(body=found.compressed, headers={**headers, "Content-Encoding": "gzip"})
        return web.Response(body=found.body, headers=headers)


def _read(path: Path) -> _File:
    body = path.read_bytes()
    kind = mimetypes.guess_type(path.name)[0] or "text/javascript"
    return _File(
        body=body,
        compressed=gzip.compress(body, mtime=0) if len(body) >= COMPRESSED_FROM else None,
        content_type=f"{kind}; charset=utf-8",
        etag=f'"{hashlib.sha256(body).hexdigest()[:32]}"',
    )
