"""Views: filters of the list of conversations that are kept under a name.

A filter is a small tree: conditions, joined by `all` and `any`. What it asks for is decided here; how the database is
asked, in `inbox.store.filters`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal, NamedTuple, get_args

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from inbox.model import Priority, Status
from normalizer.schema import Time

DEEPEST = 3  # groups inside one another
MOST_CONDITIONS = 20

Sort = Literal["-updated_at", "updated_at", "-created_at", "waiting"]
Field = Literal["status", "channel", "assignee", "team", "tag", "priority", "follower", "customer"]
Values = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...], Meta(min_length=1, max_length=50)]
Group = Annotated[tuple["Filter", ...], Meta(min_length=1, max_length=MOST_CONDITIONS)]

KNOWN: Mapping[Field, Sequence[str]] = {"status": get_args(Status), "priority": get_args(Priority)}


class Filter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group or a condition, in one of four forms: `all` of these, `any` of these, a `field`, or `waiting`.

    A `field` `is` one of some values, or `is_not` any of them; of `tag`, `channel` and `follower`, which a conversation
    has several of, one that `is` is enough. `assignee` and `follower` take `me`, which is whoever looks; `assignee` and
    `team` take `none`. `waiting`: whether the customer waits for an answer.
    """

    all: Group | UnsetType = UNSET
    any: Group | UnsetType = UNSET
    field: Field | UnsetType = UNSET
    is_: Values | UnsetType = msgspec.field(default=UNSET, name="is")
    is_not: Values | UnsetType = UNSET
    waiting: bool | UnsetType = UNSET

    @property
    def parts(self) -> Sequence[Filter]:
        """What a group joins; nothing in a condition."""
        return next((group for group in (self.all, self.any) if group is not UNSET), ())

    @property
    def values(self) -> Sequence[str]:
        """What a field is compared with."""
        return next((values for values in (self.is_, self.is_not) if values is not UNSET), ())


class View(Struct, frozen=True, kw_only=True):
    """A filter with a name and an order.

    Attributes:
        owner: who made it: an agent or a token.
        shared: whether others have it too: those of `team`, or everybody where that is null.
        version: grows with each change; the `ETag`.
    """

    id: str
    name: str
    owner: str
    shared: bool = False
    team: str | None = None
    filter: Filter
    sort: Sort = "-updated_at"
    version: int = 1
    created_at: Time
    updated_at: Time


class Mistake(NamedTuple):
    """Where in a filter something is wrong, and what."""

    at: str
    told: str


def mistakes(filter_: Filter) -> Iterator[Mistake]:
    """What the types of a filter let pass, and yet means nothing or asks too much."""
    found = list(_mistakes(filter_, "filter", 0))
    yield from found
    if not found and _size(filter_) > MOST_CONDITIONS:
        yield Mistake("filter", f"has more than {MOST_CONDITIONS} conditions")


def resolved(filter_: Filter, me: str, families: Mapping[str, Sequence[str]]) -> Filter:
    """The filter as somebody asks it.

    Args:
        filter_: with `me`, and customers as they were known when it was made.
        me: the id of who asks.
        families: all who are one person with a customer, by the customer's id.
    """
    if filter_.all is not UNSET:
        return Filter(all=tuple(resolved(part, me, families) for part in filter_.all))
    if filter_.any is not UNSET:
        return Filter(any=tuple(resolved(part, me, families) for part in filter_.any))
    match filter_.field:
        case "assignee" | "follower":
            values = tuple(me if value == "me" else value for value in filter_.values)
        case "customer":
            values = tuple(member for value in filter_.values for member in families.get(value, (value,)))
        case _:
            return filter_
    return msgspec.structs.replace(filter_, **{"is_" if filter_.is_ is not UNSET else "is_not": values})


def customers_of(filter_: Filter) -> set[str]:
    """The customers whom a filter names."""
    named = set(filter_.values) if filter_.field == "customer" else set()
    return named.union(*map(customers_of, filter_.parts))


def renamed(filter_: Filter, field: Field, old: str, new: str) -> Filter:
    """The filter with another value in place of one, wherever that is compared with `field`."""
    if filter_.all is not UNSET:
        return Filter(all=tuple(renamed(part, field, old, new) for part in filter_.all))
    if filter_.any is not UNSET:
        return Filter(any=tuple(renamed(part, field, old, new) for part in filter_.any))
    if filter_.field != field or old not in filter_.values:
        return filter_
    values = tuple(dict.fromkeys(new if value == old else value for value in filter_.values))
    return msgspec.structs.replace(filter_, **{"is_" if filter_.is_ is not UNSET else "is_not": values})


def _mistakes(filter_: Filter, at: str, depth: int) -> Iterator[Mistake]:
    forms = (filter_.all, filter_.any, filter_.field, filter_.waiting)
    compared = [values for values in (filter_.is_, filter_.is_not) if values is not UNSET]
    if sum(form is not UNSET for form in forms) != 1:
        yield Mistake(at, "give one of all, any, field and waiting")
    elif len(compared) != (filter_.field is not UNSET):
        yield Mistake(at, "give one of is and is_not with a field, and none without")
    elif filter_.parts and depth == DEEPEST:
        yield Mistake(at, f"is more than {DEEPEST} groups deep")
    elif filter_.field is not UNSET and filter_.field in KNOWN:
        known = KNOWN[filter_.field]
        unknown = [value for value in filter_.values if value not in known]
        if unknown:
            yield Mistake(at, f"{filter_.field} is one of {', '.join(known)}, not {unknown[0]!r}")
    name = "all" if filter_.all is not UNSET else "any"
    if depth < DEEPEST:
        for number, part in enumerate(filter_.parts):
            yield from _mistakes(part, f"{at}.{name}[{number}]", depth + 1)


def _size(filter_: Filter) -> int:
    return sum(map(_size, filter_.parts)) if filter_.parts else 1
