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

    `cc`: who has it in copy where it names neither `cc` nor `to`: whom the customer wrote to as well.
    `default`: by this one it leaves where no channel is named. An answer waits while `state` is not `running`.
    """

    channel: str
    connector: str
    state: State
    default: bool
    identity: IdentityView | None
    cc: tuple[str, ...]
    refused: Why | None


@route("GET", "/api/v1/conversations/{id}/ways", refuses=("merged",))
async def list_ways(call: Call[NoQuery, None]) -> Page[WayView]:
    """By which channels the conversation's customer can be answered, and why not by the others."""
    conversation = await standing_conversation(call)
    family = [one.id for one in await call.store.people.family(conversation.customer_id)]
    last = await call.store.queries.last_of(conversation.id, family, None)
    fares = {fare.id: fare for fare in await call.services.roster.channels()}
    addressing = call.services.addressing
    found = addressing.ways(await call.store.people.identities(family))
    channels = {way.channel for way in found if way.identity}
    written = {channel: await call.store.queries.last_of(conversation.id, family, channel) for channel in channels}
    first = next(iter(conversation.channels), None)  # where nobody but members of the customer, a group, has written
    ways = []
    for way in found:
        by_way = written.get(way.channel)
        reached = way.identity if by_way and way.identity and by_way.author.identity_id == way.identity.id else None
        view = WayView(
            channel=way.channel,
            connector=fares[way.channel].connector,
            state=fares[way.channel].state,
            default=last == by_way and reached is not None if last else way.channel == first,
            identity=identity_view(way.identity) if way.identity else None,
            cc=addressing.copied(by_way, reached) if by_way and reached else (),
            refused=Why(type=way.refusal.code, detail=way.refusal.detail) if way.refusal else None,
        )
        ways.append(view)
    return Page(ways, None)


ROUTES = (list_ways,)
