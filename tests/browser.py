"""A page in Debian's Chromium."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from harness import PATIENCE
from playwright.async_api import Page, async_playwright, expect

CHROMIUM = "/usr/bin/chromium-headless-shell"  # the same engine; a window nobody sees takes a quarter more
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]


@contextlib.asynccontextmanager
async def browsing() -> AsyncIterator[Page]:
    """A fresh browser's page, until the block ends."""
    if not Path(CHROMIUM).exists():
        pytest.skip("needs Debian's chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        expect.set_options(timeout=PATIENCE * 1000)
        try:
            page = await browser.new_page()
            page.set_default_timeout(PATIENCE * 1000)
            yield page
        finally:
            await browser.close()
