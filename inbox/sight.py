"""Which conversations somebody sees, and which canned replies and views.

An agent sees those that belong to no team, those of their own teams, and those that are assigned to them; supervisors
and admins see all. What an agent does not see is for them as if it did not exist.
"""

from __future__ import annotations

from msgspec import Struct

from inbox.filters import View
from inbox.model import CannedReply, Conversation, Event, EventType
from inbox.staff import Principal

Audience = tuple[str, ...]
"""Who is told of something: teams (`team|id`) and principals (`principal|id`)."""


def sees_all(principal: Principal) -> bool:
    """Whether there is nothing that is hidden from them."""
    return principal.role != "agent"


def sees(principal: Principal, conversation: Conversation) -> bool:
    """Whether a conversation exists for them."""
    return hears(principal, audience(conversation))


def sees_reply(principal: Principal, reply: CannedReply) -> bool:
    """Whether a canned reply exists for them: it is everybody's, or their team's."""
    return sees_all(principal) or reply.team is None or reply.team in principal.teams


def sees_view(principal: Principal, view: View) -> bool:
    """Whether a view exists for them: it is their own, or shared with them."""
    with_them = view.team is None or view.team in principal.teams
    return view.owner == principal.id or (view.shared and (sees_all(principal) or with_them))


def audience(*versions: Conversation) -> Audience | None:
    """Who is told of a change: whoever sees one of these versions of a conversation; None: everybody."""
    told: list[str] = []
    for version in versions:
        if version.team is None:
            return None
        told.append(f"team|{version.team}")
        if version.assignee is not None:
            told.append(f"principal|{version.assignee}")
    return tuple(dict.fromkeys(told))


def hears(principal: Principal, told: Audience | None) -> bool:
    """Whether somebody is among those who are told."""
    return told is None or sees_all(principal) or not ears(principal).isdisjoint(told)


def ears(principal: Principal) -> frozenset[str]:
    """The audiences that somebody belongs to."""
    return frozenset({f"principal|{principal.id}", *(f"team|{team}" for team in principal.teams)})


class Listener(Struct, frozen=True, kw_only=True):
    """What somebody wants to be told of, of what they may: some types of events, one conversation; None is all."""

    reader: Principal
    types: frozenset[EventType] | None = None
    conversation_id: str | None = None

    def hears(self, event: Event) -> bool:
        """Whether they are told of an event."""
        return (
            (self.types is None or event.type in self.types)
            and self.conversation_id in (None, event.conversation_id)
            and hears(self.reader, event.audience)
        )
