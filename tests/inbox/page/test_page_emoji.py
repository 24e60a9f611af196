"""Emoji: taken from a window by keys, by search in the reader's language, or written by name."""

from __future__ import annotations

from typing import Any

import pytest
from page_house import House, fresh
from playwright.async_api import expect


@pytest.mark.parametrize(
    ("locale", "words", "name", "shortly"),
    [("en-GB", "party pop", "party popper", ":tada"), ("tr-TR", "SIRITAN yuz", "sırıtan yüz", ":kalp")],
)
async def test_an_emoji_goes_in_where_one_writes(
    house: House, screens: Any, locale: str, words: str, name: str, shortly: str
) -> None:
    conversation = await house.mail(fresh("Well done"))
    screen = await screens(await house.hire("Emre"), locale=locale)
    page, keys = screen.page, screen.page.keyboard
    loaded = [one for one in screen.requests if "vendor/emoji" in one]
    assert loaded == []
    await screen.open(conversation)
    await screen.composer.press_sequentially("Bravo !")
    await keys.press("ArrowLeft")
    await keys.press("Control+i")
    window = page.get_by_role("dialog", name="Emoji")
    await expect(window.get_by_role("combobox")).to_be_focused()
    await keys.type(words)
    chosen = window.get_by_role("option", selected=True)
    await expect(chosen).to_have_attribute("aria-label", name)
    emoji = await chosen.inner_text()
    await keys.press("Enter")
    await expect(window).to_have_count(0)
    await expect(screen.composer).to_be_focused()
    await expect(screen.composer).to_have_value(f"Bravo {emoji}!")

    # What was taken last comes first; the arrows lead through the others.
    await page.locator(".composer").get_by_role("button", name="Emoji").click()
    await expect(window.get_by_role("option")).to_have_count(1)
    await window.locator(".groups button").nth(1).click()
    await window.get_by_role("combobox").focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowLeft", "ArrowUp", "ArrowRight"):
        await keys.press(key)
    await expect(chosen).to_have_text("😃")
    await keys.press("Escape")
    await expect(window).to_have_count(0)

    await screen.composer.fill(f"Bravo {shortly}")
    await page.locator(".suggestions button").first.click()
    await expect(screen.composer).not_to_have_value(f"Bravo {shortly}")
    assert ":" not in await screen.composer.input_value()
