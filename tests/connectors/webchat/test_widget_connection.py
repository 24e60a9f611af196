"""What a lost connection, a deploy, a sleep or a tunnel does to a visitor's chat: nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from harness import PATIENCE, Santral, eventually
from line import Line
from playwright.async_api import Route, WebSocketRoute, expect
from widget_page import Widget, tab

from connectors import UnavailableError

OFFLINE = "No connection. What you write is kept and sent later."


def visitor_of(chat: Any) -> str:
    return str(chat.said()[0].envelope["visitor"])


@pytest.fixture
async def line(chat: Any) -> Any:
    async with Line(chat.url("").port).laid() as line:
        yield line


async def journaled(chat: Any, count: int) -> None:
    async def kept() -> bool:
        return len(chat.said()) >= count

    await eventually(kept)


async def entered(chat: Any, count: int) -> None:
    async def reached() -> bool:
        return bool(chat.context.entered >= count)

    await eventually(reached)


async def cut_before_the_hello(chat: Any, line: Any, widget: Widget) -> None:
    line.cut()
    await widget.open()
    await widget.say("first")


async def cut_before_it_is_sent(chat: Any, line: Any, widget: Widget) -> None:
    await widget.open()
    await widget.online()
    line.cut()
    await expect(widget.panel.get_by_text(OFFLINE)).to_be_visible()
    await widget.say("first")


async def cut_before_it_is_kept(chat: Any, line: Any, widget: Widget) -> None:
    await widget.open()
    await widget.online()
    chat.context.trouble = UnavailableError("the database is away")
    await widget.say("first")
    await entered(chat, 1)
    line.cut()
    chat.context.trouble = None


async def cut_before_the_receipt(chat: Any, line: Any, widget: Widget) -> None:
    await widget.open()
    await widget.online()
    chat.context.door.clear()
    await widget.say("first")
    await entered(chat, 1)
    line.cut()
    chat.context.door.set()
    await journaled(chat, 1)


STEPS = [cut_before_the_hello, cut_before_it_is_sent, cut_before_it_is_kept, cut_before_the_receipt]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
async def test_a_message_is_kept_and_sent_once(
    chat: Any, browser: Any, line: Any, step: Callable[[Any, Any, Widget], Awaitable[None]]
) -> None:
    widget = await Widget(await browser.new_page()).goto(f"{line.url}/chat/site/demo")
    await step(chat, line, widget)
    await expect(widget.said("first")).to_contain_text("Sending")
    await widget.say("second")
    await expect(widget.items).to_have_count(2)
    line.mend()
    await widget.page.evaluate("window.dispatchEvent(new Event('online'))")
    await widget.sent("first")
    await widget.sent("second")
    await chat.context.reply(visitor_of(chat), "both are here")
    await expect(widget.said("both are here")).to_have_count(1)
    await expect(widget.items).to_contain_text(["first", "second", "both are here"])
    assert [json.loads(one.body)["text"] for one in chat.said()] == ["first", "second"]


async def test_what_was_said_meanwhile_comes_once_and_in_order(chat: Any, browser: Any, line: Any) -> None:
    widget = await tab(browser, f"{line.url}/chat/site/demo")
    await widget.say("before")
    await widget.sent("before")
    line.cut()
    await expect(widget.panel.get_by_text(OFFLINE)).to_be_visible()
    for number in range(5):
        await chat.context.reply(visitor_of(chat), f"meanwhile {number}")
    line.mend()
    await widget.page.evaluate("window.dispatchEvent(new Event('online'))")
    await widget.online()
    await expect(widget.items).to_contain_text(["before", *(f"meanwhile {number}" for number in range(5))])
    await expect(widget.items).to_have_count(6)


async def test_unsent_words_and_a_draft_outlive_the_page(chat: Any, browser: Any, line: Any) -> None:
    widget = await tab(browser, f"{line.url}/chat/site/demo")
    await widget.say("known")
    await widget.sent("known")
    chat.context.trouble = UnavailableError("the database is away")
    await widget.say("not yet kept")
    await entered(chat, 2)
    await widget.box.fill("half a sen")
    await widget.page.reload()
    await widget.open()
    await expect(widget.said("not yet kept")).to_contain_text("Sending")
    await expect(widget.box).to_have_value("half a sen")
    chat.context.trouble = None
    await widget.sent("not yet kept")
    assert len(chat.said()) == 2


async def test_a_killed_server_comes_back_and_nothing_is_lost_or_doubled(santral: Any, browser: Any) -> None:
    running: Santral = await santral()
    widget = await tab(browser, f"{running.url}/chat/site/demo")
    await widget.say("before the end")
    await widget.sent("before the end")
    running.kill()
    await expect(widget.panel.get_by_text(OFFLINE)).to_be_visible()
    await widget.say("while it is away")
    await expect(widget.said("while it is away")).to_contain_text("Sending")
    await running.start()
    await widget.page.evaluate("window.dispatchEvent(new Event('online'))")
    await widget.sent("while it is away")
    async with running.desk() as desk:

        async def both() -> tuple[str, list[str]] | None:
            found = [(id_, [one["text"] for one in said]) for id_, said in (await desk.everything()).items()]
            return found[0] if found and len(found[0][1]) > 1 else None

        told = await eventually(both)
        assert told is not None
        conversation, texts = told
        assert texts == ["before the end", "while it is away"]
        await desk.post(f"/api/v1/conversations/{conversation}/messages", {"text": "we are back"})
    await expect(widget.said("we are back")).to_have_count(1)


async def test_by_long_poll_where_no_websocket_gets_through(chat: Any, browser: Any) -> None:
    shuts, passed = True, asyncio.Event()

    async def shut(socket: WebSocketRoute) -> None:
        if shuts:
            await socket.close(code=1011)
        else:
            socket.connect_to_server()
            passed.set()

    await browser.clock.install()
    await browser.route_web_socket("**/ws", shut)
    widget = await tab(browser, str(chat.url("demo")))
    await widget.say("by poll")
    await widget.sent("by poll")
    await chat.context.reply(visitor_of(chat), "answered by poll")
    await expect(widget.said("answered by poll")).to_have_count(1)
    await widget.say("and again")
    await widget.sent("and again")
    await expect(widget.items).to_contain_text(["by poll", "answered by poll", "and again"])

    # A visitor who comes back goes on by poll too.
    await widget.page.reload()
    await widget.open()
    await expect(widget.items).to_have_count(3)
    assert len(chat.said()) == 2

    # The WebSocket is tried again later, and nothing is seen of the change.
    await widget.online()
    shuts = False
    banner = widget.panel.locator(".banner")
    async with asyncio.timeout(PATIENCE):
        while await banner.get_attribute("data-state") == "online" and not passed.is_set():
            await widget.page.clock.fast_forward(5_000)
        await passed.wait()  # by real time: one that is tried for long is given up
    await widget.online()
    polls: list[str] = []
    widget.page.on("request", lambda request: polls.append(request.url) if "/poll" in request.url else None)
    await widget.say("by socket")
    await widget.sent("by socket")
    await expect(widget.items).to_have_count(4)
    assert polls == []


async def test_a_phone_that_slept_takes_a_new_connection(chat: Any, browser: Any) -> None:
    await browser.clock.install()
    widget = await tab(browser, str(chat.url("demo")))
    await widget.say("good night")
    await widget.sent("good night")
    async with widget.page.expect_websocket():
        await widget.page.clock.fast_forward(60_000)
    await widget.online()
    await chat.context.reply(visitor_of(chat), "good morning")
    await expect(widget.items).to_contain_text(["good night", "good morning"])
    await expect(widget.items).to_have_count(2)


async def test_too_much_at_once_waits_and_what_is_refused_says_so(serve: Any, browser: Any) -> None:
    rate = {"session": {"per_second": 5, "burst": 4}}
    async with serve(rate=rate) as chat:
        widget = await tab(browser, str(chat.url("demo")))
        for number in range(6):
            await widget.say(f"number {number}")
        for number in range(6):
            await widget.sent(f"number {number}")
        assert [json.loads(one.body)["text"] for one in chat.said()] == [f"number {number}" for number in range(6)]

        await widget.box.fill("x" * 10_003)
        await expect(widget.panel.get_by_role("alert")).to_have_text("That is 3 characters too long.")
        await widget.box.press("Enter")
        await expect(widget.items).to_have_count(6)
        await widget.box.fill("")

        # What an earlier page kept, and the server does not take.
        item = {"id": "out-1", "at": 1, "tab": "t", "error": None, "shown": {"text": "with a file", "attachments": []}}
        item["frame"] = {"type": "message", "client_id": "out-1", "text": "with a file", "attachments": ["not-mine"]}
        await widget.page.evaluate(
            "item => localStorage.setItem(`santral:${new URL('.', location).href}:out:out-1`, JSON.stringify(item))",
            item,
        )
        await widget.page.reload()
        await widget.open()
        refused = widget.said("with a file")
        await expect(refused.get_by_role("alert")).to_have_text("Not sent: it was not accepted.")
        await refused.get_by_role("button", name="Try again").click()
        await expect(refused.get_by_role("alert")).to_be_visible()
        await refused.get_by_role("button", name="Discard").click()
        await expect(refused).to_have_count(0)


async def test_files_go_up_first_and_a_failed_one_may_be_tried_again(chat: Any, browser: Any) -> None:
    widget = await tab(browser, str(chat.url("demo")))
    broken = True

    async def upload(route: Route) -> None:
        await (route.abort() if broken else route.continue_())

    await widget.page.route("**/attachments", upload)
    await widget.page.evaluate(
        """() => { const data = new DataTransfer();
        data.items.add(new File(["42 lira"], "fatura ı.txt", { type: "text/plain" }));
        document.querySelector("santral-chat").shadowRoot.querySelector("textarea")
          .dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })); }"""
    )
    failed = widget.panel.get_by_role("alert")
    await expect(failed).to_have_text("fatura ı.txt could not be uploaded.")
    broken = False
    await widget.panel.get_by_role("button", name="Try again").click()
    await expect(widget.panel.get_by_text("fatura ı.txt: ready to send")).to_be_visible()
    await widget.say("the bill")
    await widget.sent("the bill")
    ((file, body, _),) = chat.context.files.kept.values()
    assert (file.filename, body) == ("fatura ı.txt", b"42 lira")
    async with widget.page.expect_download() as download:
        await widget.said("the bill").get_by_role("button", name="Download fatura ı.txt").click()
    assert (await (await download.value).path()).read_text() == "42 lira"

    asked = len(chat.context.files.kept)
    await widget.page.evaluate(
        """() => { const input = document.querySelector("santral-chat").shadowRoot.querySelector("input[type=file]");
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(26 * 1024 * 1024)], "film.mp4"));
        input.files = data.files; input.dispatchEvent(new Event("change", { bubbles: true })); }"""
    )
    await expect(widget.panel.get_by_role("alert")).to_have_text("film.mp4 is too large: a file may have 25 MB.")
    assert len(chat.context.files.kept) == asked
