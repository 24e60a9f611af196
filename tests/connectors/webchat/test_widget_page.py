"""The widget on pages of other people: hostile ones, strict ones, slow ones, in new and old browsers."""

from __future__ import annotations

import gzip
import json
import re
from typing import Any

import pytest
from harness import eventually
from playwright.async_api import expect
from widget_page import DIRECTIVES, DOT, OLD, Widget, host_page, hosting, tab

LARGEST = 40_000  # bytes, compressed, of all that a visitor's browser loads
# The files that it has asked for when it is ready.
READY = """() => new Promise((done) => Santral.on("ready", () => done(
  performance.getEntriesByType("resource").map(({ name }) => name).filter((name) => name.includes("/assets/")))))"""
HOSTILE = """<style>* { all: unset !important; } html { font-size: 3px; } body { transform: rotate(3deg); }
santral-chat, santral-chat * { display: none !important; position: static !important; opacity: 0 !important; }</style>
<h1>A shop</h1><p>with rules of its own</p>"""


@pytest.fixture
def root(chat: Any) -> str:
    return str(chat.url("")) + "/" if not str(chat.url("")).endswith("/") else str(chat.url(""))


async def own_page(widget: Widget, root: str, page: str, *, policy: str | None = None) -> Widget:
    """A host page at Santral's own origin."""
    headers = {"Content-Type": "text/html", **({"Content-Security-Policy": policy} if policy else {})}
    await widget.page.route(f"{root}host", lambda route: route.fulfill(body=page, headers=headers))
    return await widget.goto(f"{root}host")


async def talks(widget: Widget, chat: Any, text: str = "Merhaba") -> None:
    """The whole way: opened, said, acknowledged, answered."""
    await widget.open()
    await widget.say(text)
    await widget.sent(text)
    await chat.context.reply(chat.said()[-1].envelope["visitor"], f"You said: {text}")
    await expect(widget.said(f"You said: {text}")).to_be_visible()


async def test_all_of_it_is_small_and_asked_for_once(chat: Any, browser: Any, root: str) -> None:
    page = await browser.new_page()
    answers: list[Any] = []
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 (a builtin is no listener)
    widget = await Widget(page).goto(f"{root}demo")
    await widget.open()
    await widget.online()
    loaded = {one.url: one for one in answers if "/assets/" in one.url or one.url.endswith("widget.js")}
    sizes = []
    for url in loaded:
        async with chat.http.get(url, headers={"Accept-Encoding": "gzip"}, auto_decompress=False) as answer:
            body = await answer.read()
            assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
            assert "Accept-Encoding" in answer.headers["Vary"]
            assert url.endswith("widget.js") or "immutable" in answer.headers["Cache-Control"]
            if answer.headers.get("Content-Encoding") == "gzip":
                assert b"sourceMappingURL" not in gzip.decompress(body)
            sizes.append(len(body))
    assert len(sizes) > 20
    assert sum(sizes) < LARGEST
    answers.clear()
    await page.reload()
    await expect(widget.launcher).to_be_visible()
    assert [one.url for one in answers if "/assets/" in one.url and not one.request.failure and one.status == 304] == []


async def test_version_that_is_not_this_ones_is_answered_and_not_kept(chat: Any) -> None:
    async with chat.http.get(chat.url("assets/0000000000000000/widget/main.js")) as answer:
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "no-store"
    async with chat.http.get(chat.url("widget.js")) as answer:
        etag = answer.headers["ETag"]
    async with chat.http.get(chat.url("widget.js"), headers={"If-None-Match": etag}) as answer:
        assert answer.status == 304
    async with chat.http.get(chat.url("assets/x/../pages.py")) as answer:
        assert answer.status == 404


async def test_no_file_waits_for_another_and_none_is_in_the_way_of_the_page(browser: Any, root: str) -> None:
    widget = await own_page(Widget(await browser.new_page()), root, host_page(root))
    files = await widget.page.evaluate(READY)

    page = await browser.new_page()
    await page.add_init_script(
        """window.shifts = 0;
        new PerformanceObserver((list) => { for (const one of list.getEntries()) window.shifts += one.value; })
          .observe({ type: "layout-shift", buffered: true });"""
    )
    held: list[Any] = []
    await page.route("**/assets/**", lambda route: held.append(route))  # noqa: PLW0108 (a builtin is no handler)
    await page.route(f"{root}host", lambda route: route.fulfill(body=host_page(root), content_type="text/html"))
    await page.goto(f"{root}host")

    async def all_asked_for() -> bool:
        return len(held) == len(files)

    await eventually(all_asked_for)
    assert sorted(route.request.url for route in held) == sorted(files)
    for route in held:
        await route.continue_()
    await page.evaluate(READY)
    assert await page.evaluate("window.shifts") == 0

    # A chat that does not answer keeps no page from being painted.
    slow = await browser.new_page()
    await slow.route("**/widget.js", lambda _: None)
    await slow.route(f"{root}host", lambda route: route.fulfill(body=host_page(root), content_type="text/html"))
    await slow.goto(f"{root}host", wait_until="commit")
    await slow.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")


async def test_the_page_calls_it_before_it_is_there_and_hears_of_what_happens(
    chat: Any, browser: Any, root: str
) -> None:
    widget = Widget(await browser.new_page())
    body = "<button id=ask>Ask</button>"
    await own_page(widget, root, host_page(root, body))
    await widget.page.evaluate(
        """() => { window.told = []; window.off = Santral.on("open", () => told.push("open"));
        for (const name of ["ready", "close", "message", "unread"]) Santral.on(name, (what) => told.push([name, what]));
        Santral.on("message", () => { throw new Error("the page's own mistake"); });
        document.getElementById("ask").onclick = () => Santral.open(); }"""
    )
    await widget.page.get_by_role("button", name="Ask").click()
    await expect(widget.box).to_be_focused()
    await widget.say("Hello")
    await widget.sent("Hello")
    await widget.page.evaluate("Santral.close(); off(); Santral.open(); Santral.close();")
    await expect(widget.panel).to_have_count(0)
    sent = await chat.context.reply(chat.said()[0].envelope["visitor"], "Hi!")
    await expect(widget.launcher).to_have_accessible_name("Open the chat, 1 unread message")
    told = await widget.page.evaluate("window.told")
    author = {"type": "agent", "name": "Ayşe"}
    kinds = [one if isinstance(one, str) else one[0] for one in told]
    assert kinds.count("open") == 1
    assert kinds[0] == "ready" or "ready" in kinds
    (message,) = [one[1] for one in told if one[0] == "message"]
    assert {"id": message["id"], "text": message["text"]} == {"id": sent.id, "text": "Hi!"}
    assert message["author"].items() >= author.items()
    assert [one[1] for one in told if one[0] == "unread"][-1] == 1
    assert widget.complaints == ["the page's own mistake"]


async def test_a_hostile_page_with_the_strictest_policy_changes_nothing(chat: Any, browser: Any, root: str) -> None:
    widget = Widget(await browser.new_page())
    await own_page(
        widget, root, host_page(root, HOSTILE), policy="default-src 'self'; style-src 'unsafe-inline' 'self'"
    )
    box = await widget.launcher.bounding_box()
    assert box is not None
    assert 50 <= box["width"] <= 64
    assert box["x"] + box["width"] > 1200
    await talks(widget, chat)
    style = (
        await widget.said("Merhaba")
        .first.locator(".text")
        .evaluate(
            "one => [getComputedStyle(one).display, getComputedStyle(one).fontSize, getComputedStyle(one).opacity]"
        )
    )
    assert style == ["block", "15px", "1"]
    assert widget.complaints == []

    strict = Widget(await browser.new_page())
    await own_page(strict, root, host_page(root), policy="default-src 'self'")
    await talks(strict, chat, "strict")
    await strict.page.locator("input[type=file]").first.set_input_files(
        {"name": "dot.png", "mimeType": "image/png", "buffer": DOT}
    )
    await expect(strict.panel.get_by_text("dot.png: ready to send")).to_be_visible()
    await strict.say("a picture")
    await strict.sent("a picture")
    await expect(strict.said("a picture").get_by_role("img", name="Picture: dot.png")).to_have_attribute("width", "1")
    assert strict.complaints == []


async def test_on_another_website_by_the_documented_directives(serve: Any, browser: Any) -> None:
    async with hosting() as site, serve(origins=[site["url"]]) as chat:
        root = str(chat.url("x"))[:-1]
        origin = str(chat.url("").origin())
        site["page"] = host_page(root)
        site["policy"] = DIRECTIVES.format(chat=origin, socket=origin.replace("http", "ws"))
        widget = await Widget(await browser.new_page()).goto(site["url"])
        await talks(widget, chat)
        assert widget.complaints == []


async def test_a_page_that_may_not_is_told_why_and_lives_on(chat: Any, browser: Any, root: str) -> None:
    async with hosting() as site:
        site["page"], site["policy"] = host_page(root), "default-src * 'unsafe-inline'"
        widget = Widget(await browser.new_page())
        async with widget.page.expect_event("console", lambda one: "origins" in one.text) as said:
            await widget.page.goto(site["url"])
        assert site["url"] in (await said.value).text
        await expect(widget.page.get_by_role("heading", name="A shop")).to_be_visible()


async def test_an_old_engine_has_it_too(chat: Any, browser: Any, root: str) -> None:
    await browser.add_init_script(OLD)
    widget = Widget(await browser.new_page())
    await own_page(widget, root, host_page(root), policy="default-src 'self'; img-src 'self' blob:")
    await talks(widget, chat, "from long ago")
    radius = "one => getComputedStyle(one).borderRadius"
    assert await widget.launcher.evaluate(radius) == "50%"
    second = await tab(browser, f"{root}demo")
    await expect(second.said("from long ago").first).to_be_visible()
    height = (await second.box.bounding_box() or {})["height"]
    await second.box.fill("one\ntwo\nthree")
    assert (await second.box.bounding_box() or {})["height"] > height
    assert (widget.complaints, second.complaints) == ([], [])


async def test_where_nothing_may_be_kept_it_works_as_long_as_the_page_lives(chat: Any, browser: Any, root: str) -> None:
    await browser.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('', 'SecurityError'); } })"
    )
    widget = Widget(await browser.new_page())
    await widget.goto(f"{root}demo")
    await talks(widget, chat)
    assert widget.complaints == []


async def test_a_company_dresses_it(chat: Any, browser: Any, root: str) -> None:
    widget = Widget(await browser.new_page())
    body = "<style>:root { --santral-accent: #ffe14d; --santral-radius: 0px }</style>"
    await own_page(widget, root, host_page(root, body, more=' data-locale="tr" data-open'))
    await expect(widget.panel).to_be_visible()
    colours = "one => [getComputedStyle(one).backgroundColor, getComputedStyle(one).color]"
    assert await widget.panel.locator(".send").evaluate(colours) == ["rgb(255, 225, 77)", "rgb(0, 0, 0)"]
    await expect(widget.box).to_have_accessible_name("Mesaj")
    assert await widget.page.evaluate("document.activeElement === document.body")


async def test_the_catalogues_say_the_same_things() -> None:
    from importlib import resources

    folder = resources.files("connectors.webchat") / "static/widget/locales"
    found = {}
    for name in ("en", "tr"):
        lines = re.findall(r"^  (\w+): (\".*\"),$", (folder / f"{name}.js").read_text("utf-8"), re.MULTILINE)
        found[name] = {key: set(re.findall(r"\{\w+\}", json.loads(text))) for key, text in lines}
    assert found["en"] == found["tr"]
