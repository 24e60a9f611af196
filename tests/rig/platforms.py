"""Where replies arrive: stand-ins that remember every send, and fail as platforms do."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from email import message_from_bytes

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session

from rig.chronicle import Chronicle

BUSY, HANGS_UP, SLOW = 0.06, 0.04, 0.06  # chances of each trouble
RETRY_AFTER = "0.5"


class MailSink:
    """A mail server; `taken` holds the times at which each Message-ID came."""

    def __init__(self, chronicle: Chronicle, chances: random.Random) -> None:
        self.taken: defaultdict[str, list[float]] = defaultdict(list)
        self.port = 0
        self._chronicle = chronicle
        self._chances = chances
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: SMTP(self, hostname="sink.test", loop=loop), "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        chance = self._chances.random()
        if chance < BUSY:
            self._chronicle.counts["mail sink: 451 before the effect"] += 1
            return "451 4.3.0 not now"
        if chance < BUSY + SLOW:
            self._chronicle.counts["mail sink: slow"] += 1
            await asyncio.sleep(self._chances.uniform(0.3, 2))
        assert isinstance(envelope.content, bytes)
        self.taken[message_from_bytes(envelope.content)["Message-ID"]].append(self._chronicle.now())
        return "250 2.0.0 taken"

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()


class CourierPlatform:
    """The courier's end; `taken` holds the times at which each piece of each message came."""

    def __init__(self, chronicle: Chronicle, chances: random.Random) -> None:
        self.taken: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
        self.texts: dict[tuple[str, int], Counter[str]] = defaultdict(Counter)
        self.url = ""
        self._chronicle = chronicle
        self._chances = chances
        app = web.Application()
        app.router.add_post("/", self._take)
        self._runner = web.AppRunner(app, access_log=None)

    async def start(self) -> None:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/"

    async def _take(self, request: web.Request) -> web.Response:
        piece = await request.json()
        chance = self._chances.random()
        if chance < BUSY:
            self._chronicle.counts["courier: 503 before the effect"] += 1
            return web.Response(status=503, headers={"Retry-After": RETRY_AFTER})
        if BUSY + HANGS_UP < chance < BUSY + HANGS_UP + SLOW:
            self._chronicle.counts["courier: slow"] += 1
            await asyncio.sleep(self._chances.uniform(0.3, 2))
        key = (str(piece["message"]), int(piece["piece"]))
        self.taken[key].append(self._chronicle.now())
        self.texts[key][piece["text"]] += 1
        if BUSY < chance < BUSY + HANGS_UP and request.transport is not None:
            self._chronicle.counts["courier: hung up after the effect"] += 1
            request.transport.abort()
        return web.json_response({"id": f"{key[0]}/{key[1]}"})

    async def stop(self) -> None:
        await self._runner.cleanup()
