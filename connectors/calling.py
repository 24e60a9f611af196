"""Calling a platform over HTTP, and saying what became of the call in the words of `connectors.errors`."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator

import aiohttp

from connectors.errors import PermanentError, TemporaryError, UncertainError

CALL_SECONDS = 60.0
TOO_MANY_REQUESTS = 429
SECONDS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")


@contextlib.asynccontextmanager
async def calling(platform: str, *, seconds: float = CALL_SECONDS) -> AsyncIterator[aiohttp.ClientSession]:
    """A session to send with.

        async with calling("the phone system") as http, http.post(url, json=order) as answer:
            ...

    Args:
        platform: what agents call it, such as `the phone system`.
        seconds: how long a call may take.

    Raises:
        TemporaryError: it could not be reached, or answered 429 or 5xx; with its `Retry-After`, where that is seconds.
        PermanentError: it answered another 4xx.
        UncertainError: the connection broke, or the time was up: it may have done it.
    """
    timeout = aiohttp.ClientTimeout(total=seconds)
    try:
        async with aiohttp.ClientSession(timeout=timeout, raise_for_status=True) as http:
            yield http
    except aiohttp.ClientResponseError as error:
        reason, code = f"{platform} answered {error.status}", str(error.status)
        if error.status != TOO_MANY_REQUESTS and error.status < 500:
            raise PermanentError(reason, code=code) from error
        raise TemporaryError(reason, code=code, retry_after=_seconds(error)) from error
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise TemporaryError(f"{platform} cannot be reached") from error
    except (aiohttp.ClientError, TimeoutError) as error:
        raise UncertainError(f"{platform} has not answered, and may have done it") from error


async def beginning(answer: aiohttp.ClientResponse, size: int) -> bytes:
    """What was answered: all of it, or its first `size` bytes. One `read(size)` gives what has come by then."""
    try:
        return await answer.content.readexactly(size)
    except asyncio.IncompleteReadError as whole:
        return whole.partial


def _seconds(error: aiohttp.ClientResponseError) -> float | None:
    """`Retry-After` (RFC 9110, section 10.2.3), where it is a number and not a date."""
    told = error.headers.get("Retry-After", "") if error.headers is not None else ""
    return float(told) if SECONDS.fullmatch(told) else None
