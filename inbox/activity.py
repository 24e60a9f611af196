"""When a channel last heard from its platform, and last sent to it: kept in memory, shared with each heartbeat."""

from __future__ import annotations

from datetime import datetime

from inbox.store import Store


class Activity:
    """The times of the last message in and out, by channel, over all processes."""

    def __init__(self) -> None:
        self._in: dict[str, datetime] = {}
        self._out: dict[str, datetime] = {}

    def came(self, channel: str, at: datetime) -> None:
        """A message came in."""
        self._in[channel] = at

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
        for channel, (came, left) in (await store.processes.share_activity(self._in, self._out)).items():
            if came is not None:
                self._in[channel] = max(came, self._in.get(channel, came))
            if left is not None:
                self._out[channel] = max(left, self._out.get(channel, left))
