"""Socket Mode: Slack sends by a WebSocket that we open (https://docs.slack.dev/apis/events-api/using-socket-mode).

The official client acknowledges when it has handed a message on. Here one is acknowledged when it is journaled.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import msgspec
from msgspec import Struct

from connectors.context import Context
from connectors.errors import TemporaryError, UnavailableError
from connectors.slack.api import SlackApi
from connectors.slack.arrival import arrival
from connectors.slack.inbound import Inbound
from connectors.tasks import end
from normalizer.slack.request import JSON
from normalizer.text import one_line

PING_SECONDS = 20.0
OVERLAP_SECONDS = 30.0  # how long an old connection is heard beside the new one
AT_ONCE = 200  # requests that wait for the journal at the same time


class _Frame(Struct):
    type: str = ""
    envelope_id: str = ""
    payload: msgspec.Raw = msgspec.Raw(b"")
    reason: str = ""


_frame = msgspec.json.Decoder(_Frame)


class SocketMode:
    """One connection at a time; two while Slack asks for a new one."""

    def __init__(self, api: SlackApi, context: Context, inbound: Inbound) -> None:
        """`inbound` takes what comes."""
        self.greeted = asyncio.Event()  # from then on Slack tells of what happens
        self._api = api
        self._context = context
        self._inbound = inbound
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def run(self) -> None:
        """Receives until cancelled.

        Raises:
            TemporaryError: the connection was lost, or cannot be had now.
            PermanentError: the app token is wrong.
        """
        connections: set[asyncio.Task[None]] = set()
        try:
            async with aiohttp.ClientSession() as http:
                try:
                    while True:
                        refresh = asyncio.Event()
                        newest = asyncio.create_task(self._connection(http, refresh))
                        connections.add(newest)
                        waiting = asyncio.create_task(refresh.wait())
                        try:
                            await asyncio.wait((newest, waiting), return_when=asyncio.FIRST_COMPLETED)
                        finally:
                            await end(waiting)
                        if newest.done():
                            newest.result()
                        for old in [task for task in connections if task.done()]:
                            connections.remove(old)
                            await end(old)
                finally:
                    await end(*connections)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise TemporaryError("the connection to Slack was lost") from error

    async def _connection(self, http: aiohttp.ClientSession, refresh: asyncio.Event) -> None:
        """One connection, until it is closed; `refresh` is set when Slack wants another in its place."""
        url = await self._api.socket_url()
        greeted, refused = False, ""
        async with (
            # Pings are answered here: seen, they say that Slack is there where nobody writes.
            http.ws_connect(url, heartbeat=PING_SECONDS, autoping=False, max_msg_size=0) as socket,
            asyncio.TaskGroup() as taking,
        ):
            try:
                async with asyncio.timeout(None) as overlap:
                    async for frame in self._frames(socket):
                        if frame.type == "hello":
                            greeted = True
                            self.greeted.set()
                        elif frame.type == "disconnect" and not greeted:  # the next one would fare no better
                            refused = f" at once: {one_line(frame.reason)}"
                            break
                        elif frame.type == "disconnect" and not refresh.is_set():
                            refresh.set()
                            overlap.reschedule(asyncio.get_running_loop().time() + OVERLAP_SECONDS)
                        elif frame.envelope_id:
                            await self._slots.acquire()
                            taking.create_task(self._take(socket, frame))
            except TimeoutError:
                if not overlap.expired():
                    raise
        if not refresh.is_set():
            raise TemporaryError(f"Slack closed the connection{refused}")

    async def _frames(self, socket: aiohttp.ClientWebSocketResponse) -> AsyncIterator[_Frame]:
        async for message in socket:
            self._context.heard()
            if message.type is aiohttp.WSMsgType.PING:
                await socket.pong(message.data)
            elif message.type is aiohttp.WSMsgType.TEXT:
                yield _read(message.data)

    async def _take(self, socket: aiohttp.ClientWebSocketResponse, frame: _Frame) -> None:
        """Journals a request and acknowledges it; without an acknowledgement Slack sends it again."""
        try:
            await self._inbound.take(arrival(bytes(frame.payload), JSON))
            if not socket.closed:
                await socket.send_json({"envelope_id": frame.envelope_id})
        except UnavailableError as error:
            self._context.log.warning("not acknowledged", reason=error.reason)
        except ConnectionError:  # it is kept, and will come once more
            self._context.log.info("an acknowledgement did not leave")
        finally:
            self._slots.release()


def _read(data: str) -> _Frame:
    try:
        return _frame.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return _Frame()
