"""What was done and what was counted, as one table."""

from __future__ import annotations

from rig.chronicle import Chronicle
from rig.verdict import Verdict


def table(chronicle: Chronicle, verdict: Verdict) -> str:
    """Markdown."""
    rows = [
        ("seed", chronicle.seed),
        ("seconds", round(chronicle.now())),
        *sorted(chronicle.counts.items()),
        *verdict.counts.items(),
        ("faults", len(chronicle.faults)),
    ]
    return "\n".join(["| what | count |", "| --- | ---: |", *(f"| {what} | {count} |" for what, count in rows)])
