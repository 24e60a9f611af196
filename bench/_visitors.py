"""Ten thousand visitors who look, a thousand who talk, and the widget in a browser.

`python -m bench._visitors URL IDLE TALKING SECONDS` holds so many WebSockets of the web chat, says `held`, lets the
talking ones write and prints one line of JSON, a `Crowd`. The clients are bare: they are not what is measured.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from statistics import median, quantiles

import msgspec
import uvloop
from playwright.sync_api import Browser, Page, sync_playwright

from bench._page import ARGUMENTS, CHROMIUM
from bench._processes import ROOT, memory
from bench._table import Line
from bench._targets import Santral

IDLE = 10_000
TALKING = 1_000
SECONDS = 20.0
PAUSE = 5.0  # seconds between two messages of one who talks
OPENED_AT_ONCE = 100
ALL_SECONDS = 300.0
OPENINGS = 9
MASK = bytes(4)  # a mask of noughts (RFC 6455, section 5.3) changes nothing, and costs nothing
PING, PONG, TEXT = 0x9, 0xA, 0x1
READY = "() => new Promise(done => Santral.on('ready', () => done(performance.now())))"
PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"


class Crowd(msgspec.Struct, frozen=True):
    """Milliseconds from each message to its acknowledgement."""

    lags: list[float]


class Visitor(asyncio.Protocol):
    """One visitor's socket, who has said hello when `here` is done."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._upgraded = False
        self._said = 0
        self._sent_at = 0.0
        self.here: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.lags: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's is one of its own
        transport.write(  # type: ignore[attr-defined]
            f"GET /chat/site/ws HTTP/1.1\r\nHost: {self._host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )

    def connection_lost(self, error: Exception | None) -> None:
        if not self.here.done():
            self.here.set_exception(error or ConnectionResetError("the server hung up"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._upgraded:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head.splitlines()[0]:
                self.here.set_exception(RuntimeError(repr(head[:200])))
            self._upgraded, self._buffer = True, rest
            self._write(TEXT, b'{"type":"hello","token":null,"cursor":null}')
        while (frame := self._frame()) is not None:
            self._take(*frame)

    def say(self) -> None:
        """Writes the next message."""
        self._said += 1
        self._sent_at = time.perf_counter()
        self._write(TEXT, b'{"type":"message","client_id":"c-%d","text":"Where is my lamp?"}' % self._said)

    def _take(self, kind: int, body: bytes) -> None:
        if kind == PING:
            self._write(PONG, body)
        elif body.startswith(b'{"type":"welcome"'):
            self.here.set_result(None)
        elif body.startswith(b'{"type":"ack"'):
            self.lags.append((time.perf_counter() - self._sent_at) * 1000)

    def _frame(self) -> tuple[int, bytes] | None:
        """The next whole frame of what came (RFC 6455, section 5.2; the server masks nothing)."""
        if len(self._buffer) < 2:
            return None
        size, start = self._buffer[1] & 0x7F, 2
        if size >= 126:
            start = 4 if size == 126 else 10
            size = int.from_bytes(self._buffer[2:start])
        if len(self._buffer) < start + size:
            return None
        kind, body = self._buffer[0] & 0x0F, self._buffer[start : start + size]
        self._buffer = self._buffer[start + size :]
        return kind, body

    def _write(self, kind: int, body: bytes) -> None:
        assert self._transport is not None
        size = bytes([0x80 | len(body)]) if len(body) < 126 else b"\xfe" + len(body).to_bytes(2)
        self._transport.write(bytes([0x80 | kind]) + size + MASK + body)


async def _come(url: str, count: int) -> list[Visitor]:
    host, _, port = url.removeprefix("http://").partition(":")
    loop = asyncio.get_running_loop()
    came: list[Visitor] = []
    while len(came) < count:
        batch = [
            loop.create_connection(lambda: Visitor(host), host, int(port))
            for _ in range(min(OPENED_AT_ONCE, count - len(came)))
        ]
        visitors = [visitor for _, visitor in await asyncio.gather(*batch)]
        await asyncio.gather(*[visitor.here for visitor in visitors])
        came += visitors
    return came


async def _talk(visitor: Visitor, begins: float, until: float) -> None:
    await asyncio.sleep(begins)
    while time.monotonic() < until:
        visitor.say()
        await asyncio.sleep(PAUSE)


async def crowd(url: str, idle: int, talking: int, seconds: float) -> Crowd:
    """Lets them come, and talk."""
    await _come(url, idle)
    print("held", flush=True)
    await asyncio.to_thread(sys.stdin.readline)  # until their memory was looked at
    talkers = await _come(url, talking)
    until = time.monotonic() + seconds
    await asyncio.gather(*[_talk(one, PAUSE * number / talking, until) for number, one in enumerate(talkers)])
    return Crowd([lag for one in talkers for lag in one.lags])


def lines(santral: Santral, bare_kib: float) -> list[Line]:
    """All of it; `bare_kib` is what a bare WebSocket of aiohttp takes."""
    url = f"http://127.0.0.1:{santral.http_port}"
    before = memory(santral.pid).proportional
    command = [sys.executable, "-m", "bench._visitors", url, str(IDLE), str(TALKING), str(SECONDS)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "held\n"
        kib = (memory(santral.pid).proportional - before) * 1024 / IDLE
        told, _ = running.communicate("go on\n", timeout=ALL_SECONDS)
    lags = msgspec.json.decode(told, type=Crowd).lags
    p95 = quantiles(lags, n=20)[18]
    return [
        Line("an idle visitor / a bare aiohttp WebSocket", f"{kib:.1f} KiB beside {bare_kib:.1f}", kib / bare_kib),
        Line(
            f"a message acknowledged, {IDLE:,} idle and {TALKING:,} talking",
            f"p95 {p95:.1f} ms (under 100; of {len(lags):,}, {len(lags) / SECONDS:.0f} a second)",
            good=p95 < 100,
        ),
        *_widget(f"{url}/chat/site/demo"),
    ]


def _widget(url: str) -> list[Line]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        found = [_opened(browser, url) for _ in range(OPENINGS)]
        ready, paint = [one for one, _ in found], [one for _, one in found]
        alone = [_opened(browser, url, widget=False)[1] for _ in range(OPENINGS)]
        browser.close()
    told = f"{median(ready):.0f} ms (under 300; of {len(ready)}, the longest {max(ready):.0f})"
    painted = f"{median(paint):.0f} ms, without the widget {median(alone):.0f}"
    return [
        Line("the chat's widget, loaded and ready", told, good=median(ready) < 300),
        Line("  the page's first paint with it", painted, median(paint) / median(alone)),
    ]


def _opened(browser: Browser, url: str, *, widget: bool = True) -> tuple[float, float]:
    """Milliseconds from a page's beginning to its ready widget and first paint, in a browser that knows neither."""
    context = browser.new_context(bypass_csp=True)
    page: Page = context.new_page()
    if not widget:
        page.route("**/widget.js", lambda route: route.abort())
    page.goto(url, wait_until="commit")
    page.wait_for_function("() => performance.getEntriesByName('first-contentful-paint').length > 0")
    if widget:
        page.wait_for_function("() => window.Santral")
    ready = float(page.evaluate(READY)) if widget else 0.0
    paint = float(page.evaluate(PAINT))
    context.close()
    return ready, paint


if __name__ == "__main__":
    _, address, idle, talking, seconds = sys.argv
    print(msgspec.json.encode(uvloop.run(crowd(address, int(idle), int(talking), float(seconds)))).decode())
