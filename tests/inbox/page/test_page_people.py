"""What agents know of customers: notes for each other, seen by all at once and on any screen."""

from __future__ import annotations

from typing import Any

from page_house import House, fresh
from playwright.async_api import expect


async def test_a_note_about_a_customer_is_seen_changed_and_dropped_by_colleagues(house: House, screens: Any) -> None:
    sender = f"{fresh('noted').replace(' ', '')}@example.org"
    conversation = await house.mail(fresh("Who is this?"), sender=sender)
    later = await house.mail(fresh("Me again"), sender=sender)
    one, other = (
        await screens(await house.hire("Lise")),
        await screens(await house.hire("Otto"), viewport={"width": 390, "height": 844}),
    )
    await one.open(conversation)
    await other.open(later)
    await one.page.get_by_label("What colleagues should know").fill("Prefers to be called")
    await one.page.get_by_role("button", name="Add note").click()
    # On a phone, the customer is a window.
    await other.page.get_by_role("button", name="Customer", exact=True).click()
    seen = other.page.get_by_role("dialog").locator(".about-them li")
    await expect(seen).to_contain_text("Prefers to be called")
    await expect(seen).to_contain_text("Lise")
    assert await other.page.evaluate("document.documentElement.scrollWidth") <= 390

    await seen.get_by_role("button", name="Change").click()
    await seen.get_by_label("What colleagues should know").fill("Prefers mail")
    await seen.get_by_role("button", name="Save").click()
    mine = one.page.locator(".house .about-them li")
    await expect(mine).to_contain_text("Prefers mail")
    await expect(mine).to_contain_text("Lise, Otto")
    await mine.get_by_role("button", name="Change").click()
    await mine.get_by_role("button", name="Drop").click()
    await expect(seen).to_have_count(0)
