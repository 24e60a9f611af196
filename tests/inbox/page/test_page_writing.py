"""An agent writes while the inbox moves: what is typed and what is read stay where they are."""

from __future__ import annotations

from typing import Any

from page_house import House, fresh
from playwright.async_api import expect

TOP = "document.querySelector('.rows').scrollTop"
MESSAGES_TOP = "document.querySelector('.messages').scrollTop"


async def test_a_mail_that_comes_while_somebody_types_moves_nothing(house: House, screens: Any) -> None:
    subject = fresh("A long story")
    for _ in range(2):
        conversation = await house.mail(subject, "line\n" * 80)
    for number in range(14):
        await house.mail(fresh(f"Filler {number}"))
    screen = await screens(await house.hire("Emmy"))
    page = screen.page
    await screen.open(conversation)
    await screen.composer.press_sequentially("I am writ")
    await page.evaluate("document.querySelector('.rows').scrollTop = 200")
    await page.evaluate("document.querySelector('.messages').scrollTop = 300")
    await expect(page.locator(".rows")).to_have_js_property("scrollTop", 200)
    seen = await page.evaluate("document.elementFromPoint(300, 450).closest('.row').querySelector('a').href")
    before = await page.evaluate("document.elementFromPoint(300, 450).getBoundingClientRect().top")

    new = await house.mail(fresh("Something new"))
    # The new one stands above what is in sight: the list is one row longer, and its reader sees the same rows.
    await expect(page.locator(".rows")).to_have_js_property("scrollTop", 276)
    assert await page.evaluate("document.elementFromPoint(300, 450).closest('.row').querySelector('a').href") == seen
    assert await page.evaluate("document.elementFromPoint(300, 450).getBoundingClientRect().top") == before
    await screen.composer.press_sequentially("ing")
    await house.mail(subject, "One more thing")
    await expect(screen.messages).to_have_count(3)
    assert await page.evaluate(MESSAGES_TOP) == 300
    await expect(screen.composer).to_have_value("I am writing")
    await expect(screen.composer).to_be_focused()
    await page.evaluate("document.querySelector('.rows').scrollTop = 0")
    await expect(screen.row(new["id"])).to_be_visible()


async def test_at_the_end_the_reader_follows_what_comes(house: House, screens: Any) -> None:
    subject = fresh("Long and longer")
    conversation = await house.mail(subject, "line\n" * 80)
    screen = await screens(await house.hire("Sofia"))
    await screen.open(conversation)
    await house.mail(subject, "line\n" * 60 + "the very end")
    await expect(screen.page.get_by_text("the very end")).to_be_in_viewport()
