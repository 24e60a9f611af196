"""Reading a request's query and body into typed structures, and saying what is wrong with them, field by field."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import msgspec
from aiohttp import web
from aiohttp.helpers import ETAG_ANY

from inbox.api.problems import FieldError, ProblemError
from normalizer.codec import to_milliseconds

JSON_BYTES = 1 << 20
BODY_SECONDS = 30.0  # that a body, or the next piece of a file, may take to come

Limit = Annotated[int, msgspec.Meta(ge=1, le=200, description="How many at the most.")]
Seq = Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)]

T = TypeVar("T")

_AT = re.compile(r" - at (?:`key` in )?`\$\.?(.*)`$")
_NAMED = re.compile(r"field `(.*)`$")


class NoQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A call without query parameters."""


def read_query(request: web.Request, shape: type[T]) -> T:
    """The query as `shape`.

    Raises:
        ProblemError: 400.
    """
    values: dict[str, str] = {}
    for name, value in request.query.items():
        if name in values:
            raise invalid_query(FieldError(field=name, detail="may stand once only"))
        if not _is_unicode(name + value):
            raise invalid_query(FieldError(field=ascii(name), detail="must be UTF-8"))
        values[name] = value
    try:
        query = msgspec.convert(values, shape, strict=False)
    except msgspec.ValidationError as error:
        raise invalid_query(_field_error(error)) from error
    for name in values:
        if getattr(query, name, "") is None:  # from the word "null", where the type is no text
            raise invalid_query(FieldError(field=name, detail="null is no value: leave it out"))
    return query


async def read_body(request: web.Request, shape: type[T]) -> T:
    """The JSON body as `shape`; a content type is not asked for.

    Raises:
        ProblemError: 400 where it is not JSON, 408 where it does not come, 422 where it is of another shape.
        HTTPRequestEntityTooLarge: more than `JSON_BYTES`.
    """
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await request.read()
    except TimeoutError as error:
        raise slow_body() from error
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        raise invalid_body(_field_error(error)) from error
    except UnicodeDecodeError as error:
        raise ProblemError("invalid-json", "the body is not UTF-8") from error
    except msgspec.DecodeError as error:
        raise ProblemError("invalid-json", f"the body is not JSON: {error}") from error
    except RecursionError as error:
        raise ProblemError("invalid-json", "the body is nested too deeply") from error


def path_id(request: web.Request) -> str:
    """The `{id}` of the path; one that cannot be an id becomes one that nothing has."""
    id_ = request.match_info["id"]
    return id_ if _is_unicode(id_) else ascii(id_)


def future(value: datetime | None, field: str) -> datetime | None:
    """A time of the body that is still to come, in UTC and cut to milliseconds.

    Raises:
        ProblemError: 422, it has passed, or cannot be put into UTC.
    """
    try:
        at = to_milliseconds(value) if value else None
    except OverflowError as error:
        raise invalid_body(FieldError(field=field, detail="out of range")) from error
    if at is not None and at <= datetime.now(UTC):
        raise invalid_body(FieldError(field=field, detail="lies in the past"))
    return at


def seen_version(request: web.Request) -> int | None:
    """The version that `If-Match` names; an `ETag` that is none of ours is one that nothing has."""
    tags = request.if_match
    if "If-Match" not in request.headers or (tags and tags[0].value == ETAG_ANY):
        return None
    if not tags or len(tags) > 1:
        raise ProblemError("invalid-header", "If-Match: give the one ETag that you have seen")
    value = tags[0].value
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else -1


def slow_body() -> ProblemError:
    """408: whoever sends a byte now and then only wants to hold a connection."""
    return ProblemError("slow-body", f"the body did not come within {BODY_SECONDS:.0f} seconds")


def invalid_body(*errors: FieldError) -> ProblemError:
    """422: the body is JSON, but not what this call takes."""
    return ProblemError("invalid-body", _told(errors), errors=errors)


def invalid_query(*errors: FieldError) -> ProblemError:
    """400: the query is not what this call takes."""
    return ProblemError("invalid-query", _told(errors), errors=errors)


def _told(errors: tuple[FieldError, ...]) -> str:
    return "; ".join(f"{error.field}: {error.detail}" if error.field else error.detail for error in errors)


def _field_error(error: msgspec.ValidationError) -> FieldError:
    text = str(error)
    at, named = _AT.search(text), _NAMED.search(text)
    path = [part for part in (at and at[1], named and named[1]) if part]
    what = _AT.sub("", text).replace("`", "")
    return FieldError(field=".".join(path), detail=what[:1].lower() + what[1:])


def _is_unicode(text: str) -> bool:
    """Raw bytes in a request line come as lone surrogates, which neither BSON nor JSON can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def as_changes(patch: msgspec.Struct) -> dict[str, Any]:
    """The fields that a patch names; null counts, absence does not."""
    values = {name: getattr(patch, name) for name in patch.__struct_fields__}
    return {name: value for name, value in values.items() if value is not msgspec.UNSET}
