"""What customers write appears by itself, and what agents answer arrives at the right one."""

from __future__ import annotations

from typing import Any

from page_house import House, fresh
from playwright.async_api import expect


async def test_two_visitors_at_once_are_read_without_reloading_and_each_is_answered(house: House, screens: Any) -> None:
    agent = await house.hire("Grace")
    screen = await screens(agent)
    async with house.visitor() as one, house.visitor() as other:
        ask, doubt = fresh("Do you deliver?"), fresh("Is it blue?")
        basket = "https://shop.example.com/basket"
        await one.say(ask, page=basket, details={"fields": {"name": "Ayşe", "order": "42"}})
        await other.say(doubt)
        for words in (ask, doubt):
            chat = await house.chat_of(words)
            await expect(screen.row(chat["id"])).to_contain_text(words)
        first, second = await house.chat_of(ask), await house.chat_of(doubt)

        await screen.open(first)
        await expect(screen.messages).to_contain_text([ask])
        await expect(screen.messages.first).to_contain_text("order: 42")
        await expect(screen.messages.first.get_by_role("link")).to_have_attribute("href", basket)
        await expect(screen.page.locator(".customer h2")).to_contain_text("Ayşe")
        await one.type()
        await expect(screen.page.locator(".typing")).to_contain_text("is typing")
        await screen.composer.press_sequentially("Yes,")
        assert await one.sees_typing() == "Grace"
        await screen.composer.fill("Yes, everywhere.")
        await screen.composer.press("Control+Enter")
        await expect(screen.messages.last).to_contain_text("Yes, everywhere.")
        more = fresh("To Izmir too?")
        await one.say(more)
        await expect(screen.messages.last).to_contain_text(more)

        # The other one writes meanwhile: their row says so, and the open conversation has none of it.
        again = fresh("Or green?")
        await other.say(again)
        await expect(screen.row(second["id"])).to_contain_text(again)
        await expect(screen.page.locator(f'.row:has(a[href="?c={second["id"]}"]) .unread')).to_have_text("2")
        assert await screen.messages.filter(has_text=again).count() == 0

        await screen.open(second)
        await expect(screen.messages).to_contain_text([doubt, again])
        await screen.composer.fill("It is green.")
        await screen.composer.press("Control+Enter")
        await one.hears("Yes, everywhere.")
        await other.hears("It is green.")
        assert (one.heard("It is green."), other.heard("Yes, everywhere.")) == (0, 0)
        await expect(screen.page.locator(f'.row:has(a[href="?c={second["id"]}"]) .unread')).to_have_count(0)
        await expect(screen.messages.last.locator(".delivery")).to_contain_text("Delivered")
