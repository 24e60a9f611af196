"""What became of a call to a platform, in the words of the contract."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from harness import PATIENCE, free_port

from connectors import PermanentError, TemporaryError, UncertainError, calling
from connectors.calling import beginning


async def platform(request: web.Request) -> web.StreamResponse:
    """Does what the query says."""
    match dict(request.query):
        case {"after": "nothing"}:
            await asyncio.sleep(60)
        case {"after": "hanging up"}:
            assert request.transport is not None
            request.transport.close()
        case {"after": "half of it"}:
            answer = web.StreamResponse()
            await answer.prepare(request)
            await answer.write(b"half ")
            await asyncio.sleep(0.05)
            await answer.write(b"done")
            return answer
        case {"wait": seconds}:
            return web.Response(status=429, headers={"Retry-After": seconds})
    return web.Response(status=int(request.query.get("status", "200")), text="done")


@pytest.fixture
async def url() -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/", platform)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


async def call(url: str, seconds: float = PATIENCE) -> str:
    async with calling("the platform", seconds=seconds) as http, http.post(url, json={}) as answer:
        return await answer.text()


async def test_what_was_done_is_done(url: str) -> None:
    assert await call(url) == "done"


@pytest.mark.parametrize(("status", "kind"), [(400, PermanentError), (404, PermanentError), (500, TemporaryError)])
async def test_an_answer_that_is_no_success_is_told_with_its_code(url: str, status: int, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=f"the platform answered {status}") as raised:
        await call(f"{url}?status={status}")
    assert getattr(raised.value, "code", None) == str(status)


@pytest.mark.parametrize(("told", "seconds"), [("7", 7.0), ("0.5", 0.5), ("Wed, 21 Oct 2026 07:28:00 GMT", None)])
async def test_who_asks_to_wait_is_told(url: str, told: str, seconds: float | None) -> None:
    with pytest.raises(TemporaryError) as raised:
        await call(f"{url}?wait={told}")
    assert raised.value.retry_after == seconds


@pytest.mark.parametrize(("size", "read"), [(100, b"half done"), (9, b"half done"), (7, b"half do")])
async def test_an_answer_is_read_to_its_end_or_the_limit(url: str, size: int, read: bytes) -> None:
    async with calling("the platform") as http, http.post(f"{url}?after=half of it") as answer:
        assert await beginning(answer, size) == read


@pytest.mark.parametrize(("after", "seconds"), [("nothing", 0.5), ("hanging up", PATIENCE)])
async def test_what_may_have_been_done_is_uncertain(url: str, after: str, seconds: float) -> None:
    with pytest.raises(UncertainError, match="may have done it"):
        await call(f"{url}?after={after}", seconds)


async def test_who_cannot_be_reached_has_done_nothing() -> None:
    with pytest.raises(TemporaryError, match="cannot be reached"):
        await call(f"http://127.0.0.1:{free_port()}/")
