"""Files: uploading them for a reply, and downloading what strangers sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError
from msgspec import Meta, Struct

from connectors.errors import PermanentError
from inbox.api import untrusted
from inbox.api.problems import ProblemError, not_found
from inbox.api.reading import BODY_SECONDS, NoQuery, slow_body
from inbox.api.routing import Call, Streamed, route
from normalizer.schema import Attachment

UPLOAD_BYTES = 50 << 20
PIECE_BYTES = 1 << 16
BROKEN_FORM = (ValueError, AssertionError, HttpProcessingError)  # what aiohttp raises for a form that is none


class UploadQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file is called, where it comes as the bare body."""

    filename: Annotated[str, Meta(description="What a bare body is called.")] = untrusted.UNNAMED


@route("POST", "/api/v1/attachments", status=201, refuses=("invalid-form", "too-large"))
async def upload(call: Call[UploadQuery, Streamed]) -> Attachment:
    """Stores a file that a reply of the caller may then name: the bare body, or the first file of a form."""
    filename, content = await uploaded(call.request)
    try:
        return await call.services.files.save(
            content, filename=filename or call.query.filename, owner=call.principal.id, limit=UPLOAD_BYTES
        )
    except PermanentError as error:
        raise ProblemError("too-large", error.reason) from error


@route("GET", "/api/v1/attachments/{id}", refuses=("not-ready",))
async def download(call: Call[NoQuery, None]) -> web.StreamResponse:
    """The bytes of a file, as a download but for raster images, audio and video."""
    attachment = await call.services.files.get(call.id, call.principal)
    if attachment is None:
        raise not_found("attachment", call.id)
    if attachment.state != "ready":
        raise ProblemError("not-ready", f"the bytes of this file are not here: {attachment.state}")
    pieces = call.services.files.open(call.id)
    try:
        first = await anext(pieces, b"")
    except LookupError as error:
        raise not_found("attachment", call.id) from error
    return await _send(call.request, attachment, first, pieces)


async def uploaded(request: web.Request) -> tuple[str | None, AsyncIterator[bytes]]:
    """A file that comes as the bare body, or as the first one of a form, which says what it is called.

    Raises:
        ProblemError: the form cannot be read.
    """
    if not request.content_type.startswith("multipart/"):
        return None, _timely(request.content.iter_chunked(PIECE_BYTES))
    try:
        part = await _first_file(await request.multipart())
    except BROKEN_FORM as error:
        raise _broken_form(str(error)) from error
    if part is None:
        raise _broken_form("it holds no file")
    return part.filename, _timely(_pieces(part))


async def _first_file(form: MultipartReader) -> BodyPartReader | None:
    while (part := await form.next()) is not None:
        if isinstance(part, BodyPartReader) and part.filename:
            return part
    return None


async def _timely(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces, as long as each comes in time."""
    while True:
        try:
            async with asyncio.timeout(BODY_SECONDS):
                piece = await anext(pieces)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise slow_body() from error
        yield piece


async def _pieces(part: BodyPartReader) -> AsyncIterator[bytes]:
    try:
        while piece := await part.read_chunk(PIECE_BYTES):
            yield piece
    except BROKEN_FORM as error:
        raise _broken_form(str(error)) from error


async def _send(
    request: web.Request, attachment: Attachment, first: bytes, rest: AsyncIterator[bytes]
) -> web.StreamResponse:
    response = web.StreamResponse(headers=untrusted.headers(attachment.content_type, attachment.filename))
    response.content_length = attachment.size
    await response.prepare(request)
    try:
        await response.write(first)
        async for piece in rest:
            await response.write(piece)
        await response.write_eof()
    except Exception:
        if request.transport is not None:  # half a file must not look like a whole one
            request.transport.abort()
        raise
    return response


def _broken_form(detail: str) -> ProblemError:
    return ProblemError("invalid-form", f"the form cannot be read: {detail}")


ROUTES = (upload, download)
