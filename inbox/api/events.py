"""The event log: what happened after a cursor, by request or live over a WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import aclosing
from typing import Annotated, Any, Literal, get_args

from aiohttp import WSCloseCode, web
from msgspec import Meta, Struct

from connectors.context import CursorExpiredError
from connectors.errors import UnavailableError
from connectors.tasks import end
from inbox.api.auth import again, check_origin
from inbox.api.paging import DEFAULT_LIMIT
from inbox.api.problems import FieldError, ProblemError, cursor_expired
from inbox.api.reading import Limit
from inbox.api.routing import AnyCall, Call, route
from inbox.api.streams import STREAMS
from inbox.api.views import EventView, event_view
from inbox.events import Hub, SlowReaderError, from_cursor, to_cursor
from inbox.model import EventType, Principal, Role
from inbox.sight import Listener
from normalizer.codec import to_json

HEARTBEAT_SECONDS = 25.0
SEND_SECONDS = 15.0  # a reader that takes no frame for so long is gone or too slow
GOODBYE_SECONDS = 2.0  # how long a closing reader is waited for
CLIENT_FRAME_BYTES = 4096
CLOSE_EXPIRED = 4410
CLOSE_SIGNED_OUT = 4401
CLOSE_OTHER_RIGHTS = 4403
CHECK_SECONDS = 10.0  # how often it is asked whether the reader may still come in


class StreamQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to go on, without `after` from now on, and of what to hear."""

    after: Annotated[str | None, Meta(description="A cursor: the `next` of a page, or the `id` of an event.")] = None
    types: Annotated[str | None, Meta(description="Types of events with commas between; else all.")] = None
    conversation: Annotated[str | None, Meta(description="The id of the one conversation to hear of.")] = None


class EventsQuery(StreamQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """That, a page at a time; `wait` answers as soon as something happens."""

    limit: Limit = DEFAULT_LIMIT
    wait: Annotated[int, Meta(ge=0, le=30, description="How many seconds to wait where nothing has happened.")] = 0


class EventsPage(Struct, frozen=True):
    """Events in the order of commit. `next` is where to go on, also when nothing has happened yet."""

    items: list[EventView]
    next: str


class Hello(Struct, frozen=True, kw_only=True):
    """The first frame of a stream: where it begins."""

    type: Literal["hello"] = "hello"
    cursor: str


@route("GET", "/api/v1/events", refuses=("cursor-expired",))
async def list_events(call: Call[EventsQuery, None]) -> EventsPage:
    """What happened after a cursor; 410 where that is not known any more."""
    hub, query, listener = call.services.hub, call.query, _listener(call)
    if query.after is None and not query.wait:
        return EventsPage([], to_cursor(await hub.newest()))
    position, newest = _position(query.after) if query.after else await hub.newest(), await hub.newest()
    events = await hub.backlog(position, query.limit, listener=listener)
    if not events and query.wait and await _something(call, position, listener):
        newest = await hub.newest()
        events = await hub.backlog(position, query.limit, listener=listener)
    read = [event.id for event in events]
    # Where all were read, the caller goes on from now, and not from the last of theirs, which may soon be forgotten.
    end = read[-1] if len(read) == query.limit else max(position, newest, *read)
    return EventsPage([event_view(event) for event in events], to_cursor(end))


@route("GET", "/api/v1/stream", refuses=("upgrade-required",))
async def stream(call: Call[StreamQuery, None]) -> web.WebSocketResponse:
    """The same events live: a `hello` frame with the cursor, then one frame an event.

    An expired cursor is told in a `problem` frame and closed with 4410, a slow reader is closed with 1013: it comes
    back with its last cursor. Who signs out meanwhile, or whose token is dropped, is closed with 4401 within seconds,
    and with 4403 whoever has another role or other teams by then: what they loaded is not what they may see.
    """
    check_origin(call.request, call.services.public_url)
    hub, after, listener = call.services.hub, call.query.after, _listener(call)
    position = await hub.newest() if after is None else _position(after)
    if not web.WebSocketResponse().can_prepare(call.request):
        raise ProblemError("upgrade-required", "this is a WebSocket", headers={"Upgrade": "websocket"})
    socket = web.WebSocketResponse(
        heartbeat=HEARTBEAT_SECONDS, timeout=GOODBYE_SECONDS, max_msg_size=CLIENT_FRAME_BYTES
    )
    await socket.prepare(call.request)
    call.request.app[STREAMS].add(socket)
    sending = asyncio.create_task(_send(socket, hub, position, listener))
    watching = asyncio.create_task(_watch(socket, call))
    try:
        async for _ in socket:  # what it sends means nothing; reading sees pongs and the end
            pass
    finally:
        await end(sending, watching)
    return socket


async def _watch(socket: web.WebSocketResponse, call: AnyCall) -> None:
    """Closes the stream of somebody who has signed out, may not come in any more, or sees other things by now."""
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        with contextlib.suppress(UnavailableError):
            caller = await again(call.request, call.services)
            if caller is None:
                await socket.close(code=CLOSE_SIGNED_OUT, message=b"signed out")
                return
            if _rights(caller.principal) != _rights(call.principal):
                await socket.close(code=CLOSE_OTHER_RIGHTS, message=b"other rights: load everything again")
                return


def _rights(principal: Principal) -> tuple[Role, frozenset[str]]:
    return principal.role, frozenset(principal.teams)


async def _send(socket: web.WebSocketResponse, hub: Hub, position: int, listener: Listener) -> None:
    try:
        await hub.backlog(position, 1)
        await _frame(socket, Hello(cursor=to_cursor(position)))
        async with aclosing(hub.follow(position, listener=listener)) as events:
            async for event in events:
                await _frame(socket, event_view(event))
    except CursorExpiredError:
        await _frame(socket, {"type": "problem", "problem": cursor_expired().document})
        await socket.close(code=CLOSE_EXPIRED, message=b"cursor-expired")
    except (SlowReaderError, TimeoutError):
        await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"too slow")
    except UnavailableError:
        await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"database away")


async def _frame(socket: web.WebSocketResponse, value: Any) -> None:  # noqa: ANN401 (any frame)
    async with asyncio.timeout(SEND_SECONDS):
        await socket.send_str(to_json(value).decode())


async def _something(call: Call[EventsQuery, None], position: int, listener: Listener) -> bool:
    """Waits until there is something to hear, or Santral stops; whether there is."""
    heard = asyncio.create_task(_first(call.services.hub, position, listener))
    stopping = asyncio.create_task(call.request.app[STREAMS].closing.wait())
    try:
        done, _ = await asyncio.wait((heard, stopping), timeout=call.query.wait, return_when=asyncio.FIRST_COMPLETED)
        return heard in done and heard.result()
    finally:
        await end(heard, stopping)


async def _first(hub: Hub, position: int, listener: Listener) -> bool:
    async with aclosing(hub.follow(position, listener=listener)) as events:
        async for _ in events:
            return True
    return False


def _listener(call: Call[Any, None]) -> Listener:
    """What the query asks to hear of.

    Raises:
        ProblemError: 400, there is no such type.
    """
    types = frozenset(call.query.types.split(",")) if call.query.types else None
    for unknown in sorted((types or frozenset()) - frozenset(get_args(EventType))):
        what = FieldError(field="types", detail=f"there is no {unknown!r}; there are {', '.join(get_args(EventType))}")
        raise ProblemError("invalid-query", f"types: {what.detail}", errors=[what])
    return Listener(reader=call.principal, types=types, conversation_id=call.query.conversation)


def _position(cursor: str) -> int:
    try:
        return from_cursor(cursor)
    except ValueError as error:
        what = FieldError(field="after", detail="no cursor of ours")
        raise ProblemError("invalid-query", "after: no cursor of ours", errors=[what]) from error


ROUTES = (list_events, stream)
