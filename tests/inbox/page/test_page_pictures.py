"""Agents' pictures on the page."""

from __future__ import annotations

import base64
from typing import Any

from page_house import House, fresh
from playwright.async_api import expect

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


async def test_who_gives_herself_a_picture_is_seen_by_it(house: House, screens: Any) -> None:
    conversation = await house.mail(fresh("Who are you?"), sender="face@example.org")
    agent = await house.hire("Grace Hopper")
    screen = await screens(agent)
    page = screen.page
    await screen.open(conversation)
    await page.keyboard.press("a")
    await screen.composer.fill("It is me")
    await screen.send.click()
    mine = screen.messages.last.locator("header .face")
    await expect(mine).to_have_text("GH")

    await page.locator(".nav .foot .entry").last.click()
    window = page.get_by_role("dialog")
    choose = window.get_by_label("Choose a picture: Grace Hopper")
    await choose.set_input_files({"name": "me.png", "mimeType": "image/png", "buffer": PNG})
    await expect(window.locator("img.face")).to_be_visible()
    shown = await window.locator("img.face").evaluate("one => one.decode().then(() => one.src)")
    found = await house.desk.get(f"/api/v1/agents/{agent.id}")
    assert shown.endswith(f"/api/v1/pictures/{found['picture']}")
    await page.keyboard.press("Escape")
    assert await mine.get_attribute("src") == shown.removeprefix(house.url)
    await expect(screen.row(conversation["id"]).locator(".chip img.face")).to_be_visible()

    # What is no picture is refused in words, and the picture stays.
    screen.expects("422")
    await page.locator(".nav .foot .entry").last.click()
    await choose.set_input_files({"name": "me.png", "mimeType": "image/png", "buffer": b"no picture"})
    await expect(screen.notice.last).to_contain_text("PNG, JPEG, WebP or GIF")
    await expect(window.locator("img.face")).to_be_visible()
    await window.get_by_role("button", name="Remove the picture").click()
    await expect(window.locator("span.face")).to_have_text("GH")
    await page.keyboard.press("Escape")
    await expect(mine).to_have_text("GH")


async def test_an_admin_gives_pictures_to_others(house: House, screens: Any) -> None:
    agent = await house.hire(fresh("Portrait"))
    screen = await screens(house.admin, path="/?page=staff")
    row = screen.page.get_by_role("row", name=agent.name)
    await row.get_by_label("Choose a picture").set_input_files(
        {"name": "you.png", "mimeType": "image/png", "buffer": PNG}
    )
    await expect(row.locator("img.face")).to_be_visible()
    assert (await house.desk.get(f"/api/v1/agents/{agent.id}"))["picture"]
