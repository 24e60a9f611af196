"""Whether a poller has gone deaf: it still runs, but its platform has not answered for far longer than it used to."""

from __future__ import annotations

from collections import deque

REMEMBERED = 20  # pauses between answers, of which the longest is what is usual
TIMES_LONGER = 4
LEAST_SECONDS = 60.0


class Pulse:
    """When a platform answered; times are seconds of one clock."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._pauses: deque[float] = deque(maxlen=REMEMBERED)

    def beat(self, now: float) -> None:
        """The platform has answered."""
        if self._last is not None:
            self._pauses.append(now - self._last)
        self._last = now

    def silence(self, now: float) -> tuple[float, float] | None:
        """How long it has been silent and the longest pause that is usual, where the one is far longer than the other.

        None while all is well, and for a connector that never tells of answers.
        """
        if self._last is None:
            return None
        usual = max(self._pauses, default=0.0)
        silent = now - self._last
        return (silent, usual) if silent > max(LEAST_SECONDS, TIMES_LONGER * usual) else None
