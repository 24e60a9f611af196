"""Pages of collections.

They go on from a `Place`, the sort key and id of the last item shown, never from a number of items to skip: what comes
in between neither repeats an item nor hides one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

from msgspec import Struct
from pymongo import ASCENDING
from pymongo.asynchronous.cursor import AsyncCursor

from inbox.store.client import Document
from inbox.store.documents import from_document
from inbox.store.journal import JournalEntry

T = TypeVar("T")


class Place(NamedTuple):
    """Where a page ended: its last item's sort key (None where that is the id) and id."""

    at: datetime | None
    id: str


class Slice(Struct, Generic[T], frozen=True):
    """Some items, and where to go on; `end` is None where nothing follows."""

    items: list[T]
    end: Place | None


def beyond(query: Document, field: str, order: int, place: Place | None) -> Document:
    """`query`, beyond `place`. The bound on `field` lets the index begin there; the rest settles equal times."""
    if place is None:
        return query
    sign = "$gt" if order == ASCENDING else "$lt"
    bound: Document = {
        field: {f"{sign}e": place.at},
        "$or": [{field: {sign: place.at}}, {"_id": {sign: place.id}}],
    }
    return {**query, **bound}


async def slice_of(found: AsyncCursor[Document], kind: type[T], limit: int, place: Callable[[T], Place]) -> Slice[T]:
    """The first `limit` of what was found, and where they end if there is more."""
    items: list[T] = [_item(document, kind) async for document in found.limit(limit + 1)]
    more, items = len(items) > limit, items[:limit]
    return Slice(items, place(items[-1]) if more else None)


def _item(document: Document, kind: type[Any]) -> Any:  # noqa: ANN401 (of that kind)
    if kind is JournalEntry:
        document.setdefault("body", None)
    return from_document(document, kind)
