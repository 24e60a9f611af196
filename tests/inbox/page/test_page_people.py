"""What agents know of customers: notes for each other, seen by all at once and on any screen."""

from __future__ import annotations

import asyncio
from typing import Any

from page_house import House, fresh
from playwright.async_api import expect
from pymongo import AsyncMongoClient

from inbox.store import embedded


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
    await one.page.get_by_role("button", name="Write down").click()
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
    old, new, other = (f"{name}{fresh('x').split()[-1]}" for name in ("bulb", "bulbs", "blb"))
    one, two = await house.mail(fresh("Tagged")), await house.mail(fresh("Tagged too"))
    for conversation, tag in ((one, old), (two, other)):
        await house.desk.patch(f"/api/v1/conversations/{conversation['id']}", {"tags": [tag]})
    supervisor = await house.hire("Grace", role="supervisor")
    colleague, screen = await screens(await house.hire("Otto")), await screens(supervisor, path=f"/?tag={old}")
    await colleague.open(one)
    chip = colleague.page.locator(".conversation .chip", has_text=old)
    await expect(chip).to_be_visible()
    page = screen.page
    await page.keyboard.type("gt")
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


async def test_two_conversations_are_joined_and_a_colleague_goes_along_with_what_they_write(
    house: House, screens: Any
) -> None:
    sender = f"{fresh('twice').replace(' ', '')}@example.org"
    home = await house.mail(subject := fresh("The lamp"), "It is broken", sender=sender)
    emptied = await house.mail(fresh("Again the lamp"), "Did you get my mail?", sender=sender)
    one, other = await screens(await house.hire("Lise")), await screens(await house.hire("Otto"))
    other.expects("status of 404")  # by which it learns where the messages are now
    one.expects("status of 404")
    await one.open(emptied)
    await other.open(emptied)
    await expect(other.composer).to_be_enabled()
    await other.composer.press_sequentially("Dear Ada, we have")
    await other.kept(emptied["id"], "Dear Ada, we have")
    await one.page.keyboard.press("M")
    option = one.page.get_by_role("listbox").get_by_role("option")
    await expect(option).to_have_count(1)
    await expect(option).to_contain_text(subject)
    await one.page.keyboard.press("Enter")
    await expect(one.page.get_by_role("dialog")).to_contain_text("This cannot be undone")
    await expect(one.page.get_by_role("button", name="Join", exact=True)).to_be_focused()
    file = {"name": "bill.txt", "mimeType": "text/plain", "buffer": b"12.50"}
    await other.page.set_input_files(".composer input[type=file]", [file])
    await expect(other.page.locator(".composer .file")).to_contain_text("bill.txt")
    await other.composer.press_sequentially(" one")  # which is not kept yet
    await one.page.keyboard.press("Enter")
    # Both at once, as what is told goes after seconds.
    await asyncio.gather(
        expect(one.notice).to_contain_text("They are one conversation now"),
        expect(other.notice).to_contain_text("joined that conversation to this one"),
    )
    for screen in (one, other):
        await expect(screen.page.locator(".conversation .title h2")).to_have_text(subject)
        await expect(screen.messages).to_contain_text(["It is broken", "Did you get my mail?"])
    await expect(other.composer).to_have_value("Dear Ada, we have one")
    await expect(other.page.locator(".composer .file")).to_have_count(1)
    await other.kept(home["id"], "Dear Ada, we have one")
    await expect(one.row(emptied["id"])).to_have_count(0)
    # An old link leads there too; what is searched for can be chosen as well.
    await one.page.goto(f"{house.url}/?c={emptied['id']}")
    await expect(one.page.locator(".conversation .title h2")).to_have_text(subject)
    third = await house.mail(fresh("Elsewhere"), sender="eve@example.org")
    await one.page.keyboard.press("M")
    await expect(one.page.get_by_role("combobox", name="Words of the other")).to_be_focused()
    await one.page.keyboard.type(third["subject"])
    await expect(option).to_contain_text([third["subject"]])
    await one.page.keyboard.press("Enter")
    await expect(one.page.get_by_role("dialog")).to_contain_text("another customer")


async def test_an_admin_exports_and_erases_a_customer(house: House, screens: Any) -> None:
    sender = f"{fresh('gone').replace(' ', '')}@example.org"
    conversation = await house.mail(fresh("Forget me"), sender=sender, name="Zeynep Kaya")
    kept = await house.mail(fresh("Keep me"))
    colleague, screen = await screens(await house.hire("Otto")), await screens(house.admin)
    colleague.expects("status of 404")
    screen.expects("status of 404")
    await colleague.open(conversation)
    await screen.open(conversation)
    page = screen.page
    await expect(colleague.page.get_by_role("button", name="Erase")).to_have_count(0)
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Export as a ZIP").click()
    assert (await (await download.value).path()).read_bytes().startswith(b"PK")

    await page.get_by_role("button", name="Erase").click()
    window = page.get_by_role("dialog")
    await expect(window).to_contain_text("all conversations (1) with everything in them")
    await window.get_by_label("type: Zeynep Kaya").fill("Zeynep")
    await expect(window.get_by_role("button", name="Erase for good")).to_be_disabled()
    await window.get_by_label("type: Zeynep Kaya").fill("Zeynep Kaya")
    await page.keyboard.press("Enter")
    await expect(window.get_by_role("status")).to_contain_text("Gone: conversations 1, messages 1, files 0")
    await page.keyboard.press("Escape")
    await expect(window).to_have_count(0)
    await expect(page.locator(".conversation.is-empty")).to_be_visible()
    for one in (colleague, screen):
        await expect(one.row(conversation["id"])).to_have_count(0)
        await expect(one.row(kept["id"])).to_be_visible()
    await expect(colleague.page.locator(".conversation")).to_contain_text("There is no such conversation")
    found = await house.desk.get("/api/v1/customers", identity=f"email:{sender}")
    assert found["items"] == []


async def test_by_which_channel_a_customer_is_not_reached_is_said_beside_their_address(
    house: House, screens: Any, mongod: embedded.EmbeddedDatabase
) -> None:
    sender = f"{fresh('gone').replace(' ', '')}@example.org"
    conversation = await house.mail(fresh("Before I go"), sender=sender)
    async with AsyncMongoClient[dict[str, Any]](mongod.url) as client:
        reasons = {"sales": "blocked us", "support": "has moved"}
        await client["house"]["identities"].update_one({"_id": f"email:{sender}"}, {"$set": {"unreachable": reasons}})
    screen = await screens(await house.hire("Uma"))
    await screen.open(conversation)
    told = screen.page.locator(".identities li .wrong")
    await expect(told).to_have_text(["Unreachable by sales: blocked us", "Unreachable by support: has moved"])
