"""By which channels a conversation can be answered."""

from __future__ import annotations

from msgspec import Struct

from connectors.supervisor import State
from inbox.api.paging import Page
from inbox.api.reading import NoQuery
from inbox.api.routing import Call, route
from inbox.api.seen import standing_conversation
from inbox.api.views import IdentityView, identity_view


class Why(Struct, frozen=True, kw_only=True):
    """Why a channel does not carry an answer: `type` as in the problem that it would be refused by."""

    type: str
    detail: str


class WayView(Struct, frozen=True, kw_only=True):
    """A channel, and the address that an answer would go to; `refused` says why there is none.

    `default`: by this one it leaves where no channel is named. An answer waits while `state` is not `running`.
    """

    channel: str
    connector: str
    state: State
    default: bool
    identity: IdentityView | None
    refused: Why | None


@route("GET", "/api/v1/conversations/{id}/ways", refuses=("merged",))
async def list_ways(call: Call[NoQuery, None]) -> Page[WayView]:
    """By which channels the conversation's customer can be answered, and why not by the others."""
    conversation = await standing_conversation(call)
    family = [one.id for one in await call.store.people.family(conversation.customer_id)]
    last = await call.store.queries.last_written(conversation.id, family)
    fares = {fare.id: fare for fare in await call.services.roster.channels()}
    ways = [
        WayView(
            channel=way.channel,
            connector=fares[way.channel].connector,
            state=fares[way.channel].state,
            default=(way.channel, way.identity and way.identity.id) == last,
            identity=identity_view(way.identity) if way.identity else None,
            refused=Why(type=way.refusal.code, detail=way.refusal.detail) if way.refusal else None,
        )
        for way in call.services.addressing.ways(await call.store.people.identities(family))
    ]
    return Page(ways, None)


ROUTES = (list_ways,)
