"""What an agent's wish can fail of."""

from __future__ import annotations


class NotFoundError(Exception):
    """There is no such thing."""


class VersionConflictError(Exception):
    """Somebody else changed it meanwhile."""


class ReplyRefusedError(Exception):
    """The reply cannot be taken; `code` for programs, `detail` for people."""

    def __init__(self, code: str, detail: str) -> None:
        """`code` is one of those in `docs/api.md`."""
        super().__init__(detail)
        self.code = code
        self.detail = detail
