"""The widget for everybody: by keys alone, by ear, on phones, magnified, from right to left, in Turkish."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect
from widget_page import Widget, tab

from connectors.context import Standing
from normalizer.schema import Author, Part

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
BUTTONS = Part(type="buttons", text="Yes, No", data={"buttons": [{"label": "Yes", "value": "1"}]})


async def faults(widget: Widget) -> list[str]:
    """What axe finds wrong with the whole page."""
    await widget.still()
    found = await widget.page.evaluate(
        "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES
    )
    return [
        f"{one['id']}: {node['html'][:160]} ({node['failureSummary']})"
        for one in found["violations"]
        for node in one["nodes"]
    ]


async def fits(widget: Widget) -> None:
    """Nothing stands beyond the edges of the window, and nothing is too small to be hit."""
    beyond = await widget.page.evaluate(
        """() => { const root = document.querySelector("santral-chat").shadowRoot;
        return [...root.querySelectorAll("*")].filter((one) => !one.closest(".spoken, svg, .probe"))
          .filter((one) => { const box = one.getBoundingClientRect();
            return box.width && (box.right > innerWidth + 1 || box.left < -1); })
          .map((one) => one.outerHTML.slice(0, 90)); }"""
    )
    assert beyond == []
    small = await widget.page.evaluate(
        """() => { const root = document.querySelector("santral-chat").shadowRoot;
        return [...root.querySelectorAll("button, input:not([hidden]), textarea, .stars label")].filter((one) => {
          const box = one.getBoundingClientRect(); return box.width && Math.min(box.width, box.height) < 24;
        }).map((one) => one.outerHTML.slice(0, 90)); }"""
    )
    assert small == []


@pytest.mark.parametrize(
    ("colours", "options"), [("light", {}), ("dark", PHONE)], ids=["light on a desk", "dark on a phone"]
)
async def test_axe_finds_nothing(serve: Any, browse: Any, axe: Path, colours: str, options: dict[str, Any]) -> None:
    prechat = {"fields": [{"name": "email", "required": True}], "consent": "I have read [this](https://example.com)"}
    async with serve(prechat=prechat, call_back=True, greeting="Welcome!") as chat:
        browser = await browse(color_scheme=colours, **options)
        await browser.add_init_script(path=axe)
        widget = await Widget(await browser.new_page()).goto(str(chat.url("demo")))
        wrong = {"closed": await faults(widget)}
        await widget.open()
        await widget.online()
        wrong["form"] = await faults(widget)
        await widget.panel.get_by_role("button", name="Start the chat").click()
        await expect(widget.panel.get_by_role("alert").first).to_be_visible()
        wrong["form refused"] = await faults(widget)
        await widget.panel.get_by_label("Email").fill("ada@example.com")
        await widget.panel.get_by_role("checkbox").check()
        await widget.panel.get_by_role("button", name="Start the chat").click()
        await widget.say("See https://example.com")
        await widget.sent("See https://example.com")
        visitor = chat.said()[0].envelope["visitor"]
        await chat.context.reply(visitor, "Is it broken? https://example.com/help", parts=(BUTTONS,))
        chat.context.feed.stands(visitor, Standing(conversation_id="conversation-1", ahead=1, wait_seconds=60))
        await expect(widget.panel.get_by_role("button", name="Yes")).to_be_visible()
        chat.context.feed.typing(visitor, Author(type="agent", id="a", name="Ayşe"))
        await expect(widget.panel.get_by_text("Ayşe is typing…")).to_be_visible()
        await widget.box.fill("x" * 10_001)
        wrong["talk"] = await faults(widget)
        await fits(widget)
        await widget.box.fill("")
        chat.context.feed.stands(
            visitor, Standing(conversation_id="conversation-1", resolved=True, agent=Author(type="agent", name="Ayşe"))
        )
        await widget.panel.get_by_role("radio", name="5 out of 5").check()
        wrong["rating"] = await faults(widget)
        await fits(widget)
        await widget.panel.get_by_role("button", name="Ask for a call").click()
        wrong["call"] = await faults(widget)
        await fits(widget)
        told = [f"{where}: {one}" for where, found in wrong.items() for one in found]
        assert told == [], "\n".join(told)


async def test_by_keys_alone(chat: Any, browser: Any) -> None:
    widget = await Widget(await browser.new_page()).goto(str(chat.url("demo")))
    keys = widget.page.keyboard
    await widget.page.evaluate("window.shortcuts = 0; document.addEventListener('keydown', () => { shortcuts += 1; })")
    await widget.launcher.focus()
    await keys.press("Enter")
    await expect(widget.box).to_be_focused()
    before = await widget.page.evaluate("shortcuts")
    await keys.type("No mouse")
    await keys.press("Shift+Enter")
    await keys.type("here")
    await keys.press("Enter")
    await expect(widget.said("No mouse\nhere")).to_have_count(1)
    assert await widget.page.evaluate("shortcuts") == before  # the keys of whoever writes are no shortcuts of the page
    await keys.press("Tab")
    await expect(widget.panel.get_by_role("button", name="Send")).to_be_focused()
    assert await widget.panel.locator(".send").evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
    await keys.press("Shift+Tab")
    await expect(widget.box).to_be_focused()
    await keys.press("Escape")
    await expect(widget.panel).to_have_count(0)
    await expect(widget.launcher).to_be_focused()
    await expect(widget.launcher).to_have_attribute("aria-expanded", "false")


async def test_on_a_phone_the_window_is_the_screen_and_keeps_the_focus(chat: Any, browse: Any) -> None:
    browser = await browse(**PHONE)
    widget = await tab(browser, str(chat.url("demo")))
    await widget.still()
    box = await widget.panel.bounding_box()
    assert box == {"x": 0, "y": 0, "width": 390, "height": 844}
    await expect(widget.panel).to_have_attribute("aria-modal", "true")
    await expect(widget.panel.get_by_role("button", name="Take a picture")).to_be_visible()
    await fits(widget)
    for _ in range(12):
        await widget.page.keyboard.press("Tab")
        assert await widget.page.evaluate("document.activeElement.localName") == "santral-chat"
    # The keyboard of the phone takes half of the screen.
    await widget.page.set_viewport_size({"width": 390, "height": 460})
    await expect(widget.box).to_be_in_viewport(ratio=1)
    await widget.panel.get_by_role("button", name="Close the chat").tap()
    await expect(widget.launcher).to_be_visible()


@pytest.mark.parametrize("size", [(320, 640), (640, 360)], ids=["400 % of 1280", "200 % of 1280 by 720"])
async def test_magnified_all_of_it_is_there(chat: Any, browse: Any, size: tuple[int, int]) -> None:
    browser = await browse(viewport={"width": size[0], "height": size[1]})
    widget = await tab(browser, str(chat.url("demo")))
    await widget.say("a long word: " + "Donaudampfschifffahrtsgesellschaft" * 4)
    await widget.sent("a long word")
    await fits(widget)
    await expect(widget.box).to_be_in_viewport(ratio=1)
    await expect(widget.panel.get_by_role("button", name="Close the chat")).to_be_in_viewport(ratio=1)


async def test_from_right_to_left(chat: Any, browse: Any) -> None:
    browser = await browse()
    page = await browser.new_page()
    await page.route(
        "**/host",
        lambda route: route.fulfill(
            content_type="text/html",
            body='<!doctype html><html lang="ar-EG"><title>x</title><script src="widget.js" data-open></script>',
        ),
    )
    widget = await Widget(page).goto(str(chat.url("host")))
    await widget.online()
    assert await widget.panel.evaluate("one => getComputedStyle(one).direction") == "rtl"
    send, clip = await widget.panel.locator(".send").bounding_box(), await widget.panel.locator(".clip").bounding_box()
    assert send is not None
    assert clip is not None
    assert send["x"] < clip["x"]
    await widget.say("hello in English")
    await widget.sent("hello in English")
    mine = await widget.said("hello in English").locator(".text").bounding_box()
    panel = await widget.panel.bounding_box()
    assert mine is not None
    assert panel is not None
    assert mine["x"] - panel["x"] < 40  # one's own words stand at the end of the line
    await fits(widget)


async def test_in_turkish_no_english_is_left(serve: Any, browse: Any) -> None:
    prechat = {"fields": ["name", "email", "phone"]}
    async with serve(prechat=prechat, call_back=True) as chat:
        browser = await browse(locale="tr-TR")
        page = await browser.new_page()
        await page.route(
            "**/host",
            lambda route: route.fulfill(
                content_type="text/html",
                body='<!doctype html><html lang="tr"><title>x</title><script src="widget.js"></script>',
            ),
        )
        widget = await Widget(page).goto(str(chat.url("host")))
        await expect(widget.launcher).to_have_accessible_name("Sohbeti aç")
        await widget.open()
        await widget.page.get_by_role("button", name="Sohbete başla").click()
        await widget.say("İyi günler")
        await widget.sent("İyi günler")
        chat.context.feed.stands(
            chat.said()[0].envelope["visitor"], Standing(conversation_id="conversation-1", ahead=0, wait_seconds=61)
        )
        await expect(widget.panel.get_by_text("Sırada 1. kişisiniz. Yaklaşık 1 dakika.")).to_be_visible()
        await widget.panel.get_by_role("button", name="Beni arayın").click()
        said = await widget.page.evaluate(
            """() => { const root = document.querySelector("santral-chat").shadowRoot;
            return [...root.querySelectorAll("*")].flatMap((one) => [one.ariaLabel, one.title, one.placeholder,
              ...[...one.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data)]).join(" "); }"""
        )
        english = re.findall(
            r"\b(?:the|chat|message|send|close|open|phone|email|name|today|sent|you|file|call)\b", said
        )
        assert english == []
        assert (
            await page.evaluate("document.querySelector('santral-chat').shadowRoot.querySelector('.root').lang") == "tr"
        )


async def test_nothing_moves_for_whoever_wants_that(chat: Any, browse: Any) -> None:
    browser = await browse(reduced_motion="reduce", forced_colors="active")
    widget = await tab(browser, str(chat.url("demo")))
    assert await widget.panel.evaluate("one => getComputedStyle(one).animationName") == "none"
    assert await widget.panel.locator(".send").evaluate("one => getComputedStyle(one).borderTopWidth") == "1px"
