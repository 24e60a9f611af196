"""The agents' page in a browser: how soon it shows and can be used, how soon a message is on the screen, what it takes.

Run as a process of its own: `python -m bench._page URL EMAIL PASSWORD LONG`, where LONG is a conversation of 5,000
messages. It prints one line of JSON, a `Page`.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from statistics import median, quantiles
from typing import Any

import aiohttp
import msgspec
from playwright.async_api import CDPSession, async_playwright
from playwright.async_api import Page as Browser

from bench import _reading
from bench._processes import ROOT
from bench._table import Line
from bench._targets import Santral

CHROMIUM = "/usr/bin/chromium-headless-shell"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--enable-precise-memory-info"]
ALL_SECONDS = 300.0
OPENINGS = 7
LONG_CONVERSATION = 5_000
SECONDS = 15.0
RATE = 50  # messages a second
VISITORS = 50
UPDATES = 10_000
UPDATE_RATE = 200
WATCHED_EACH = 5
STAMP = "stamp:"

# Looks at what is put into the page, and notes how long ago the message that it shows was sent.
OBSERVE = """
window.lags = [];
new MutationObserver((changes) => {
  for (const change of changes) for (const node of change.addedNodes) {
    for (const [, sent] of (node.textContent ?? "").matchAll(/stamp:(\\d+)/g)) window.lags.push(Date.now() - sent);
  }
}).observe(document.querySelector(".messages"), { childList: true, subtree: true });
"""
OPEN = """
async (id) => {
  const began = performance.now();
  history.pushState(null, "", `/?status=any&c=${id}`);
  dispatchEvent(new PopStateEvent("popstate"));
  while (!document.body.textContent.includes("the last of them")) await new Promise(requestAnimationFrame);
  return performance.now() - began;
}
"""
PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


class Page(msgspec.Struct, frozen=True):
    """Times in milliseconds, sizes in bytes.

    Attributes:
        paint: until the first paint, of each opening.
        usable: until the first conversations stand in the list, of each opening.
        lags: from a customer's sending a message to its standing on the agent's screen.
        opened: until the end of the long conversation stood there, each time.
        heap: what the page's scripts held before and after the updates.
        script: what is loaded of scripts to show the inbox, as it comes over the wire.
    """

    paint: list[float]
    usable: list[float]
    lags: list[float]
    opened: list[float]
    heap: tuple[int, int]
    script: int


def lines(santral: Santral, conversations: int) -> list[Line]:
    """All of it, with so many conversations in the database."""
    database = santral.database["santral"]
    _reading.fill(database, 0, conversations)
    long = _reading.fill_long(database, LONG_CONVERSATION)
    login = santral.agent("bench@example.com")
    command = [sys.executable, "-m", "bench._page", f"http://127.0.0.1:{santral.http_port}", *login, long]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=ALL_SECONDS)
    found = msgspec.json.decode(done.stdout, type=Page)
    grown = (found.heap[1] - found.heap[0]) / 1e6
    return [
        _under("the page's first paint", found.paint, 1000),
        _under("  until it can be used", found.usable, 1500),
        _lag(found.lags),
        _under("the end of 5,000 messages", found.opened, 200),
        Line("scripts of the inbox", f"{found.script / 1000:.1f} KB (under 150)", good=found.script < 150_000),
        Line("  held after 10,000 updates", f"{grown:+.1f} MB of {found.heap[0] / 1e6:.1f} (flat)", good=grown < 2),
    ]


def _under(what: str, found: list[float], most: float) -> Line:
    middle = median(found)
    told = f"{middle:.0f} ms (under {most:.0f}; of {len(found)}, the longest {max(found):.0f})"
    return Line(what, told, good=middle < most)


def _lag(found: list[float]) -> Line:
    p95 = quantiles(found, n=20)[18]
    told = f"p95 {p95:.0f} ms (under 100; of {len(found)}, at {RATE} a second)"
    return Line("a customer's message on the screen", told, good=p95 < 100)


async def measure(url: str, email: str, password: str, long: str) -> Page:
    """Everything, in one browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        context = await browser.new_context(bypass_csp=True, viewport={"width": 1400, "height": 900})
        page = await context.new_page()
        finished: list[Any] = []
        page.on("requestfinished", lambda request: finished.append(request))  # noqa: PLW0108 (Playwright takes no built-in)
        await page.goto(url)
        await page.fill("input[name=email]", email)
        await page.fill("input[name=password]", password)
        await page.keyboard.press("Enter")
        await page.wait_for_selector(".row")
        scripts = [await request.sizes() for request in finished if request.url.endswith(".js")]
        paint, usable = [], []
        for _ in range(OPENINGS):
            began = time.perf_counter()
            await page.goto(url, wait_until="commit")
            await page.wait_for_selector(".row")
            usable.append((time.perf_counter() - began) * 1000)
            paint.append(float(await page.evaluate(PAINT)))
        opened = [await _open(page, long) for _ in range(5)]
        session = await context.new_cdp_session(page)
        lags, heap = await _live(page, session, url)
        await browser.close()
        script = sum(one["responseBodySize"] for one in scripts)
        return Page(paint=paint, usable=usable, lags=lags, opened=opened, heap=heap, script=script)


async def _open(page: Browser, id_: str) -> float:
    took = float(await page.evaluate(OPEN, id_))
    await page.evaluate("() => { history.pushState(null, '', '/'); dispatchEvent(new PopStateEvent('popstate')); }")
    await page.wait_for_selector(".conversation.is-empty")
    return took


async def _live(page: Browser, session: CDPSession, url: str) -> tuple[list[float], tuple[int, int]]:
    """Visitors write, one of them in the conversation that is looked at."""
    async with aiohttp.ClientSession() as http:
        sockets = [await _visitor(http, url) for _ in range(VISITORS)]
        await sockets[0].send_json({"type": "message", "client_id": "first", "text": "here I am"})
        await page.wait_for_selector(".row >> text=here I am")
        await page.click(".row a >> text=here I am")
        await page.wait_for_selector(".message")
        await page.evaluate(OBSERVE)
        await _write(sockets, int(RATE * SECONDS), RATE)
        await asyncio.sleep(1)
        lags = [float(lag) for lag in await page.evaluate("() => window.lags")]
        before = await _heap(session)
        await _write(sockets[1:], UPDATES, UPDATE_RATE)
        await asyncio.sleep(3)
        return lags, (before, await _heap(session))


async def _visitor(http: aiohttp.ClientSession, url: str) -> aiohttp.ClientWebSocketResponse:
    socket = await http.ws_connect(f"{url}/chat/site/ws")
    await socket.send_json({"type": "hello", "token": None, "cursor": None})
    await socket.receive_json()
    asyncio.get_running_loop().create_task(_drain(socket))
    return socket


async def _drain(socket: aiohttp.ClientWebSocketResponse) -> None:
    async for _ in socket:
        pass


async def _write(sockets: list[aiohttp.ClientWebSocketResponse], count: int, rate: float) -> None:
    began = time.perf_counter()
    for number in range(count):
        await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
        text = f"{STAMP}{int(time.time() * 1000)} and some more words, as people write them"
        name = f"{began}-{number}"
        # Every fifth is in the conversation that is looked at, where that is among them.
        chosen = sockets[0] if number % WATCHED_EACH == 0 else sockets[number % len(sockets)]
        await chosen.send_json({"type": "message", "client_id": name, "text": text})


async def _heap(session: CDPSession) -> int:
    await session.send("HeapProfiler.collectGarbage")
    return int((await session.send("Runtime.getHeapUsage"))["usedSize"])


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(measure(*sys.argv[1:]))))
