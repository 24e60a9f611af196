"""What happened when, and what was found wrong: each printed as it is told."""

from __future__ import annotations

import time
from collections import Counter, defaultdict


class Chronicle:
    """The story of one run.

    Attributes:
        seed: by which the run is repeated.
        counts: how often what was done.
        harms: the time of each harm, by kind.
        faults: what broke the promise.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.counts: Counter[str] = Counter()
        self.harms: defaultdict[str, list[float]] = defaultdict(list)
        self.faults: list[str] = []
        self._begun = time.monotonic()

    def now(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._begun

    def tell(self, text: str) -> None:
        print(f"{self.now():7.1f} s  {text}", flush=True)

    def harmed(self, kind: str, text: str) -> None:
        """One harm: counted, and one line."""
        self.counts[kind] += 1
        self.harms[kind].append(self.now())
        self.tell(text)

    def fault(self, text: str, at: float | None = None) -> None:
        """Something is wrong with what was said, sent or seen at `at`."""
        when = "" if at is None else f" (at {at:.1f} s)"
        self.faults.append(f"seed {self.seed}: {text}{when}")
        self.tell(f"FAULT {text}{when}")
