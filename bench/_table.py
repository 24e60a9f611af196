"""The table that a run prints."""

from __future__ import annotations

import msgspec


class Line(msgspec.Struct, frozen=True):
    """One line of the table."""

    what: str
    found: str
    share: float | None = None
    least: float | None = None
    good: bool | None = None

    def show(self) -> None:
        """Prints it."""
        share = "" if self.share is None else f"{self.share:.2f}"
        share += "" if self.least is None else f" (at least {self.least})"
        verdict = "" if self.good is None else "ok" if self.good else "MISSED"
        print(f"{self.what:62}{share:22}{verdict:8}{self.found}", flush=True)
