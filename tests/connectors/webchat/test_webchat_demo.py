"""The demo page in a real browser."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import async_playwright, expect

from connectors import UnavailableError

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

pytestmark = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs Debian's chromium")


@pytest.fixture(scope="module")
async def chromium() -> AsyncIterator[Any]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture
async def browser(chromium: Any, chat: Any) -> AsyncIterator[Any]:
    """A fresh profile, and what went wrong in its pages."""
    context = await chromium.new_context()
    context.problems = []
    context.on("console", lambda entry: context.problems.append(entry.text) if entry.type == "error" else None)
    context.on("weberror", lambda error: context.problems.append(str(error.error)))
    yield context
    await context.close()


async def opened(browser: Any, chat: Any) -> Any:
    page = await browser.new_page()
    await page.goto(str(chat.url("demo")))
    await expect(page.get_by_role("status")).to_be_hidden()
    return page


async def write(page: Any, text: str) -> None:
    await page.get_by_role("textbox", name="Message").fill(text)
    await page.get_by_role("textbox", name="Message").press("Enter")


async def the_visitor(chat: Any) -> Any:
    async with asyncio.timeout(5):
        while not chat.said():
            await asyncio.sleep(0.01)
    return chat.said()[0].envelope["visitor"]


async def test_visitor_and_agent_talk_in_two_tabs_and_over_a_reload(browser: Any, chat: Any) -> None:
    page = await opened(browser, chat)
    await write(page, "Merhaba <img src=x onerror=alert(1)>")
    mine = page.get_by_role("listitem").filter(has_text="Merhaba <img src=x onerror=alert(1)>")
    await expect(mine).to_have_count(1)
    await expect(mine).not_to_contain_text("Sending…")
    assert await page.locator("img").count() == 0

    second = await opened(browser, chat)
    await expect(second.get_by_text("Merhaba <img")).to_be_visible()
    await chat.context.reply(await the_visitor(chat), "Size nasıl yardım edebiliriz?")
    for tab in (page, second):
        await expect(tab.get_by_text("Size nasıl yardım edebiliriz?")).to_be_visible()
    await write(second, "from the second tab")
    await expect(page.get_by_text("from the second tab")).to_be_visible()

    await page.reload()
    await expect(page.get_by_role("listitem")).to_have_count(3)
    assert browser.problems == []
    if folder := os.environ.get("SCREENSHOTS"):
        await page.screenshot(path=f"{folder}/webchat-demo.png")


async def test_message_written_while_away_is_sent_once_on_return(browser: Any, chat: Any) -> None:
    page = await opened(browser, chat)
    chat.context.trouble = UnavailableError("the database is away")
    await write(page, "keep me")
    await expect(page.get_by_text("Sending again…")).to_be_visible()
    chat.context.trouble = None
    await expect(page.get_by_text("Sending again…")).to_be_hidden(timeout=10_000)
    assert len(chat.said()) == 1


async def test_file_goes_up_and_is_named_in_the_message(browser: Any, chat: Any, tmp_path: Path) -> None:
    page = await opened(browser, chat)
    (tmp_path / "fatura.txt").write_text("42 lira")
    await page.locator("input[type=file]").set_input_files(tmp_path / "fatura.txt")
    await expect(page.get_by_role("button", name="fatura.txt")).to_be_visible()
    await the_visitor(chat)
    ((file, body, _),) = chat.context.files.kept.values()
    assert (file.filename, body) == ("fatura.txt", b"42 lira")
    async with page.expect_download() as download:
        await page.get_by_role("button", name="fatura.txt").click()
    assert (await (await download.value).path()).read_text() == "42 lira"
