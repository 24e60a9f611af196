"""Mails as mail programs write them, and which of their lines are to be seen: `fixtures/quotes`, a file a language.

A case begins with `=== kind | program`, and the subject behind another `|` where it matters. Each line of the mail has
a mark before it: `+` must be seen, `-` must be folded, `.` may be either. Lines without a mark are blank.

The kinds: `reply` (something new, and a quote), `forward` (all of it is content), `inline` (answers between the lines
of a quote), `signature`, and `whole` (what only looks like one of them).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "fixtures" / "quotes"


@dataclass(frozen=True)
class Case:
    """A mail. `seen` are the lines that must be seen, `folded` those that must not."""

    kind: str
    name: str
    subject: str
    text: str
    seen: tuple[str, ...]
    folded: tuple[str, ...]

    def faults(self, shown: str) -> list[str]:
        """What is wrong with what is shown: empty where nothing is. How lines are indented does not matter."""
        lines = {line.strip() for line in shown.split("\n")}
        missing = [f"is not shown: {line}" for line in self.seen if line not in lines]
        return missing + [f"is not folded: {line}" for line in self.folded if line in lines]


def read() -> list[Case]:
    """All cases."""
    return [case for path in sorted(FOLDER.glob("*.txt")) for case in _cases(path)]


def _cases(path: Path) -> Iterator[Case]:
    for block in path.read_text("utf-8").removeprefix("=== ").split("\n=== "):
        title, *lines = block.rstrip("\n").split("\n")
        kind, program, subject = [*map(str.strip, title.split("|")), ""][:3]
        yield Case(
            kind=kind,
            name=f"{path.stem}, {kind}, {program}",
            subject=subject or "Re: x",
            text="\n".join(line[2:] for line in lines) + "\n",
            seen=_marked(lines, "+"),
            folded=_marked(lines, "-"),
        )


def _marked(lines: list[str], mark: str) -> tuple[str, ...]:
    return tuple(line[1:].strip() for line in lines if line.startswith(mark) and line[1:].strip())
