"""How long understanding an event may take: not long where others wait for the same process.

An inbox understands small events in the process that serves everybody else, and asks for that with `hurried`. Who finds
there that an event takes more than a moment, or needs a library that takes long to load, says so with `takes_long`, and
is asked again in a process of its own, where it may.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_HURRIED = ContextVar("hurried", default=False)


class TooLongHereError(Exception):
    """To understand this event takes longer than others can wait. To be let through, not caught."""


@contextmanager
def hurried() -> Iterator[None]:
    """Others wait while the block runs."""
    token = _HURRIED.set(True)
    try:
        yield
    finally:
        _HURRIED.reset(token)


def takes_long() -> None:
    """To be called before what takes more than about 20 ms.

    Raises:
        TooLongHereError: others wait.
    """
    if _HURRIED.get():
        raise TooLongHereError
