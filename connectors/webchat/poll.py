"""The protocol over plain HTTP, for networks that let no WebSocket through.

`POST` carries one client frame and answers what the socket would have answered; `GET` waits for what is new.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence

import msgspec
from aiohttp import hdrs, web
from msgspec import Struct

from connectors.context import CursorExpiredError, Feed, Standing
from connectors.errors import UnavailableError
from connectors.tasks import end
from connectors.webchat.desk import Desk
from connectors.webchat.portraits import Portraits
from connectors.webchat.problems import Problem
from connectors.webchat.protocol import (
    FRAME_LIMIT,
    ClientFrame,
    Error,
    ErrorCode,
    Hello,
    Live,
    Logout,
    ProtocolError,
    ServerFrame,
    ShownAuthor,
    SomebodyTypes,
    decode,
    encode,
    unavailable,
)
from connectors.webchat.view import Window, latest
from normalizer.schema import Author, Message

LONGEST_WAIT = 25.0
STATUS: dict[ErrorCode, int] = {
    "bad_frame": 400,
    "unauthorized": 401,
    "too_large": 413,
    "rate_limited": 429,
    "unavailable": 503,
}


class _Token(Struct):
    token: str | None = None


_token = msgspec.json.Decoder(_Token)


class Frames(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to both: server frames in order, and after a `GET` the cursor for the next one."""

    frames: tuple[ServerFrame, ...]
    cursor: str | None = None


def bearer(request: web.Request) -> str | None:
    """The visitor's token, from `Authorization: Bearer` (RFC 6750)."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


class _Heard:
    """What an attendant hears while one request waits."""

    def __init__(self, portraits: Portraits) -> None:
        self._portraits = portraits
        self.something = asyncio.Event()
        self.typists: set[ShownAuthor] = set()
        self.is_changed = False
        self.has_ended = False

    def typing(self, author: Author) -> None:
        self.typists.add(self._portraits.shown(author))
        self.something.set()

    def changed(self) -> None:
        self.is_changed = True
        self.something.set()

    def ended(self) -> None:
        self.has_ended = True
        self.something.set()


async def _next(
    news: AsyncGenerator[tuple[Message, str], None], heard: _Heard, seconds: float
) -> tuple[Message, str] | None:
    """What comes next, or None where something else was heard before, or nothing within that time."""
    coming, stirred = asyncio.ensure_future(anext(news)), asyncio.ensure_future(heard.something.wait())
    try:
        await asyncio.wait({coming, stirred}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return coming.result() if coming.done() else None
    finally:
        await end(coming, stirred)


class Poll:
    """Answers both methods of `/chat/{channel}/poll`."""

    def __init__(self, desk: Desk, feed: Feed) -> None:
        """The desk does what frames ask; the feed is waited on."""
        self._desk = desk
        self._feed = feed
        self._waits: set[asyncio.Task[tuple[tuple[ServerFrame, ...], str]]] = set()
        self._closing = False

    def close(self) -> None:
        """Ends every wait: their clients are answered to ask again."""
        self._closing = True
        for wait in self._waits:
            wait.cancel()

    async def post(self, request: web.Request) -> web.Response:
        """One client frame. An error frame also sets the HTTP status."""
        client_id = None
        try:
            body = await _body(request)
            frame = decode(body)
            client_id = getattr(frame, "client_id", None)
            answer = await self._answer(frame, bearer(request) or _token_in(body), request)
        except ProtocolError as error:
            answer = (error.frame,)
        except UnavailableError:
            answer = (unavailable(client_id),)
        return _response(Frames(frames=answer))

    async def _answer(self, frame: ClientFrame, token: str | None, request: web.Request) -> tuple[ServerFrame, ...]:
        client_id = getattr(frame, "client_id", None)
        now = asyncio.get_running_loop().time()
        if isinstance(frame, Hello):
            self._desk.admit(request.remote or "", now)
            return await self._hello(Hello(token=frame.token or bearer(request), cursor=frame.cursor))
        visitor = await self._desk.visitor(token)
        self._desk.admit(request.remote or "", now, visitor=visitor, client_id=client_id)
        if visitor is None:
            raise ProtocolError("unauthorized", "say hello first", client_id)
        if isinstance(frame, Logout):
            await self._desk.log_out(visitor)
            return ()
        answer = await self._desk.take(visitor, frame)
        return (answer,) if answer else ()

    async def _hello(self, hello: Hello) -> tuple[ServerFrame, ...]:
        visit = await self._desk.welcome(hello)
        await self._desk.arrived(visit.visitor, visit.arrivals)
        return (visit.welcome, *visit.told.news(visit.standing))

    async def get(self, request: web.Request) -> web.Response:
        """What came after `cursor`, waiting at most `wait` seconds for it. A lost cursor is answered by a welcome.

        Raises:
            Problem: no good token, or a `wait` that is no number.
        """
        token = bearer(request) or request.query.get("token")
        visitor = await self._desk.visitor(token)
        if visitor is None:
            raise Problem(401, "Say hello first")
        try:
            self._desk.admit(request.remote or "", asyncio.get_running_loop().time(), visitor=visitor)
        except ProtocolError as error:
            raise Problem(429, error.frame.detail) from None
        cursor = request.query.get("cursor", "")
        try:
            frames, cursor = await self._news(visitor, cursor, _seconds(request))
        except CursorExpiredError:
            return _response(Frames(frames=await self._hello(Hello(token=token, cursor=cursor))))
        return _response(Frames(frames=frames, cursor=cursor))

    async def _news(self, visitor: str, cursor: str, seconds: float) -> tuple[tuple[ServerFrame, ...], str]:
        if self._closing:  # since it was let in
            raise Problem(503, "The chat is starting again")
        wait = asyncio.create_task(self._wait(visitor, cursor, seconds))
        self._waits.add(wait)
        try:
            return await wait
        except asyncio.CancelledError:
            if self._closing:
                raise Problem(503, "The chat is starting again") from None
            raise
        finally:
            self._waits.discard(wait)

    async def _wait(self, visitor: str, cursor: str, seconds: float) -> tuple[tuple[ServerFrame, ...], str]:
        page = await self._feed.since(visitor, cursor)
        portraits = self._desk.portraits
        window, heard = Window(portraits), _Heard(portraits)
        messages, cursor = list(page.messages), page.cursor
        await portraits.meet(*[message.author for message in messages])
        shown = window.catch_up(messages)
        clock = asyncio.get_running_loop().time
        until = clock() + seconds
        # Not under `asyncio.timeout`: before Python 3.12 a question to the database may swallow its only cancellation.
        following = contextlib.aclosing(self._feed.follow(visitor, cursor))
        async with following as news, self._desk.attended(visitor, heard):
            while not shown and not heard.something.is_set() and clock() < until:
                if (told := await _next(news, heard, until - clock())) is not None:
                    message, cursor = told
                    messages.append(message)
                    await portraits.meet(message.author)
                    shown = tuple(filter(None, (window.follow(message),)))
        await self._desk.arrived(visitor, latest(messages))
        frames = [Live(message=message, cursor=cursor) for message in shown]
        return (*frames, *await self._told(visitor, heard, messages)), cursor

    async def _told(self, visitor: str, heard: _Heard, messages: Sequence[Message]) -> list[ServerFrame]:
        """What was heard beside messages. All of the standing: nobody knows what this client was told of it."""
        if heard.has_ended:
            raise Problem(401, "Say hello first")
        told = self._desk.told(Standing())
        frames: list[ServerFrame] = [SomebodyTypes(author=author) for author in heard.typists]
        if heard.is_changed or any(map(told.concerns, messages)):
            frames += told.news(await self._desk.standing(visitor))
        return frames


async def _body(request: web.Request) -> bytes:
    if (request.content_length or 0) > FRAME_LIMIT:
        raise ProtocolError("too_large", f"a frame may take {FRAME_LIMIT} bytes")
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > FRAME_LIMIT:
            raise ProtocolError("too_large", f"a frame may take {FRAME_LIMIT} bytes")
    return bytes(body)


def _token_in(body: bytes) -> str | None:
    try:
        return _token.decode(body).token
    except (ValueError, RecursionError):
        return None


def _seconds(request: web.Request) -> float:
    try:
        seconds = float(request.query.get("wait", LONGEST_WAIT))
    except ValueError:
        raise Problem(400, "wait is a number of seconds") from None
    return min(max(seconds, 0.0), LONGEST_WAIT)


def _response(frames: Frames) -> web.Response:
    status = max((STATUS[frame.code] for frame in frames.frames if isinstance(frame, Error)), default=200)
    return web.Response(status=status, body=encode(frames), content_type="application/json")
