"""What saves agents work: search, canned replies, saved lists; what supervisors and admins look after."""

from __future__ import annotations

import re
from typing import Any

from page_house import PASSWORD, House, fresh
from playwright.async_api import expect


async def test_what_is_searched_is_found_in_turkish_and_marked(house: House, screens: Any) -> None:
    number = fresh("numara").split()[-1]
    conversation = await house.mail(fresh("Kargo"), f"ŞİKÂYETİM var: İSTANBUL{number} şubesi kapalıydı.")
    other = await house.mail(fresh("Fatura"), "Faturam nerede?")
    screen = await screens(await house.hire("Defne"))
    await screen.page.keyboard.press("/")
    # Who thinks between two words has been searched for the first, and finds the space where they typed it.
    await screen.page.keyboard.type("sikayet ")
    await screen.page.wait_for_url(re.compile("[?&]q=sikayet"))
    await screen.page.keyboard.type(f"ıstanbul{number}")
    await expect(screen.page.locator("#search")).to_have_value(f"sikayet ıstanbul{number}")
    await expect(screen.row(other["id"])).to_have_count(0)
    row = screen.row(conversation["id"])
    await expect(row).to_be_visible()
    await expect(row.locator("mark")).to_have_text(["ŞİKÂYET", f"İSTANBUL{number}"])
    order = screen.page.get_by_label("Order")
    await expect(order).to_have_value("-created_at")
    await order.select_option("Longest waiting")
    await expect(row).to_be_visible()
    await screen.page.locator("#search").fill("")
    await expect(screen.row(other["id"])).to_be_visible()
    await expect(order).to_have_value("-updated_at")
    await screen.page.locator("#search").fill("hiçböylebirşeyyok")
    await expect(screen.page.locator(".rows .none")).to_have_text("Nothing was found.")


async def test_a_canned_reply_is_written_and_put_in_filled(house: House, screens: Any) -> None:
    screen = await screens(await house.hire("Frida", role="supervisor"))
    shortcut = f"late{fresh('x').split()[-1]}"
    await screen.page.keyboard.type("gr")
    await screen.page.get_by_label("Shortcut").fill(shortcut)
    await screen.page.get_by_label("Title").fill("A parcel is late")
    await screen.page.get_by_label("Text", exact=True).fill("Dear {{customer.name}}, it is late.")
    await screen.page.get_by_role("button", name="Save", exact=True).click()
    await expect(screen.page.locator(".cards")).to_contain_text(f"/{shortcut}")
    conversation = await house.mail(fresh("Late?"), name="Grace Hopper", sender="grace@example.org")
    await screen.page.keyboard.type("ga")
    await screen.open(conversation)
    go_on = await screen.hold("**/canned-replies/*")
    await screen.composer.press_sequentially(f"/{shortcut}")
    await screen.page.locator(".suggestions button").first.click()
    await expect(screen.composer).to_be_focused()
    await screen.page.keyboard.type(" Sorry!")
    go_on.set()
    await expect(screen.composer).to_have_value("Dear Grace Hopper, it is late. Sorry!")


async def test_a_list_is_saved_and_stays_what_it_says(house: House, screens: Any) -> None:
    tag = f"lamps{fresh('x').split()[-1]}"  # no word of the page, whose words are looked for in tests that follow
    one, other = await house.mail(fresh("Tagged")), await house.mail(fresh("Not tagged"))
    await house.desk.patch(f"/api/v1/conversations/{one['id']}", {"tags": [tag]})
    screen = await screens(await house.hire("Emmy"), path=f"/?tag={tag}")
    await expect(screen.row(one["id"])).to_be_visible()
    await screen.page.keyboard.press("v")
    await screen.page.get_by_label("Name", exact=True).fill(f"All of {tag}")
    await screen.page.get_by_role("button", name="Save", exact=True).click()
    await expect(screen.page.locator(".nav .entry[aria-current]")).to_have_text(f"All of {tag}")
    await expect(screen.row(one["id"])).to_be_visible()
    await expect(screen.row(other["id"])).to_have_count(0)
    await house.desk.patch(f"/api/v1/conversations/{other['id']}", {"tags": [tag]})
    await expect(screen.row(other["id"])).to_be_visible()
    await house.desk.patch(f"/api/v1/conversations/{one['id']}", {"status": "resolved"})
    await expect(screen.row(one["id"])).to_have_count(0)
    await screen.page.get_by_role("button", name="Drop").click()
    await expect(screen.page.locator(".nav .entry", has_text=f"All of {tag}")).to_have_count(0)


async def test_the_company_writes_first(house: House, screens: Any) -> None:
    screen = await screens(await house.hire("Rosa"))
    await screen.page.keyboard.press("c")
    await screen.page.get_by_label("To", exact=True).fill("new@customer.example")
    await screen.page.get_by_label("Subject", exact=True).fill(subject := fresh("Your parcel"))
    await screen.page.get_by_label("Text", exact=True).fill("It came back to us.")
    await screen.page.get_by_role("dialog").get_by_role("button", name="Send").click()
    await expect(screen.page.locator(".conversation .title h2")).to_have_text(subject)
    assert "It came back to us." in await house.post.took(f"Subject: {subject}")


async def test_a_password_is_changed_where_one_sits(house: House, screens: Any) -> None:
    agent = await house.hire("Lise")
    screen = await screens(agent)
    screen.expects("status of 422")
    await screen.page.get_by_role("button", name="Lise").click()
    await screen.page.get_by_label("Present password").fill("not mine at all")
    await screen.page.get_by_label("New password").fill("another long one")
    await screen.page.get_by_role("button", name="Change").click()
    await expect(screen.notice).to_contain_text("this is not your password")
    await screen.page.get_by_label("Present password").fill(PASSWORD)
    await screen.page.get_by_role("button", name="Change").click()
    await expect(screen.notice.last).to_contain_text("Your password is changed")


async def test_the_overview_draws_what_the_reports_say(house: House, screens: Any) -> None:
    await house.mail(fresh("Counted"))
    screen = await screens(await house.hire("Hedy", role="supervisor"), path="/?page=overview")
    await expect(screen.page.locator(".charts figure")).to_have_count(4)
    await expect(screen.page.locator(".chart canvas").first).to_be_visible()
    volume = screen.page.get_by_role("table", name="Messages of customers")
    counted = int((await volume.locator("tbody tr").last.inner_text()).split()[-1])
    assert counted >= 1
    async with screen.page.expect_download() as download:
        await screen.page.get_by_role("link", name="Messages of customers (CSV)").click()
    written = (await (await download.value).path()).read_bytes()
    assert written.startswith(b"begins,channel,inbound,outbound,conversations\r\n")


async def test_webhooks_are_looked_after(house: House, screens: Any) -> None:
    screen = await screens(house.admin, path="/?page=webhooks")
    screen.expects("status of 4")
    form = screen.page.locator("main.page form")
    await form.get_by_label("Name").fill("shop")
    await form.get_by_label("Address").fill("https://127.0.0.1/hook")
    await form.get_by_role("button", name="Create").click()
    await expect(screen.notice).to_be_visible()
    await form.get_by_label("Address").fill("https://shop.example.com/hook")
    await form.get_by_role("button", name="Create").click()
    await expect(screen.page.locator(".cards")).to_contain_text("https://shop.example.com/hook")
    await expect(screen.page.locator("main.page code")).to_contain_text("whsec_")
    await screen.page.get_by_role("button", name="Drop: shop").click()
    await expect(screen.page.locator(".cards li")).to_have_count(0)
