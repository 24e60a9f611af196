"""What the platforms' stand-ins share: a real HTTP server on 127.0.0.1 that records its calls and can misbehave."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal, TypeVar

from aiohttp import web
from msgspec import Struct

from connectors.testing.proof import Trouble
from connectors.testing.site import listening

Misbehaviour = Literal["busy", "broken", "conflict", "refuse", "garbage", "gateway", "lost", "hang"]
"""How a call is failed: 429; 500; 409; refused for good; an answer that is no JSON; done, and a gateway that did not
wait for it answers 504; done, and the line is cut before the answer; done, and no answer until the end."""

TROUBLES: Mapping[Trouble, Misbehaviour] = {
    "temporary": "busy",
    "permanent": "refuse",
    "uncertain": "lost",
    "hang": "hang",
}

RETRY_AFTER = 1


class Call(Struct, frozen=True):
    """One call: its method, its arguments as they were meant, and the files that came with it, by field."""

    method: str
    arguments: Mapping[str, Any]
    files: Mapping[str, bytes] = {}


class RefusedCallError(Exception):
    """The platform refuses a call, in its own words."""

    def __init__(self, words: str, status: int = 400) -> None:
        """`words` are the platform's."""
        super().__init__(words)
        self.words = words
        self.status = status


class PlatformServer:
    """A platform's API. A subclass answers calls; here they are read, recorded and failed.

    Attributes:
        url: the root of the server, without a slash at its end.
        calls: every call, also those that were failed.
        slow: seconds before each answer.
    """

    def __init__(self) -> None:
        """Listens when it is served."""
        self.url = ""
        self.calls: list[Call] = []
        self.slow = 0.0
        self._failing: dict[str, tuple[Misbehaviour, int]] = {}
        self._held = asyncio.Event()
        self._released = asyncio.Event()

    def fail(self, how: Misbehaviour | None, method: str = "", times: int = 1_000_000) -> None:
        """Calls of `method` (of any, where it is empty) are failed like this, so many times; None: no more."""
        if how is None:
            self._failing.pop(method, None)
            self._released.set()
        else:
            self._failing[method] = (how, times)
            self._released.clear()
            self._held.clear()

    async def holding(self) -> None:
        """Returns when a call hangs."""
        await self._held.wait()

    def called(self, method: str) -> list[Call]:
        """The calls of a method."""
        return [call for call in self.calls if call.method == method]

    def routes(self) -> list[web.RouteDef]:
        """Where it answers."""
        raise NotImplementedError

    async def perform(self, call: Call) -> Any:  # noqa: ANN401 (a JSON value)
        """Does what is asked, and gives its result.

        Raises:
            RefusedCallError: the platform would refuse it.
        """
        raise NotImplementedError

    def answer(self, result: Any) -> web.Response:  # noqa: ANN401 (a JSON value)
        """A result as the platform writes it."""
        raise NotImplementedError

    def refusal(self, words: str, status: int, retry_after: int | None = None) -> web.Response:
        """A refusal as the platform writes it."""
        raise NotImplementedError

    def refused(self, error: RefusedCallError) -> web.Response:
        """What `perform` raised, likewise. A platform that says more than words says it here."""
        return self.refusal(error.words, error.status)

    async def handle(self, request: web.Request, method: str) -> web.StreamResponse:
        """Reads a call, records it, and answers as the moment has it."""
        call = await _read(request, method)
        self.calls.append(call)
        if self.slow:
            await asyncio.sleep(self.slow)
        how = self._misbehaviour(method)
        failed = self._failed(how)
        if failed is not None:
            return failed
        try:
            result = await self.perform(call)
        except RefusedCallError as error:
            return self.refused(error)
        if how == "gateway":
            return web.Response(status=504, text="<h1>504 Gateway Time-out</h1>", content_type="text/html")
        if how == "hang":
            self._held.set()
            await self._released.wait()
        if how in ("lost", "hang") and request.transport is not None:
            request.transport.abort()
        return self.answer(result)

    def _failed(self, how: Misbehaviour | None) -> web.Response | None:
        """What is answered in place of doing anything."""
        match how:
            case "busy":
                return self.refusal("Too Many Requests", 429, RETRY_AFTER)
            case "broken":
                return web.Response(status=500, text="Internal Server Error")
            case "conflict":
                return self.refusal("Conflict: terminated by other getUpdates request", 409)
            case "refuse":
                return self.refusal("Bad Request: refused for good", 400)
            case "garbage":
                return web.Response(text="<html>it works!</html>", content_type="text/html")
        return None

    def _misbehaviour(self, method: str) -> Misbehaviour | None:
        for name in (method, ""):
            if name in self._failing:
                how, times = self._failing[name]
                if times <= 1:
                    del self._failing[name]
                else:
                    self._failing[name] = (how, times - 1)
                return how
        return None

    def release(self) -> None:
        """Lets go of calls that hang."""
        self._released.set()


ServerT = TypeVar("ServerT", bound=PlatformServer)


@asynccontextmanager
async def serving(server: ServerT) -> AsyncIterator[ServerT]:
    """The server, listening while the block lasts."""
    app = web.Application(client_max_size=128 * 1024 * 1024)
    app.router.add_routes(server.routes())
    async with listening(app, shutdown_timeout=0.5, handler_cancellation=True) as server.url:
        try:
            yield server
        finally:
            server.release()


async def _read(request: web.Request, method: str) -> Call:
    """A call's arguments from the query, a form or JSON. Texts that are JSON stay texts: the platform reads them."""
    arguments: dict[str, Any] = dict(request.query)
    files: dict[str, bytes] = {}
    if request.content_type == "application/json":
        arguments |= await request.json()
    elif request.can_read_body:
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                files[name] = value.file.read()
                arguments[name] = value.filename
            else:
                arguments[name] = value.decode() if isinstance(value, bytes | bytearray) else value
    return Call(method, arguments, files)


def as_json(value: Any) -> Any:  # noqa: ANN401 (a JSON value)
    """An argument that may be written as JSON within a form."""
    return json.loads(value) if isinstance(value, str) else value
