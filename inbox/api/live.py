"""The live stream of an agent: events as they happen, who is where, and who types.

One socket is one reader. Events go out in order by a task of their own; signals, which are true for a moment only, are
sent beside them and dropped where the reader is slow.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from contextlib import aclosing
from typing import Any, Literal

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web
from msgspec import Struct

from connectors.context import CursorExpiredError
from connectors.errors import UnavailableError
from connectors.tasks import end
from inbox.api.auth import again, check_origin
from inbox.api.events import StreamQuery, listener_of, position_of
from inbox.api.problems import ProblemError, cursor_expired
from inbox.api.routing import Call, route
from inbox.api.seen import standing_conversation
from inbox.api.streams import STREAMS
from inbox.events import SlowReaderError, to_cursor
from inbox.sight import Listener, audience, hears
from inbox.signals import SAY_AGAIN_SECONDS, Signal, SignalKind
from inbox.staff import Principal, Role
from normalizer.codec import to_json
from normalizer.schema import Author

HEARTBEAT_SECONDS = 25.0
SEND_SECONDS = 15.0  # a reader that takes no frame for so long is gone or too slow
GOODBYE_SECONDS = 2.0  # how long a closing reader is waited for
CLIENT_FRAME_BYTES = 4096
BUFFERED_BYTES = 32 * 1024  # half of what makes a transport pause its writers
CLOSE_EXPIRED = 4410
CLOSE_SIGNED_OUT = 4401
CLOSE_OTHER_RIGHTS = 4403
CHECK_SECONDS = 10.0  # how often it is asked whether the reader may still come in
FRAMES_A_SECOND = 5.0  # that are taken of a reader; more are passed over
SIGNALS_WAITING = 500  # for a reader; who is where at the beginning of a stream must have room in it


class Hello(Struct, frozen=True, kw_only=True):
    """The first frame of a stream: where it begins."""

    type: Literal["hello"] = "hello"
    cursor: str


class Typing(Struct, frozen=True, kw_only=True, tag="typing", forbid_unknown_fields=True):
    """The reader types in a conversation; to be said again every few seconds."""

    conversation_id: str


class Viewing(Struct, frozen=True, kw_only=True, tag="viewing", forbid_unknown_fields=True):
    """The reader looks at a conversation now, or at none."""

    conversation_id: str | None


class Told(Struct, frozen=True, kw_only=True):
    """A signal as a reader sees it: `presence` with a state, or `typing`."""

    type: Literal["presence", "typing"]
    conversation_id: str
    author: Author
    state: Literal["here", "gone"] | msgspec.UnsetType = msgspec.UNSET


@route("GET", "/api/v1/stream", refuses=("upgrade-required",))
async def stream(call: Call[StreamQuery, None]) -> web.WebSocketResponse:
    """The same events live: a `hello` frame with the cursor, then one frame an event.

    An expired cursor is told in a `problem` frame and closed with 4410, a slow reader is closed with 1013: it comes
    back with its last cursor. Who signs out meanwhile, or whose token is dropped, is closed with 4401 within seconds,
    and with 4403 whoever has another role or other teams by then: what they loaded is not what they may see.

    The reader says what they look at (`viewing`) and where they type (`typing`), and is told so of others: after
    `hello` who is where at this moment, in all conversations that they see, and then who comes and goes.
    """
    check_origin(call.request, call.services.public_url)
    after, listener = call.query.after, listener_of(call)
    position = await call.services.hub.newest() if after is None else position_of(after)
    if not web.WebSocketResponse().can_prepare(call.request):
        raise ProblemError("upgrade-required", "this is a WebSocket", headers={"Upgrade": "websocket"})
    socket = web.WebSocketResponse(
        heartbeat=HEARTBEAT_SECONDS,
        timeout=GOODBYE_SECONDS,
        compress=False,  # its buffers would take 300 KB a reader
        max_msg_size=CLIENT_FRAME_BYTES,
    )
    await socket.prepare(call.request)
    call.request.app[STREAMS].add(socket)
    await _Reader(call, socket, listener).serve(position)
    return socket


class _Reader:
    """An agent at the other end of a socket."""

    def __init__(self, call: Call[StreamQuery, None], socket: web.WebSocketResponse, listener: Listener) -> None:
        self._call = call
        self._socket = socket
        self._listener = listener
        self._who = Author(type="agent", id=call.principal.id, name=call.principal.name)
        self._signals = call.services.signals
        self._looks = contextlib.ExitStack()
        self._looking: Signal | None = None
        self._waiting: deque[Told] = deque(maxlen=SIGNALS_WAITING)
        self._telling: asyncio.Task[None] | None = None
        self._greeted = asyncio.Event()
        self._allowance = FRAMES_A_SECOND
        self._allowed_at = asyncio.get_running_loop().time()

    async def serve(self, position: int) -> None:
        """Returns when the socket is closed."""
        tasks = [asyncio.create_task(self._send(position)), asyncio.create_task(self._watch())]
        try:
            with self._signals.listening(self._heard):
                async for message in self._socket:
                    if message.type is WSMsgType.TEXT and self._has_allowance():
                        await self._take(message.data)
        finally:
            await end(*tasks, *filter(None, [self._telling]))
            await self._look_at(None)

    async def _send(self, position: int) -> None:
        hub, teller, socket = self._call.services.hub, self._call.services.teller, self._socket
        try:
            await hub.backlog(position, 1)
            await self._frame(Hello(cursor=to_cursor(position)))
            self._greeted.set()
            for signal in self._signals.looking():
                self._heard(signal)
            async with aclosing(hub.follow(position, listener=self._listener)) as events:
                async for event in events:
                    await self._write(teller.json(event))
        except CursorExpiredError:
            await self._problem(cursor_expired())
            await socket.close(code=CLOSE_EXPIRED, message=b"cursor-expired")
        except (SlowReaderError, TimeoutError):
            await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"too slow")
        except UnavailableError:
            await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"database away")

    async def _watch(self) -> None:
        """Closes the stream of somebody who has signed out, may not come in any more, or sees other things by now."""
        said = asyncio.get_running_loop().time()
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            with contextlib.suppress(UnavailableError):
                caller = await again(self._call.request, self._call.services)
                if caller is None:
                    await self._socket.close(code=CLOSE_SIGNED_OUT, message=b"signed out")
                    return
                if _rights(caller.principal) != _rights(self._call.principal):
                    told = b"other rights: load everything again"
                    await self._socket.close(code=CLOSE_OTHER_RIGHTS, message=told)
                    return
                if self._looking is not None and asyncio.get_running_loop().time() - said >= SAY_AGAIN_SECONDS:
                    said = asyncio.get_running_loop().time()
                    await self._signals.send(self._looking)

    async def _take(self, data: str) -> None:
        try:
            frame = msgspec.json.decode(data, type=Typing | Viewing)
            if isinstance(frame, Typing):
                typing = await self._signal("typing", frame.conversation_id)
                await self._signals.send(typing)
                self._call.services.typing.show(typing.conversation_id)
            else:
                await self._look_at(frame.conversation_id)
        except (msgspec.DecodeError, RecursionError) as error:
            await self._problem(ProblemError("invalid-frame", f"this frame means nothing: {error}"))
        except ProblemError as error:
            await self._problem(error)
        except UnavailableError:
            pass  # it was true for a moment only

    async def _look_at(self, conversation_id: str | None) -> None:
        """Tells the others what this one looks at from now on."""
        if self._looking is not None and self._looking.conversation_id != conversation_id:
            left, self._looking = self._looking, None
            self._looks.close()
            with contextlib.suppress(UnavailableError):
                await self._signals.send(msgspec.structs.replace(left, kind="gone", asks=False))
        if conversation_id is not None:
            here = await self._signal("here", conversation_id)
            self._looks.close()  # they may have said so before
            self._looks.enter_context(self._signals.present(here))
            self._looking = msgspec.structs.replace(here, asks=True)
            await self._signals.send(self._looking)

    async def _signal(self, kind: SignalKind, conversation_id: str) -> Signal:
        """The reader's own signal.

        Raises:
            ProblemError: there is no such conversation for them.
        """
        conversation = await standing_conversation(self._call, conversation_id)
        threads = await self._call.services.recipients.threads(conversation.id) if kind == "typing" else ()
        return Signal(
            kind=kind,
            conversation_id=conversation.id,
            author=self._who,
            audience=audience(conversation),
            threads=threads,
        )

    def _heard(self, signal: Signal) -> None:
        wanted = self._listener.conversation_id in (None, signal.conversation_id)
        if not wanted or signal.author.id == self._who.id or not hears(self._listener.reader, signal.audience):
            return
        author = signal.author
        match signal.kind:
            case "typing":
                told = Told(type="typing", conversation_id=signal.conversation_id, author=author)
            case "here" | "gone" as state:
                told = Told(type="presence", conversation_id=signal.conversation_id, author=author, state=state)
            case _:
                return  # for the customer alone
        self._waiting.append(told)
        if self._telling is None:
            self._telling = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        await self._greeted.wait()
        with contextlib.suppress(TimeoutError):
            while self._waiting:
                await self._frame(self._waiting.popleft())
        self._telling = None

    def _has_allowance(self) -> bool:
        now = asyncio.get_running_loop().time()
        self._allowance = min(FRAMES_A_SECOND, self._allowance + (now - self._allowed_at) * FRAMES_A_SECOND)
        self._allowed_at = now
        if self._allowance < 1:
            return False
        self._allowance -= 1
        return True

    async def _problem(self, problem: ProblemError) -> None:
        await self._frame({"type": "problem", "problem": problem.document})

    async def _frame(self, value: Any) -> None:  # noqa: ANN401 (any frame)
        await self._write(to_json(value))

    async def _write(self, frame: bytes) -> None:
        transport = self._call.request.transport
        with contextlib.suppress(ConnectionError):  # they have left, or are being closed: `serve` ends with the socket
            if transport is not None and transport.get_write_buffer_size() + len(frame) < BUFFERED_BYTES:
                await self._socket.send_frame(frame, WSMsgType.TEXT)  # it fits: a timer would cost more than that
                return
            async with asyncio.timeout(SEND_SECONDS):
                await self._socket.send_frame(frame, WSMsgType.TEXT)


def _rights(principal: Principal) -> tuple[Role, frozenset[str]]:
    return principal.role, frozenset(principal.teams)


ROUTES = (stream,)
