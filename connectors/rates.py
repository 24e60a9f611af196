"""How often a key may do something: the generic cell rate algorithm (ITU-T I.371), one number a key.

Not the `limits` library: its memory store sweeps every key again and again behind the hits, 15 to 240 µs a hit with 64
to 2,000 keys (measured, 5.8.0) where acknowledging a chat message takes about 150 µs in all. This takes under 1 µs.

Several processes keep to one rate by telling each other what their busy keys spent (`take_spent`, `owe`), so that who
sends little costs nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

SWEEP_FROM = 1024
BUSY = 0.1  # of the burst: who spent less here is not told of


class RateLimiter:
    """Bounded by the keys that are still paying for what they sent."""

    def __init__(self, *, per_second: float, burst: int) -> None:
        """Every key begins with the whole burst."""
        self._interval = 1 / per_second
        self._tolerance = self._interval * (burst - 1)
        self._due: dict[str, float] = {}
        self._untold: Counter[str] = Counter()
        self._sweep_at = SWEEP_FROM

    def allows(self, key: str, now: float) -> bool:
        """Whether `key` may now; if so it is counted. `now` in seconds of any clock that never goes back."""
        due = max(self._due.get(key, now), now)
        if due - now > self._tolerance:
            return False
        self._due[key] = due + self._interval
        self._untold[key] += 1
        if len(self._due) > self._sweep_at:
            self._sweep(now)
        return True

    def take_spent(self, now: float) -> dict[str, float]:
        """What busy keys have spent since it was last taken, in seconds of the rate."""
        self._sweep(now)
        busy = [key for key in self._untold if self._due[key] - now > self._tolerance * BUSY]
        return {key: self._untold.pop(key) * self._interval for key in busy}

    def owe(self, owed: Mapping[str, float], now: float) -> None:
        """Takes the word of all processes for it: after how many seconds each key owes nothing any more."""
        for key, seconds in owed.items():
            self._due[key] = max(self._due.get(key, now), now + seconds)

    def _sweep(self, now: float) -> None:
        self._due = {key: at for key, at in self._due.items() if at > now}
        self._untold = Counter({key: count for key, count in self._untold.items() if key in self._due})
        self._sweep_at = max(SWEEP_FROM, 2 * len(self._due))
