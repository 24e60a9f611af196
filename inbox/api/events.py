"""The event log: what happened after a cursor."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Annotated, Any, get_args

from msgspec import Meta, Struct

from connectors.tasks import end
from inbox.api.paging import DEFAULT_LIMIT
from inbox.api.problems import FieldError, ProblemError
from inbox.api.reading import Limit
from inbox.api.routing import Call, route
from inbox.api.streams import STREAMS
from inbox.events import Hub, from_cursor, to_cursor
from inbox.model import EventType
from inbox.sight import Listener
from inbox.told import EventView, event_view


class StreamQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to go on, without `after` from now on, and of what to hear."""

    after: Annotated[str | None, Meta(description="A cursor: the `next` of a page, or the `id` of an event.")] = None
    types: Annotated[str | None, Meta(description="Types of events with commas between; else all.")] = None
    conversation: Annotated[str | None, Meta(description="The id of the one conversation to hear of.")] = None


class EventsQuery(StreamQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """That, a page at a time; `wait` answers as soon as something happens."""

    limit: Limit = DEFAULT_LIMIT
    wait: Annotated[int, Meta(ge=0, le=30, description="How many seconds to wait where nothing has happened.")] = 0


class EventsPage(Struct, frozen=True):
    """Events in the order of commit. `next` is where to go on, also when nothing has happened yet."""

    items: list[EventView]
    next: str


@route("GET", "/api/v1/events", refuses=("cursor-expired",))
async def list_events(call: Call[EventsQuery, None]) -> EventsPage:
    """What happened after a cursor; 410 where that is not known any more."""
    hub, query, listener = call.services.hub, call.query, listener_of(call)
    if query.after is None and not query.wait:
        return EventsPage([], to_cursor(await hub.newest()))
    position, newest = position_of(query.after) if query.after else await hub.newest(), await hub.newest()
    events = await hub.backlog(position, query.limit, listener=listener)
    if not events and query.wait and await _something(call, position, listener):
        newest = await hub.newest()
        events = await hub.backlog(position, query.limit, listener=listener)
    read = [event.id for event in events]
    # Where all were read, the caller goes on from now, and not from the last of theirs, which may soon be forgotten.
    end = read[-1] if len(read) == query.limit else max(position, newest, *read)
    return EventsPage([event_view(event) for event in events], to_cursor(end))


async def _something(call: Call[EventsQuery, None], position: int, listener: Listener) -> bool:
    """Waits until there is something to hear, or Santral stops; whether there is."""
    heard = asyncio.create_task(_first(call.services.hub, position, listener))
    stopping = asyncio.create_task(call.request.app[STREAMS].closing.wait())
    try:
        done, _ = await asyncio.wait((heard, stopping), timeout=call.query.wait, return_when=asyncio.FIRST_COMPLETED)
        return heard in done and heard.result()
    finally:
        await end(heard, stopping)


async def _first(hub: Hub, position: int, listener: Listener) -> bool:
    async with aclosing(hub.follow(position, listener=listener)) as events:
        async for _ in events:
            return True
    return False


def listener_of(call: Call[Any, None]) -> Listener:
    """What the query asks to hear of.

    Raises:
        ProblemError: 400, there is no such type.
    """
    types = frozenset(call.query.types.split(",")) if call.query.types else None
    for unknown in sorted((types or frozenset()) - frozenset(get_args(EventType))):
        what = FieldError(field="types", detail=f"there is no {unknown!r}; there are {', '.join(get_args(EventType))}")
        raise ProblemError("invalid-query", f"types: {what.detail}", errors=[what])
    return Listener(reader=call.principal, types=types, conversation_id=call.query.conversation)


def position_of(cursor: str) -> int:
    """The position that a cursor means.

    Raises:
        ProblemError: 400, it is none of ours.
    """
    try:
        return from_cursor(cursor)
    except ValueError as error:
        what = FieldError(field="after", detail="no cursor of ours")
        raise ProblemError("invalid-query", "after: no cursor of ours", errors=[what]) from error


ROUTES = (list_events,)
