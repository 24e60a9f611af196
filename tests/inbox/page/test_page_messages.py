"""One message among many: found, linked to, answered, changed, taken back, reacted to; and the files with it."""

from __future__ import annotations

import asyncio
from email.message import EmailMessage
from typing import Any

from harness import ADDRESS, eventually
from page_house import PASSWORD, Agent, House, fresh
from papers import pdf
from playwright.async_api import expect
from pymongo import AsyncMongoClient
from switchboard import switchboard

from connectors.testing.bot_api import TOKEN, BotApiServer
from connectors.testing.server import serving
from inbox.store import embedded

MANY = 120


async def test_what_is_found_is_opened_where_it_stands(house: House, screens: Any) -> None:
    subject = fresh("A long story")
    conversation = await house.mail(subject)
    path = f"/api/v1/conversations/{conversation['id']}/messages"
    word = fresh("needle").replace(" ", "")

    async def note(number: int) -> None:
        await house.desk.post(path, {"text": f"Line {number}\n" * (1 + number % 4), "direction": "note"})

    await asyncio.gather(*map(note, range(MANY // 2)))
    await house.desk.post(path, {"text": f"Here is the {word}", "direction": "note"})
    await asyncio.gather(*map(note, range(MANY // 2)))
    screen = await screens(await house.hire("Ilse"))
    page = screen.page
    await page.locator("#search").fill(word)
    await screen.row(conversation["id"]).filter(has=page.locator("mark")).click()
    found = page.locator(".message.is-named")
    await expect(found).to_contain_text(word)
    await expect(found).to_be_in_viewport(ratio=1)
    link = page.url
    assert f"message={(await found.get_attribute('id') or '')[2:]}" in link

    # What comes live is told of, tears nothing away, and is not taken for read.
    await house.mail(subject, "It goes on")
    await expect(screen.row(conversation["id"]).locator(".unread")).to_have_text("2")
    await expect(found).to_be_in_viewport(ratio=1)
    assert await screen.messages.filter(has_text="It goes on").count() == 0

    # Earlier and later ones come as one scrolls, without a hole.
    box = page.locator(".messages")
    await box.hover()

    async def reached() -> int:
        await page.mouse.wheel(0, 20_000)
        return await screen.messages.filter(has_text="It goes on").count()

    assert await eventually(reached) == 1
    assert await page.locator(".gap").count() == 0
    await expect(screen.row(conversation["id"]).locator(".unread")).to_have_count(0)

    # Whoever is given the link stands at the same message, and gets to the end by one key.
    other = await screens(await house.hire("Jo"), path=link.removeprefix(house.url))
    await expect(other.page.locator(".message.is-named")).to_be_in_viewport(ratio=1)
    await other.page.keyboard.press("G")
    await expect(other.messages.last).to_contain_text("It goes on")
    await expect(other.messages.last).to_be_in_viewport()
    assert "message=" not in other.page.url


async def test_a_message_is_answered_changed_reacted_to_and_taken_back_by_keys(mongod_url: str, screens: Any) -> None:
    async with serving(BotApiServer()) as bot_api:
        channel = {"id": "tg", "connector": "telegram", "token": TOKEN, "api_url": bot_api.url}
        async with switchboard(mongod_url, channel) as desk:
            made = await desk.post("/api/v1/agents", {"email": "k@example.com", "name": "Kim", "password": PASSWORD})
            await bot_api.push(bot_api.update("message", bot_api.message("Do you open at nine?")))
            (said,) = await desk.until(str(bot_api.message("")["chat"]["id"]), len)
            await desk.fate(await desk.reply(said, "At eight"), "sent")
            screen = await screens(
                Agent(id=made["id"], name="Kim", email="k@example.com"),
                url=desk.url,
                path=f"/?c={said['conversation_id']}",
            )
            page, keys = screen.page, screen.page.keyboard
            await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
            menu = page.get_by_role("menu")
            await expect(screen.messages).to_have_count(2)

            def there() -> list[str]:
                """What the customer reads, but for the second answer: that leaves when its seconds are over."""
                return [one["text"] for one in bot_api.written() if one["text"] != "On Sundays too"]

            async def choose(name: str) -> None:
                """From the menu of the message that has the focus."""
                await keys.press("m")
                await expect(menu.locator(":focus")).to_have_count(1)
                named = "all => all.map(one => one.ariaLabel ?? one.textContent.trim())"
                for _ in range((await menu.locator("[role^=menuitem]").evaluate_all(named)).index(name)):
                    await keys.press("ArrowDown")
                await keys.press("Enter")
                await expect(menu).to_have_count(0)

            await keys.press("K")
            await keys.press("K")
            await expect(screen.messages.first.locator("article")).to_be_focused()
            await choose("React with 👍")
            mine = screen.messages.first.locator(".reaction[aria-pressed=true]")
            await expect(mine).to_contain_text("👍")
            await mine.press("Enter")
            await expect(mine).to_have_count(0)
            await screen.messages.first.locator("article").focus()
            await choose("More emoji")
            await expect(page.get_by_role("combobox", name="Find an emoji")).to_be_focused()
            await keys.type("rocket")
            await expect(page.get_by_role("option", name="rocket").first).to_be_visible()
            await keys.press("Enter")
            await expect(mine).to_contain_text("🚀")
            await screen.messages.first.locator("article").focus()
            await choose("Link to this message")
            await expect(screen.notice.last).to_contain_text("copied")
            assert (await page.evaluate("navigator.clipboard.readText()")).endswith(f"message={said['id']}")

            await screen.messages.first.locator("article").focus()
            await choose("Reply to this")
            await expect(screen.composer).to_be_focused()
            await expect(page.locator(".composer .answered")).to_contain_text("Do you open at nine?")
            await keys.type("On Sundays too")
            await keys.press("Control+Enter")
            await expect(screen.messages).to_have_count(3)
            await expect(screen.messages.last.locator(".answered")).to_contain_text("Do you open at nine?")

            reply = screen.messages.nth(1)
            await reply.locator("article").focus()
            await choose("Change")
            await expect(page.get_by_label("The reply’s new text")).to_be_focused()
            await keys.press("Control+a")
            await keys.type("At ten")
            await keys.press("Control+Enter")
            await expect(reply.locator(".text").first).to_have_text("At ten")
            await expect(reply.locator("summary")).to_have_text("Edited")
            assert there() == ["At ten"]
            await expect(reply.locator("article")).to_be_focused()

            screen.expects("status of 422")
            bot_api.fail("refuse", "deleteMessages", times=1)
            bot_api.fail("refuse", "deleteMessage", times=1)
            await choose("Take back")
            await page.get_by_role("dialog").get_by_role("button", name="Take back").press("Enter")
            await expect(page.locator(".notice.is-wrong")).to_contain_text("Telegram")
            await choose("Take back")
            await page.get_by_role("dialog").get_by_role("button", name="Take back").press("Enter")
            await expect(reply).to_contain_text("Deleted")
            assert there() == []
            await page.goto("about:blank")  # before its Santral goes


async def test_files_are_looked_at_where_they_came(house: House, screens: Any) -> None:
    subject = fresh("Papers")
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Ada <papers@example.org>", ADDRESS, subject
    mail.set_content("All of it")
    mail.add_attachment(pdf("First page", "Second page"), "application", "pdf", filename="bill.pdf")
    rows = "ad;şehir\r\n" + "".join(f"Işıl {number};<b>İzmir</b>\r\n" for number in range(300))
    mail.add_attachment(rows.encode("windows-1254"), "text", "csv", filename="list.csv")
    mail.add_attachment(b"<script>alert(1)</script>", "text", "html", filename="page.html")
    mail.add_attachment(b"\0\1", "application", "zip", filename="rest.zip")
    await asyncio.to_thread(house.santral.send_mail, mail.as_bytes(), "papers@example.org")

    async def came() -> Any:
        page = await house.desk.get("/api/v1/conversations")
        return next((one for one in page["items"] if one["subject"] == subject), None)

    conversation = await eventually(came)
    screen = await screens(await house.hire("Lea"))
    page = screen.page
    await screen.open(conversation)
    assert not any("vendor/pdf" in one for one in screen.requests)
    await page.get_by_role("button", name="Preview: bill.pdf").click()
    shown = page.get_by_role("dialog", name="bill.pdf")
    await expect(shown.get_by_role("listitem")).to_have_count(2)
    await expect(shown.get_by_role("listitem").first).to_contain_text("First page")
    drawn = "one => one.getContext('2d').getImageData(0, 0, one.width, one.height).data.some(byte => byte < 128)"
    assert await shown.locator("canvas").first.evaluate(drawn)
    await expect(shown.get_by_role("link", name="Download")).to_have_attribute("download", "")

    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("dialog", name="list.csv").locator("tbody tr")).to_have_count(199)
    await expect(page.get_by_role("cell", name="<b>İzmir</b>").first).to_be_visible()
    await expect(page.locator("dialog")).to_contain_text("The first 200 rows are shown.")
    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("dialog", name="page.html").locator("pre")).to_have_text("<script>alert(1)</script>")
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog")).to_have_count(0)
    await expect(page.get_by_role("link", name="rest.zip")).to_have_attribute("download", "")


async def test_an_admin_reads_the_original_of_what_failed(
    house: House, screens: Any, mongod: embedded.EmbeddedDatabase
) -> None:
    conversation = await house.mail(fresh("Broken"), text := fresh("Nobody understands"))
    (message,) = await house.desk.messages(conversation["id"])
    async with AsyncMongoClient[dict[str, Any]](mongod.url) as client:
        await client["house"]["journal"].update_one(
            {"_id": message["external"]["original_id"]}, {"$set": {"state": "failed", "error": "ValueError: no"}}
        )
    screen = await screens(house.admin, path="/?page=failed")
    entry = screen.page.locator(".failed li").first
    await entry.get_by_text("Original", exact=True).click()
    await expect(entry.locator("pre").first).to_contain_text(text)
    async with screen.page.expect_download() as download:
        await entry.get_by_role("link", name="Download").click()
    assert text.encode() in (await (await download.value).path()).read_bytes()
    await entry.get_by_role("button", name="Try again").click()
    await expect(entry).to_have_count(0)
