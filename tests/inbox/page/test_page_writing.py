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


async def test_who_goes_on_while_a_conversation_is_resolved_is_not_led_to_the_next_one(
    house: House, screens: Any
) -> None:
    wanted, _, done = [await house.mail(fresh(words)) for words in ("I want this one", "The next one", "Resolve me")]
    screen = await screens(await house.hire("Ulla"))
    await screen.open(done)
    go_on = await screen.hold(f"**/api/v1/conversations/{done['id']}")
    await screen.page.keyboard.press("E")
    await screen.open(wanted)
    async with screen.page.expect_response(f"**/api/v1/conversations/{done['id']}"):
        go_on.set()
    await expect(screen.row(done["id"])).to_have_count(0)
    await expect(screen.page.locator(".conversation .title h2")).to_have_text(wanted["subject"])


async def test_who_leaves_a_window_whose_answer_is_on_its_way_stays_where_they_went(house: House, screens: Any) -> None:
    conversation = await house.mail(fresh("Stay with me"))
    screen = await screens(await house.hire("Wanda"))
    page = screen.page
    await screen.open(conversation)
    go_on = await screen.hold("**/api/v1/conversations")
    await page.keyboard.press("c")
    window = page.get_by_role("dialog")
    await window.get_by_label("To", exact=True).fill("slowly@customer.example")
    await window.get_by_label("Subject", exact=True).fill(subject := fresh("On its way"))
    await window.get_by_label("Text", exact=True).fill("It takes a while.")
    async with page.expect_request("**/api/v1/conversations"):
        await window.get_by_role("button", name="Send").click()
    await page.keyboard.press("Escape")
    await page.keyboard.press("?")
    await expect(window).to_contain_text("Everything works without a mouse.")
    go_on.set()
    await expect(page.locator(".row", has_text=subject)).to_be_visible()
    await expect(window).to_contain_text("Everything works without a mouse.")
    await expect(page.locator(".conversation .title h2")).to_have_text(conversation["subject"])
