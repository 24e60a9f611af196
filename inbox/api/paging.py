"""Opaque cursors for lists: the place where a page ended, and the order it was in."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta

from inbox.api.problems import FieldError
from inbox.api.reading import Limit, invalid_query
from inbox.store.paging import Place, Slice

DEFAULT_LIMIT = 50

T = TypeVar("T")
ViewT = TypeVar("ViewT")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """A page of a list. `next` goes into the next call as `cursor`, and is null on the last page."""

    items: list[T]
    next: str | None


class PageQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every list takes."""

    cursor: Annotated[str | None, Meta(description="The `next` of the page before.")] = None
    limit: Limit = DEFAULT_LIMIT


class _Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    order: str
    at: datetime | None
    id: str


def page(slice_: Slice[T], order: str, view: Callable[[T], ViewT]) -> Page[ViewT]:
    """The items as they are shown, and the cursor to the next page of this order."""
    end = slice_.end
    return Page([view(item) for item in slice_.items], _to_cursor(_Cursor(order, end.at, end.id)) if end else None)


def place(cursor: str | None, order: str, *, timed: bool = True) -> Place | None:
    """Where the page before ended.

    Args:
        cursor: the `next` of that page; None for the first one.
        order: the order of the list.
        timed: whether that order is one of times.

    Raises:
        ProblemError: 400, the cursor was not given for this list.
    """
    if cursor is None:
        return None
    try:
        found = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=_Cursor)
    except (binascii.Error, ValueError, RecursionError):
        found = None
    if found is None or found.order != order or (found.at is not None) != timed:
        raise invalid_query(FieldError(field="cursor", detail="give the next of an earlier page of this list as it is"))
    return Place(found.at, found.id)


def _to_cursor(cursor: _Cursor) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).rstrip(b"=").decode()
