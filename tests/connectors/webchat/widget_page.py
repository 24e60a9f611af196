"""The chat widget on a page, as its visitor sees it, and pages of other people that have it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web
from harness import served
from playwright.async_api import BrowserContext, ConsoleMessage, Locator, Page, expect

SNIPPET = '<script src="{root}widget.js" async{more}></script>'
HOST = "<!doctype html><html lang=en><head><title>A shop</title>{snippet}</head><body>{body}</body></html>"
# docs/webchat.md: what a page with a policy of its own adds to it.
DIRECTIVES = "default-src 'self'; script-src 'self' {chat}; connect-src 'self' {chat} {socket}; img-src 'self' {chat}"


def host_page(root: str, body: str = "<h1>A shop</h1>", *, more: str = "") -> str:
    """A page with the widget of the chat at `root`, which ends with a slash."""
    return HOST.format(snippet=SNIPPET.format(root=root, more=more), body=body)


@contextlib.asynccontextmanager
async def hosting() -> AsyncIterator[dict[str, Any]]:
    """A website of somebody else: `url`, and the `page` and the `policy` that it answers with."""
    site: dict[str, Any] = {"page": "", "policy": "default-src 'self'"}

    async def answer(_: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": site["policy"]}
        return web.Response(text=site["page"], content_type="text/html", headers=headers)

    app = web.Application()
    app.router.add_get("/", answer)
    async with served(app) as url:
        site["url"] = url
        yield site


class Widget:
    """The widget in a tab. What the browser complains of is kept."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _said(self, said: ConsoleMessage) -> None:
        if said.type == "error" and "favicon" not in said.location["url"]:
            self.complaints.append(said.text)

    @property
    def launcher(self) -> Locator:
        return self.page.locator("santral-chat .launcher")

    @property
    def panel(self) -> Locator:
        return self.page.get_by_role("dialog")

    @property
    def box(self) -> Locator:
        return self.panel.locator(".composer textarea")

    @property
    def items(self) -> Locator:
        """What was said, without the days between."""
        return self.panel.get_by_role("log").locator("li.mine, li.theirs, li.event")

    def said(self, text: str) -> Locator:
        return self.items.filter(has_text=text)

    async def goto(self, url: str) -> Widget:
        await self.page.goto(url)
        await expect(self.launcher).to_be_visible()
        return self

    async def open(self) -> Widget:
        await self.launcher.click()
        await expect(self.panel).to_be_visible()
        return self

    async def online(self) -> None:
        """Connected: what happens now is seen at once."""
        await expect(self.panel.locator(".banner")).to_have_attribute("data-state", "online")

    async def still(self) -> None:
        """Nothing moves any more."""
        await self.page.evaluate(
            "Promise.all(document.querySelector('santral-chat').shadowRoot.getAnimations()"
            ".filter((one) => one.effect.getTiming().iterations === 1).map((one) => one.finished))"
        )

    async def say(self, text: str) -> None:
        await self.box.fill(text)
        await self.box.press("Enter")

    async def sent(self, text: str) -> None:
        """Acknowledged, once."""
        item = self.said(text)
        await expect(item).to_have_count(1)
        await expect(item.locator(".icon-sent, .icon-seen")).to_be_visible()


async def tab(context: BrowserContext, url: str) -> Widget:
    """The widget in a new tab, opened and connected."""
    widget = await Widget(await context.new_page()).goto(url)
    await widget.open()
    await widget.online()
    return widget


def unsent() -> re.Pattern[str]:
    """What stands under a message that is on its way."""
    return re.compile("Sending")
