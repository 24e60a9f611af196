"""What goes through each channel: when the last message came and left, and how many came in each hour.

Kept in memory, and shared with each heartbeat.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from inbox import silence
from inbox.store import Store
from inbox.store.traffic import Hour


class Activity:
    """The channels' traffic, over all processes."""

    def __init__(self) -> None:
        self._in: dict[str, datetime] = {}
        self._out: dict[str, datetime] = {}
        self._hours: Counter[Hour] = Counter()

    def came(self, channel: str, messages: int, at: datetime) -> None:
        """Messages came in, the last of them at that time."""
        self._in[channel] = at
        self._hours[channel, silence.hour_of(at)] += messages

    def left(self, channel: str, at: datetime) -> None:
        """A reply left."""
        self._out[channel] = at

    def last_in(self, channel: str) -> datetime | None:
        """When the last message came in."""
        return self._in.get(channel)

    def last_out(self, channel: str) -> datetime | None:
        """When the last reply left."""
        return self._out.get(channel)

    async def share(self, store: Store) -> None:
        """Tells the others, and hears from them."""
        for channel, (came, left) in (await store.traffic.share(self._in, self._out)).items():
            if came is not None:
                self._in[channel] = max(came, self._in.get(channel, came))
            if left is not None:
                self._out[channel] = max(left, self._out.get(channel, left))
        hours, self._hours = self._hours, Counter()
        await store.traffic.add(hours)

    async def silence(self, store: Store, channel: str, now: datetime) -> silence.Silence | None:
        """Whether a channel is silent at a time of the week at which many messages used to come."""
        since = self.last_in(channel)
        if since is None or now - since < silence.LEAST:
            return None
        return silence.unusual(await store.traffic.hours(channel), since, now)
