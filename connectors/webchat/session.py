"""One WebSocket: a visitor's tab.

The handler's own task reads and answers frames in their order; one more follows the feed. Both write straight to the
socket: aiohttp writes a frame at once and then waits while the peer's buffer is full, so that nothing piles up here,
and a peer that reads nothing for `SLOW_SECONDS` is let go.
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import aclosing
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from connectors.context import CursorExpiredError
from connectors.errors import UnavailableError
from connectors.tasks import end
from connectors.webchat.desk import Desk, Visit
from connectors.webchat.protocol import (
    ClientFrame,
    Error,
    Hello,
    Live,
    Logout,
    ProtocolError,
    ServerFrame,
    SomebodyTypes,
    decode,
    encode,
    unavailable,
)
from connectors.webchat.standing import Outlook
from normalizer.schema import Author, Message

HELLO_SECONDS = 10.0
SLOW_SECONDS = 30.0
BUFFERED_BYTES = 32 * 1024  # half of what makes a transport pause its writers
CLOSE_SECONDS = 3.0
CLOSE_LOGGED_OUT = 4401
PING_SECONDS = 25.0
THROTTLE_SECONDS = 0.02
STRIKES = 10
# Larger frames than the protocol's are still read, so that their sender is told; beyond this aiohttp closes with 1009.
MESSAGE_LIMIT = 2 * 1024 * 1024
STRIKING = {"bad_frame", "too_large", "unauthorized"}

Socket = web.WebSocketResponse[bool]


def new_socket() -> Socket:
    """A socket without compression, whose buffers would take 300 KB a visitor, and with text left as bytes."""
    return web.WebSocketResponse(
        heartbeat=PING_SECONDS,
        timeout=CLOSE_SECONDS,
        compress=False,
        max_msg_size=MESSAGE_LIMIT,
        decode_text=False,
    )


class Session:
    """Serves one socket from hello to close, also over a logout and another hello."""

    def __init__(self, desk: Desk, request: web.Request, socket: Socket, log: Any) -> None:  # noqa: ANN401 (structlog's)
        """`socket` was prepared on `request`."""
        self._desk = desk
        self._log = log
        self._socket = socket
        self._transport = request.transport
        self._address = request.remote or ""
        self._clock = asyncio.get_running_loop().time
        self._visitor: str | None = None
        self._logged_out = False
        self._follower: asyncio.Task[None] | None = None
        self._handing: asyncio.Task[None] | None = None
        self._telling: asyncio.Task[None] | None = None
        self._leaving: asyncio.Task[None] | None = None
        self._outlook: Outlook | None = None
        self._strikes = 0

    async def run(self) -> None:
        """Returns when the socket is closed."""
        try:
            while not self._socket.closed:
                message = await self._socket.receive(timeout=None if self._visitor else HELLO_SECONDS)
                if message.type is WSMsgType.TEXT:
                    await self._handle(message.data)
                elif message.type is WSMsgType.BINARY:
                    await self._refuse(Error(code="bad_frame", detail="a binary frame"))
                else:
                    break
        except TimeoutError:
            await self._socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"no hello")
        except ConnectionError:
            pass
        finally:
            await self._stop_following()

    async def close(self) -> None:
        """Asks the browser to connect again: this process ends."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._socket.close(code=WSCloseCode.SERVICE_RESTART)
        except TimeoutError:
            self._abort()

    async def _handle(self, data: bytes) -> None:
        try:
            frame = decode(data)
            client_id = getattr(frame, "client_id", None)
            self._desk.admit(self._address, self._clock(), visitor=self._visitor, client_id=client_id)
        except ProtocolError as error:
            await self._refuse(error.frame)
            return
        try:
            await self._dispatch(frame)
        except ProtocolError as error:
            await self._refuse(error.frame)
        except UnavailableError:
            await self._send(unavailable(client_id))
        except ConnectionError:
            raise
        except Exception:  # noqa: BLE001 (whatever it is, the visitor's next frame must find the socket alive)
            self._log.exception("webchat.frame_failed")
            await self._send(unavailable(client_id))
        else:
            self._strikes = 0

    async def _dispatch(self, frame: ClientFrame) -> None:
        if isinstance(frame, Hello):
            await self._hello(frame)
        elif self._visitor is None:
            raise ProtocolError("unauthorized", "say hello first", getattr(frame, "client_id", None))
        elif isinstance(frame, Logout):
            visitor = self._visitor
            await self._stop_following()  # so that this socket is not among those that are closed
            await self._desk.log_out(visitor)
            self._visitor = None
            self._logged_out = True
        elif (answer := await self._desk.take(self._visitor, frame)) is not None:
            await self._send(answer)

    async def _hello(self, hello: Hello) -> None:
        await self._stop_following()
        self._visitor = None
        visit = await self._desk.welcome(Hello(cursor=hello.cursor) if self._logged_out else hello)
        self._visitor = visit.visitor
        self._logged_out = False
        await self._send(visit.welcome)
        self._outlook = Outlook(lambda: self._desk.standing(visit.visitor), self._send, visit.told)
        if visit.standing.ahead is not None:
            self._outlook.changed()
        self._follower = asyncio.create_task(self._follow(visit))

    async def _follow(self, visit: Visit) -> None:
        try:
            await self._desk.arrived(visit.visitor, visit.arrivals)
            async with contextlib.AsyncExitStack() as here, aclosing(self._desk.news(visit)) as news:
                await here.enter_async_context(self._desk.attended(visit.visitor, self))
                is_first = visit.welcome.conversation_id is None
                async for message, cursor in news:
                    if is_first:  # only now there is a conversation in which agents can see them
                        is_first = False
                        await here.aclose()
                        await here.enter_async_context(self._desk.attended(visit.visitor, self))
                    await self._desk.portraits.meet(message.author)
                    shown = visit.window.follow(message)
                    if shown is not None:
                        # Whoever leaves at the sight of a reply has got it: that is told all the same.
                        live = Live(message=shown, cursor=cursor)
                        self._handing = asyncio.create_task(self._hand(visit.visitor, live, message))
                        await asyncio.shield(self._handing)
                    if visit.told.concerns(message):
                        self.changed()
        except ConnectionError:
            pass
        except CursorExpiredError:
            await self._socket.close(code=WSCloseCode.TRY_AGAIN_LATER)
        except Exception:  # noqa: BLE001 (whatever it is, the browser must connect again)
            self._log.exception("webchat.feed_failed")
            await self._socket.close(code=WSCloseCode.TRY_AGAIN_LATER)

    def changed(self) -> None:
        """The conversation may stand otherwise."""
        if self._outlook is not None:
            self._outlook.changed()

    def ended(self) -> None:
        """The visitor has signed out elsewhere."""
        if self._leaving is None:
            self._leaving = asyncio.create_task(self._leave())

    async def _leave(self) -> None:
        await self._socket.close(code=CLOSE_LOGGED_OUT, message=b"logged out")

    def typing(self, author: Author) -> None:
        """Shows at once that somebody types, or not at all: a moment later it is not true any more."""
        data = encode(SomebodyTypes(author=self._desk.portraits.shown(author)))
        if self._telling is None and self._has_room(len(data)):
            self._telling = asyncio.create_task(self._told(data))

    async def _told(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            await self._socket.send_frame(data, WSMsgType.TEXT)
        self._telling = None

    async def _hand(self, visitor: str, live: Live, message: Message) -> None:
        await self._send(live)
        await self._desk.arrived(visitor, (message,))

    async def _stop_following(self) -> None:
        if self._follower is not None:
            await end(self._follower)
            self._follower = None
        if self._outlook is not None:
            await self._outlook.close()
            self._outlook = None
        if self._telling is not None:
            await end(self._telling)
            self._telling = None
        if self._handing is not None:
            await asyncio.gather(self._handing, return_exceptions=True)
            self._handing = None

    async def _refuse(self, error: Error) -> None:
        await self._send(error)
        if error.code == "rate_limited":
            # Not even the refusals of a flood shall keep the others waiting.
            await asyncio.sleep(THROTTLE_SECONDS)
        self._strikes += error.code in STRIKING
        if self._strikes >= STRIKES:
            await self._socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"too many bad frames")

    async def _send(self, frame: ServerFrame) -> None:
        data = encode(frame)
        if self._has_room(len(data)):
            await self._socket.send_frame(data, WSMsgType.TEXT)
            return
        try:
            async with asyncio.timeout(SLOW_SECONDS):
                await self._socket.send_frame(data, WSMsgType.TEXT)
        except TimeoutError:
            self._abort()
            raise ConnectionResetError("the peer reads too slowly") from None

    def _has_room(self, size: int) -> bool:
        """Whether that many bytes can be written without a wait: a timer costs more than writing an answer does."""
        return self._transport is not None and self._transport.get_write_buffer_size() + size < BUFFERED_BYTES

    def _abort(self) -> None:
        # A close would first wait for the peer to read what is under way to it.
        if self._transport is not None:
            self._transport.abort()
