"""One mistake is one line: where it stands, what is wrong, what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

Where = tuple[str | int, ...]
"""The place of a value: keys and list positions from the top of the file."""

_PLAIN_KEY = re.compile(r"[\w-]{1,60}")


@dataclass(frozen=True)
class Problem:
    """A mistake in a configuration file.

    Attributes:
        file: the file as the user named it.
        line: counted from 1.
        path: the place in the file, such as `channels[0].send.port`; `(file)` for the file as a whole.
        what: what is wrong. It never quotes a value that came from the environment or a secret's file.
        todo: what to do about it.
    """

    file: str
    line: int
    path: str
    what: str
    todo: str

    def __str__(self) -> str:
        """The line `santral check` prints: always one, whatever letters the file holds."""
        line = f"{self.file}:{self.line}: {self.path}: {self.what}; {self.todo}"
        return "".join(letter if letter.isprintable() else "?" for letter in line)


class ConfigError(Exception):
    """The configuration cannot be used; `problems` holds every mistake, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Sorts by line and drops repetitions."""
        self.problems = tuple(sorted(dict.fromkeys(problems), key=lambda problem: problem.line))
        super().__init__("\n".join(map(str, self.problems)))


def render(where: Where) -> str:
    """Writes a place as `channels[0].send.port`, and keys with unusual letters as `send["my key"]`."""
    return "".join(map(_step, where)).removeprefix(".") or "(file)"


def _step(part: str | int) -> str:
    if isinstance(part, str) and _PLAIN_KEY.fullmatch(part):
        return f".{part}"
    return f"[{json.dumps(part[:60] if isinstance(part, str) else part)}]"
