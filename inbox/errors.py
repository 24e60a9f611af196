"""What an agent's wish can fail of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class NotFoundError(Exception):
    """There is no such thing."""


class VersionConflictError(Exception):
    """Somebody else changed it meanwhile."""


class RefusedError(Exception):
    """It cannot be done like this; `code` for programs, `detail` for people, `members` say more to programs."""

    def __init__(self, code: str, detail: str, *, members: Mapping[str, Any] | None = None) -> None:
        """`code` is one of those in `docs/api.md`."""
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.members = dict(members or {})
