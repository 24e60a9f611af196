"""Attachments of visitors: uploaded before the message that names them, downloaded by their owner alone."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from urllib.parse import quote, unquote

from aiohttp import BodyPartReader, hdrs, web

from connectors.context import Files
from connectors.errors import PermanentError
from connectors.webchat.problems import Problem
from connectors.webchat.protocol import encode
from normalizer.schema import Attachment

ATTACHMENT_LIMIT = 25 * 1024 * 1024
# Multipart adds boundaries and part headers to the file itself.
OVERHEAD = 64 * 1024
CHUNK = 64 * 1024
INLINE = re.compile(r"(?:audio|video)/[\w.+-]+|image/(?:png|jpeg|gif|webp|avif|bmp)")
UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")


async def upload(request: web.Request, files: Files, owner: str) -> web.Response:
    """Stores a file sent as `multipart/form-data`, or as the whole body with its name in `X-Filename`.

    Raises:
        Problem: too large, or no file in it.
    """
    if (request.content_length or 0) > ATTACHMENT_LIMIT + OVERHEAD:
        raise Problem(413, "A file may have 25 MB")
    filename, content = await _content(request)
    try:
        kept = await files.save(content, filename=_safe(filename), owner=owner, limit=ATTACHMENT_LIMIT)
    except PermanentError as error:
        raise Problem(413, error.reason) from None
    answer = {"id": kept.id, "filename": kept.filename, "content_type": kept.content_type, "size": kept.size}
    return web.Response(status=201, body=encode(answer), content_type="application/json")


async def _content(request: web.Request) -> tuple[str, AsyncIterator[bytes]]:
    if not request.content_type.startswith("multipart/"):
        return unquote(request.headers.get("X-Filename", "")), request.content.iter_chunked(CHUNK)
    try:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if isinstance(part, BodyPartReader) and part.filename:
                return part.filename, _chunks(part)
    except ValueError:
        raise Problem(400, "The multipart body cannot be read") from None
    raise Problem(400, "There is no file in the multipart body")


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(CHUNK):
        yield chunk


def _safe(filename: str) -> str:
    return UNSAFE.sub("_", filename).strip(" .")[:200] or "file"


async def download(
    request: web.Request, files: Files, owner: str, attachment_id: str, headers: Mapping[str, str]
) -> web.StreamResponse:
    """Streams a file of the visitor's thread; `headers` are sent beside its own.

    Raises:
        Problem: there is no such file in it.
    """
    file = await files.find(attachment_id, owner=owner)
    if file is None or file.state != "ready":
        raise Problem(404, "There is no such attachment")
    response = web.StreamResponse(headers={**_headers(file), **headers})
    if file.size is not None:
        response.content_length = file.size
    await response.prepare(request)
    async for chunk in files.open(file.id):
        await response.write(chunk)
    await response.write_eof()
    return response


def _headers(file: Attachment) -> dict[str, str]:
    # What a browser might run as a page of this host (HTML, SVG, PDF with scripts) is only ever saved.
    disposition = "inline" if INLINE.fullmatch(file.content_type) else "attachment"
    return {
        hdrs.CONTENT_TYPE: file.content_type,
        hdrs.CONTENT_DISPOSITION: f"{disposition}; filename*=UTF-8''{quote(file.filename, safe='')}",
        hdrs.CACHE_CONTROL: "private, max-age=86400",
        "Content-Security-Policy": "sandbox",
        "X-Content-Type-Options": "nosniff",
    }
