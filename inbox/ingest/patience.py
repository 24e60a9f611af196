"""A connector's `normalize` is code of others, and may not hold up a process for ever.

It is interrupted by a signal, in a loop of Python and in a regular expression alike. Code in C that never looks for
signals is not; what is large is therefore understood in a process of its own (`inbox.ingest.reading`).
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from types import FrameType

from normalizer.outcomes import Outcome, Raw

TICK_SECONDS = 0.5

Normalize = Callable[[Raw], Sequence[Outcome]]


class TooLongError(Exception):
    """An event could not be understood in time."""


class _EnoughError(BaseException):
    """Not an `Exception`, so that `normalize` does not take it for one of its own."""


class _Alarm:
    """What the signal calls: there is one in a process, as there is one timer."""

    def __init__(self) -> None:
        self._ticks_left = 0
        self._listens = False

    def set(self, seconds: float) -> None:
        """Rings after so many seconds, and then again and again.

        Ticks are counted, and not time, because a process may be stopped meanwhile.
        """
        if not self._listens:
            signal.signal(signal.SIGALRM, self._tick)
            self._listens = True
        tick = min(TICK_SECONDS, seconds)
        self._ticks_left = round(seconds / tick)
        signal.setitimer(signal.ITIMER_REAL, tick, tick)

    def off(self) -> None:
        """Rings no more."""
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _tick(self, _number: int, _frame: FrameType | None) -> None:
        self._ticks_left -= 1
        if self._ticks_left <= 0:
            raise _EnoughError


_ALARM = _Alarm()


def outcomes_within(seconds: float, normalize: Normalize, raw: Raw) -> tuple[Outcome, ...]:
    """What an event means. To be called from the main thread.

    Raises:
        TooLongError: it took longer than `seconds`; its cause has the place where.
        Exception: whatever `normalize` raises.
    """
    _ALARM.set(seconds)
    try:
        try:
            return tuple(normalize(raw))
        finally:
            _ALARM.off()
    except _EnoughError as enough:
        raise TooLongError(f"to understand it took longer than {seconds:g} s") from enough
