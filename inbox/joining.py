"""Joining conversations that turn out to be one: whether they are is decided in `inbox.threading`."""

from __future__ import annotations

from msgspec.structs import replace

from inbox import delivery
from inbox.model import Conversation, Draft, OutboxItem, ThreadKey
from inbox.store import Unit


async def join(unit: Unit, home: Conversation, emptied: Conversation) -> Conversation:
    """Moves everything of `emptied` behind what `home` holds."""
    messages = await unit.messages_of(emptied.id)
    replies = await unit.get(OutboxItem, [one.id for one in messages if one.direction == "outbound"])
    for offset, message in enumerate(messages, start=home.last_seq + 1):
        unit.put(replace(message, conversation_id=home.id, seq=offset))
        if message.id in replies:
            lane = delivery.lane(message.channel, home.id)
            unit.put(replace(replies[message.id], conversation_id=home.id, lane=lane, seq=offset))
    for key in await unit.hanging_on(ThreadKey, emptied.id):
        unit.put(replace(key, conversation_id=home.id))
    await _move_drafts(unit, home, emptied)
    unit.put(replace(emptied, status="resolved", merged_into=home.id, last_seq=0, inbound=0, updated_at=unit.now))
    return replace(
        home,
        last_seq=home.last_seq + len(messages),
        inbound=home.inbound + emptied.inbound,
        channels=tuple(dict.fromkeys((*home.channels, *emptied.channels))),
        tags=tuple(dict.fromkeys((*home.tags, *emptied.tags))),
        waiting_since=min(filter(None, (home.waiting_since, emptied.waiting_since)), default=None),
        answered_at=min(filter(None, (home.answered_at, emptied.answered_at)), default=None),
        followers=tuple(dict.fromkeys((*home.followers, *emptied.followers))),
        team=home.team or emptied.team,
        assignee=home.assignee or emptied.assignee,
        status="open" if "open" in (home.status, emptied.status) else home.status,
    )


async def _move_drafts(unit: Unit, home: Conversation, emptied: Conversation) -> None:
    """What somebody was writing is not lost; where they have a draft in both, it stands behind the other.

    A reply and a note become a note: that cannot leave.
    """
    for draft in await unit.hanging_on(Draft, emptied.id):
        id_ = f"{home.id}|{draft.principal_id}"
        there = await unit.one(Draft, id_)
        unit.remove(Draft, draft.id)
        if there is None:
            unit.put(replace(draft, id=id_, conversation_id=home.id))
        else:
            text = "\n\n".join(filter(None, (there.text, draft.text)))
            files = (*there.attachments, *draft.attachments)
            direction = there.direction if there.direction == draft.direction else "note"
            unit.put(replace(there, text=text, attachments=files, direction=direction))
