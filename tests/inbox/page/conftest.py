"""One Santral and one browser for all tests of the agents' page; each test has windows of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from browser import ARGUMENTS, CHROMIUM
from harness import PATIENCE, Santral, command
from page_house import Agent, House, MailServer, Screen
from playwright.async_api import Browser, async_playwright, expect

from inbox.store import embedded

OpenScreen = Callable[..., Awaitable[Screen]]


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip("needs Debian's chromium")
    async with async_playwright() as playwright:
        expect.set_options(timeout=PATIENCE * 1000)
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
async def post() -> AsyncIterator[MailServer]:
    async with MailServer().running() as server:
        yield server


async def hired(santral: Santral, email: str, role: str) -> Agent:
    """An agent as the company's first one is made: by the command."""
    made = await asyncio.to_thread(command, "agent", "add", email, "--role", role, folder=santral.folder)
    assert made.returncode == 0, made.stderr
    agents = {}
    async with santral.desk() as desk:
        agents = {one["email"]: one for one in (await desk.get("/api/v1/agents"))["items"]}
    found = agents[email]
    return Agent(id=found["id"], name=found["name"], email=email, password=made.stdout.splitlines()[-1])


@pytest.fixture(scope="session")
async def house(
    mongod: embedded.EmbeddedDatabase, post: MailServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    santral = Santral(
        tmp_path_factory.mktemp("house"), storage=mongod.url.replace("/?", "/house?", 1), outgoing=post.port
    )
    try:
        await santral.start()
        admin = await hired(santral, "root@example.com", "admin")
        async with santral.desk() as desk:
            yield House(santral, post, admin, desk)
        await santral.stop()
    finally:
        santral.abandon()


@pytest.fixture
async def screens(chromium: Browser, house: House) -> AsyncIterator[OpenScreen]:
    """Opens browser windows that know nothing of each other; whatever they complained of fails the test."""
    opened: list[Screen] = []

    async def screen(agent: Agent | None = None, *, path: str = "/", url: str = "", **options: Any) -> Screen:
        axe, clock = options.pop("script", None), options.pop("clock", False)
        context = await chromium.new_context(
            **{"locale": "en-GB", "viewport": {"width": 1440, "height": 900}, **options}
        )
        context.set_default_timeout(PATIENCE * 1000)
        if axe is not None:
            await context.add_init_script(path=axe)
        if clock:
            await context.clock.install()
        made = Screen(await context.new_page(), url or house.url)
        opened.append(made)
        await made.begin(agent, path)
        return made

    yield screen
    for one in opened:
        await one.context.close()
    assert [one.unexpected() for one in opened] == [[] for _ in opened]
    assert [one.foreign() for one in opened] == [[] for _ in opened]
