"""What is counted for reports, of what was and what is: pure.

A tally is of a day of the inbox's timezone, a channel, a team and an agent. Messages, new conversations, first
responses and resolutions stand under one channel each, and once more for all teams and agents together, as most reports
are of all. How many conversations are open and wait stands under each of their channels, and once under no channel,
because one conversation may be on several.

Times are kept as how many fell into each slot, and a slot is an eighth of a doubling: so a median of a year costs what
one of a day does, and is at most `PRECISION` away from the true one.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from inbox.model import Conversation
from normalizer.schema import Message

Version = Message | Conversation | None
Step = tuple[Version, Version]
"""What one change made of something: how it was, and how it is."""

SLOTS_OF_A_DOUBLING = 8
PRECISION = 2 ** (0.5 / SLOTS_OF_A_DOUBLING) - 1  # 4.4 %


ALL = "*"  # no id of a team or an agent


class Place(NamedTuple):
    """Where something is counted; `channel` is empty where it is of all channels, both others `ALL` where of all."""

    day: str
    channel: str
    team: str | None
    agent: str | None

    @property
    def id(self) -> str:
        """What the tally is found by; the day leads, so that a span is one range of ids, and one of those of all."""
        return f"{lead(self.team)}{self.day}|{self.channel}|{self.team or ''}|{self.agent or ''}"

    @property
    def of_all(self) -> Place:
        """The same, of all teams and agents together."""
        return self._replace(team=ALL, agent=ALL)


def lead(team: str | None) -> str:
    """What the ids of a team's tallies begin with, before the day."""
    return f"{ALL}|" if team == ALL else ""


Tallies = Mapping[Place, Counter[str]]
"""What to add to each number of each tally; dots lead to a number within a number's place."""


def tallied(
    steps: Sequence[Step], conversation_of: Callable[[str], Conversation | None], now: datetime, zone: tzinfo
) -> Tallies:
    """What a transaction adds.

    Args:
        steps: its changes, in their order.
        conversation_of: the conversation with an id, as it stands at the end.
        now: when it is.
        zone: of the days.
    """
    found: defaultdict[Place, Counter[str]] = defaultdict(Counter)
    new = [after for before, after in steps if before is None and isinstance(after, Message)]
    day = day_of(now, zone)
    happened = [of for one in new for of in _of_message(one, conversation_of(one.conversation_id), now, zone)]
    for was, conversation in of_conversations(steps):
        if conversation is not None:
            happened += _of_conversation(was, conversation, new, now, day)
        for version, sign in ((was, -1), (conversation, 1)):
            for place, name in _standing(version, day):
                found[place][name] += sign
    for place, name in happened:
        found[place][name] += 1
        found[place.of_all][name] += 1
    return found


def of_conversations(steps: Iterable[Step]) -> Iterator[tuple[Conversation | None, Conversation | None]]:
    """Those of the steps that conversations made."""
    for before, after in steps:
        was = before if isinstance(before, Conversation) else None
        conversation = after if isinstance(after, Conversation) else None
        if was is not None or conversation is not None:
            yield was, conversation


def day_of(moment: datetime, zone: tzinfo) -> str:
    """The day on which that is, as ISO 8601 writes it."""
    return moment.astimezone(zone).date().isoformat()


def _of_message(
    message: Message, conversation: Conversation | None, now: datetime, zone: tzinfo
) -> Iterator[tuple[Place, str]]:
    if conversation is None or message.kind != "message":
        return
    author = message.author
    at = (message.received_at or now).astimezone(zone)
    place = Place(at.date().isoformat(), message.channel, conversation.team, conversation.assignee)
    if message.direction == "inbound" and author.type == "customer":
        yield place, "inbound"
        yield place, f"hours.{at.hour}"
    elif message.direction == "outbound":
        yield place._replace(agent=author.id if author.type == "agent" else None), "outbound"


def _of_conversation(
    was: Conversation | None, conversation: Conversation, new: Sequence[Message], now: datetime, day: str
) -> Iterator[tuple[Place, str]]:
    if conversation.merged_into is not None:
        return
    channel = conversation.channels[0] if conversation.channels else ""
    place = Place(day, channel, conversation.team, conversation.assignee)
    if was is None:
        yield place, "conversations"
        return
    if was.waiting_since is not None and conversation.answered_at is not None and was.answered_at is None:
        answer = next((one for one in new if one.conversation_id == conversation.id and by_agent(one)), None)
        if answer is not None:
            answered = place._replace(channel=answer.channel, agent=answer.author.id)
            yield answered, f"first.{slot_of(now - was.waiting_since)}"
    if was.status != "resolved" and conversation.status == "resolved":
        yield place, f"resolved.{slot_of(now - (was.opened_at or was.created_at))}"


def by_agent(message: Message) -> bool:
    """Whether an agent says that to the customer."""
    return message.direction == "outbound" and message.author.type == "agent"


def _standing(conversation: Conversation | None, day: str) -> Iterator[tuple[Place, str]]:
    if conversation is None or conversation.merged_into is not None:
        return
    is_so = {"open": conversation.status == "open", "waiting": conversation.waiting_since is not None}
    for channel in ("", *conversation.channels):
        place = Place(day, channel, conversation.team, conversation.assignee)
        yield from ((place, name) for name, holds in is_so.items() if holds)


def slot_of(time: timedelta) -> int:
    """The slot of a time; all up to a second share the first."""
    return math.floor(math.log2(max(time.total_seconds(), 1)) * SLOTS_OF_A_DOUBLING)


def quantile(slots: Mapping[int, int], share: float) -> float | None:
    """The seconds within which that share of the times lies, to `PRECISION`; None where there are none."""
    rank, seen = math.ceil(share * sum(slots.values())), 0
    for slot, times in sorted(slots.items()):
        seen += times
        if seen >= rank:
            return round(2 ** ((slot + 0.5) / SLOTS_OF_A_DOUBLING), 1)
    return None


def merged(slots: Iterable[Mapping[int, int]]) -> Counter[int]:
    """The times of several tallies as those of one."""
    found: Counter[int] = Counter()
    for one in slots:
        found.update(one)
    return found
