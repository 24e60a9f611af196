"""How many conversations there are of each kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, get_args

from msgspec import Meta, Struct

from inbox.api.routing import Call, route
from inbox.model import Status
from inbox.staff import Principal
from inbox.store.counts import Count


class CountsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of what."""

    status: Annotated[Status, Meta(description="The status whose queues are counted.")] = "open"


class CountsView(Struct, frozen=True, kw_only=True):
    """How many conversations there are: by status, and in one status by queue.

    `mine` are assigned to the caller, `unassigned` to nobody; `teams` by id, `channels` by id, `tags` by name.
    """

    statuses: Mapping[Status, int]
    mine: int
    unassigned: int
    teams: Mapping[str, int]
    channels: Mapping[str, int]
    tags: Mapping[str, int]


@route("GET", "/api/v1/counts")
async def count_conversations(call: Call[CountsQuery, None]) -> CountsView:
    """How many conversations the caller sees: of each status, and in one status of each queue."""
    counts = await call.store.counts.seen_by(call.principal, kinds=("all", "channel", "tag"))
    return _counts(counts, call.principal, call.query.status)


def _counts(counts: Sequence[Count], reader: Principal, status: Status) -> CountsView:
    """The numbers of those counts that are of one status, by queue."""
    whole = [count for count in counts if count.kind == "all"]
    of_status = [count for count in counts if count.status == status]
    queue = [count for count in whole if count.status == status]
    return CountsView(
        statuses={one: sum(count.n for count in whole if count.status == one) for one in get_args(Status)},
        mine=sum(count.n for count in queue if count.assignee == reader.id),
        unassigned=sum(count.n for count in queue if count.assignee is None),
        teams=summed((count.team, count.n) for count in queue if count.team is not None),
        channels=summed((count.value, count.n) for count in of_status if count.kind == "channel"),
        tags=summed((count.value, count.n) for count in of_status if count.kind == "tag"),
    )


def summed(numbers: Iterable[tuple[str | None, int]]) -> dict[str, int]:
    """The sum of each name's numbers, where there is something to count."""
    found: Counter[str] = Counter()
    for name, n in numbers:
        if name is not None:
            found[name] += n
    return {name: n for name, n in found.items() if n > 0}


ROUTES = (count_conversations,)
