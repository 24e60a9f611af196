"""How much mail may be in memory at once: a few large mails must not push everybody else's out."""

from __future__ import annotations

from types import TracebackType
from typing import Self

TOO_LARGE = "552 5.3.4 The mail is larger than we take"
TOO_MUCH = "452 4.3.1 Too much mail at once, please try again later"
# The final dot and the line breaks around it are counted, but are not the mail.
_FRAME = 5


class Memory:
    """The bytes that all mails on their way into the journal may take together."""

    def __init__(self, limit: int) -> None:
        """`limit` in bytes."""
        self.free = limit


class Room:
    """The memory of one mail, given back at the end of the `with` block."""

    def __init__(self, memory: Memory, limit: int) -> None:
        """`limit`: the largest mail, in bytes."""
        self._memory = memory
        self._limit = limit + _FRAME
        self._taken = 0

    def take(self, size: int) -> str:
        """Takes `size` bytes more, and answers with nothing; or gives all back, and answers why."""
        refusal = TOO_LARGE if self._taken + size > self._limit else TOO_MUCH if size > self._memory.free else ""
        self._grow(-self._taken if refusal else size)
        return refusal

    def _grow(self, size: int) -> None:
        self._taken += size
        self._memory.free -= size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._grow(-self._taken)
