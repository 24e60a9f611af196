"""What an admin looks at: the channels, and the events that could not be understood."""

from __future__ import annotations

from aiohttp import web
from msgspec import Struct

from inbox.api.originals import original_of
from inbox.api.paging import Page, PageQuery, page, place
from inbox.api.problems import not_found
from inbox.api.reading import NoQuery
from inbox.api.routing import Call, route
from inbox.api.views import ChannelView, FailedView, channel_view, failed_view
from inbox.store.paging import Place, Slice

NEWEST = "-received_at"
CONFIGURED = "configured"


class Replayed(Struct, frozen=True):
    """How many events are applied again."""

    replayed: int


@route("GET", "/api/v1/channels")
async def list_channels(call: Call[PageQuery, None]) -> Page[ChannelView]:
    """The channels, in the order of the configuration: whether each runs, and why not."""
    services = call.services
    states = await services.roster.channels()
    after = place(call.query.cursor, CONFIGURED, timed=False)
    begin = next((number for number, state in enumerate(states, 1) if after and state.id == after.id), 0)
    items = states[begin : begin + call.query.limit]
    more = begin + len(items) < len(states)
    found = Slice(items, Place(None, items[-1].id) if more else None)
    return page(found, CONFIGURED, lambda state: channel_view(state, services.activity))


@route("GET", "/api/v1/ingest/failed")
async def list_failed(call: Call[PageQuery, None]) -> Page[FailedView]:
    """Events that could not be normalized, the newest first."""
    after = place(call.query.cursor, NEWEST)
    return page(await call.store.queries.failed(after=after, limit=call.query.limit), NEWEST, failed_view)


@route("GET", "/api/v1/ingest/{id}/original", refuses=("no-original",))
async def get_failed_original(call: Call[NoQuery, None]) -> web.StreamResponse:
    """What the platform sent and nobody could understand, byte for byte; never to be shown by a browser."""
    entry = await call.store.journal.get(call.id)
    if entry is None or entry.state != "failed":
        raise not_found("failed event", call.id)
    return await original_of(call, entry)


@route("POST", "/api/v1/ingest/{id}/replay", status=202)
async def replay(call: Call[NoQuery, None]) -> Replayed:
    """Tries a failed event again."""
    replayed = await call.services.ingest.replay([call.id])
    if not replayed:
        raise not_found("failed event", call.id)
    return Replayed(replayed)


ROUTES = (list_channels, list_failed, get_failed_original, replay)
