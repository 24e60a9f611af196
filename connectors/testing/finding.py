"""What a check found."""

from __future__ import annotations

import inspect
import os
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from connectors.base import Connector

Outcome = Literal["passed", "failed", "not made"]


class Finding(Struct, frozen=True, kw_only=True):
    """One check of one connector. `text` says what is wrong and where to look, or why the check was not made."""

    connector: str
    check: str
    outcome: Outcome
    text: str = ""

    def __str__(self) -> str:
        """The line that `santral connectors --check` prints."""
        line = f"{self.connector}: {self.check}: {self.outcome.upper() if self.outcome == 'failed' else self.outcome}"
        return " ".join(f"{line}: {self.text}".split()) if self.text else line


class FaultError(Exception):
    """The connector breaks its contract; the text is one sentence."""

    def __init__(self, what: str, look: str = "") -> None:
        """`look`: the attribute of the connector where to look, such as `send`."""
        super().__init__(what)
        self.what = what
        self.look = look

    def told(self, kind: type[Connector[Any]]) -> str:
        """The sentence, and the place in the connector's source."""
        return f"{self.what}. Look at {_place(kind, self.look)}"


def _place(kind: type[Connector[Any]], look: str) -> str:
    name = f"{kind.__name__}.{look}" if look else kind.__name__
    found = getattr(kind, look, kind) if look else kind
    if not (inspect.isfunction(found) or inspect.ismethod(found) or inspect.isclass(found)):
        found = kind
    try:
        file = inspect.getsourcefile(found)
        line = inspect.getsourcelines(found)[1]
    except (OSError, TypeError):
        return f"{name} in {kind.__module__}"
    return f"{name} ({_short(file or kind.__module__)}:{line})"


def _short(file: str) -> str:
    here = Path.cwd()
    path = Path(file)
    return os.path.relpath(path, here) if path.is_relative_to(here) else file
