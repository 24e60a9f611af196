"""One place where the driver's words for *the database is away* become ours."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from pymongo.errors import (
    ConnectionFailure,
    CursorNotFound,
    ExecutionTimeout,
    WaitQueueTimeoutError,
    WriteConcernError,
)

from inbox.store.errors import StoreUnavailableError

ClassT = TypeVar("ClassT", bound=type)

# A write whose majority nobody knows of (a server that shuts down answers so) may be done, as one without an answer.
AWAY = (ConnectionFailure, CursorNotFound, ExecutionTimeout, WaitQueueTimeoutError, WriteConcernError)


@contextmanager
def answering() -> Iterator[None]:
    """Turns into StoreUnavailableError what an election or a restart of the database does.

    That is a lost connection, a time-out, a cursor that is gone, a write of which no majority is known.
    """
    try:
        yield
    except AWAY as error:
        raise StoreUnavailableError(f"the database does not answer: {type(error).__name__}") from error


def guarded(cls: ClassT) -> ClassT:
    """A class whose public coroutines and async generators raise StoreUnavailableError where the database is away."""
    for name, method in list(vars(cls).items()):
        if name.startswith("_"):
            continue
        if inspect.iscoroutinefunction(method):
            setattr(cls, name, _coroutine(method))
        elif inspect.isasyncgenfunction(method):
            setattr(cls, name, _generator(method))
    return cls


def _coroutine(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    async def guarded_method(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 (any method's)
        with answering():
            return await method(*args, **kwargs)

    return guarded_method


def _generator(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    async def guarded_method(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:  # noqa: ANN401 (any method's)
        with answering():
            async for item in method(*args, **kwargs):
                yield item

    return guarded_method
