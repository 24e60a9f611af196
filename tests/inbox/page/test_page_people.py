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


async def test_tags_are_looked_after_and_all_that_has_them_follows(house: House, screens: Any) -> None:
    old, new, other = (f"{name}{fresh('x').split()[-1]}" for name in ("order", "orders", "ordr"))
    one, two = await house.mail(fresh("Tagged")), await house.mail(fresh("Tagged too"))
    for conversation, tag in ((one, old), (two, other)):
        await house.desk.patch(f"/api/v1/conversations/{conversation['id']}", {"tags": [tag]})
    supervisor = await house.hire("Grace", role="supervisor")
    colleague, screen = await screens(await house.hire("Otto")), await screens(supervisor, path=f"/?tag={old}")
    await colleague.open(one)
    chip = colleague.page.locator(".conversation .chip", has_text=old)
    await expect(chip).to_be_visible()
    page = screen.page
    await page.keyboard.press("g")
    await page.keyboard.press("t")
    await page.get_by_role("button", name=f"Change: {old}").click()
    form = page.locator("tbody form")
    await form.get_by_label("Name").fill(new)
    await form.get_by_label("Colour").select_option("Green")
    await form.get_by_role("button", name="Save").click()
    row = page.locator("tr", has=page.locator(".chip.tone-green", has_text=new))
    await expect(row.locator(".chip.tone-green")).to_have_text(new)
    await expect(colleague.page.locator(".conversation .about .chip", has_text=new)).to_be_visible()
    await page.get_by_role("button", name=f"Merge: {other}").click()
    await page.get_by_label("Becomes").select_option(new)
    await page.locator("tbody form").get_by_role("button", name="Merge").click()
    await expect(row).to_contain_text("2")
    await expect(page.locator("tbody .chip", has_text=other)).to_have_count(0)
    await page.locator(".nav .entry", has_text=new).click()
    await expect(screen.row(one["id"])).to_be_visible()
    await expect(screen.row(two["id"])).to_be_visible()
    await page.goto(f"{house.url}/?page=tags")
    await page.get_by_role("button", name=f"Drop: {new}").click()
    await page.get_by_role("button", name="Drop it").click()
    await expect(row).to_have_count(0)
    assert (await house.desk.get(f"/api/v1/conversations/{one['id']}"))["tags"] == []
