"""A view's filter, as a query."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import UNSET

from inbox.filters import Field, Filter
from inbox.store.client import Document
from inbox.store.indexes import LONG_AGO

FIELDS: Mapping[Field, str] = {
    "status": "status",
    "channel": "channels",
    "assignee": "assignee",
    "team": "team",
    "tag": "tags",
    "priority": "priority",
    "follower": "followers",
    "customer": "customer_id",
}
NAMING_NOBODY = ("assignee", "team")


def as_query(filter_: Filter) -> Document:
    """The conversations that a filter asks for; it has no mistakes, and names nobody as `me`."""
    if filter_.all is not UNSET:
        return {"$and": [as_query(part) for part in filter_.all]}
    if filter_.any is not UNSET:
        return {"$or": [as_query(part) for part in filter_.any]}
    if filter_.field is UNSET:
        return {"waiting_since": {"$gt": LONG_AGO} if filter_.waiting else None}
    nobody = filter_.field in NAMING_NOBODY
    values = [None if nobody and value == "none" else value for value in filter_.values]
    return {FIELDS[filter_.field]: {"$in" if filter_.is_ is not UNSET else "$nin": values}}
