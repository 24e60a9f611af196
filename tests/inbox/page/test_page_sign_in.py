"""Coming in, going out, and being sent out."""

from __future__ import annotations

from typing import Any

from page_house import House, fresh
from playwright.async_api import WebSocketRoute, expect


async def test_a_wrong_password_is_told_in_words_and_the_right_one_lets_in(house: House, screens: Any) -> None:
    agent = await house.hire("Clara")
    screen = await screens()
    page = screen.page
    await page.get_by_label("Email").fill(agent.email)
    await page.get_by_label("Password").fill("not this one")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_have_text("Nobody signs in with that address and password.")
    await page.get_by_label("Password").fill(agent.password)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.locator(".nav")).to_contain_text("Clara")
    await screen.is_live()


async def test_the_first_agent_is_made_by_the_command(house: House, screens: Any) -> None:
    screen = await screens(house.admin)
    await expect(screen.page.locator(".nav .foot")).to_contain_text("Agents")


async def test_signed_out_nothing_is_left_for_the_next_one(house: House, screens: Any) -> None:
    conversation = await house.mail(fresh("Between us"), "Only for Marta")
    one, other = await house.hire("Marta"), await house.hire("Petra")
    screen = await screens(one)
    page = screen.page
    await screen.open(conversation)
    await screen.composer.fill("Half a sentence of Marta")
    await screen.kept(conversation["id"], "Half a sentence of Marta")
    await page.locator(".nav").get_by_role("button", name="Marta").click()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.locator(".sign-in")).to_be_visible()
    assert (await screen.context.request.get(f"{house.url}/api/v1/me")).status == 401
    await page.get_by_label("Email").fill(other.email)
    await page.get_by_label("Password").fill(other.password)
    await page.keyboard.press("Enter")
    await screen.is_live()
    await expect(page.locator(".nav")).to_contain_text("Petra")
    await screen.open(conversation)
    await expect(screen.messages).to_contain_text(["Only for Marta"])
    await expect(screen.composer).to_have_value("")
    answer = await screen.context.request.get(f"{house.url}/api/v1/drafts")
    assert (await answer.json())["items"] == []


async def test_a_session_ended_elsewhere_leads_to_the_sign_in_and_back_to_where_one_was(
    house: House, screens: Any
) -> None:
    conversation = await house.mail(fresh("Stay here"))
    agent = await house.hire("Paula")
    screen = await screens(agent)
    page = screen.page

    async def mute(stream: WebSocketRoute) -> None:
        stream.connect_to_server().on_close(lambda code, reason: None)

    # The stream does not tell of it here, as it does within seconds: the next thing does that is asked of Santral.
    await page.route_web_socket("**/api/v1/stream?**", mute)
    await page.reload()
    await screen.is_live()
    await screen.open(conversation)
    await screen.composer.fill("Not lost")
    await screen.kept(conversation["id"], "Not lost")
    async with house.desk.http.delete(f"/api/v1/agents/{agent.id}/sessions") as answer:
        assert answer.status == 204
    await page.keyboard.press("Escape")
    await page.keyboard.press("e")
    await expect(page.locator(".sign-in")).to_be_visible()
    await page.get_by_label("Email").fill(agent.email)
    await page.get_by_label("Password").fill(agent.password)
    await page.keyboard.press("Enter")
    await screen.is_live()
    await expect(screen.composer).to_have_value("Not lost")


async def test_an_address_that_was_shared_is_opened_after_signing_in(house: House, screens: Any) -> None:
    conversation = await house.mail(fresh("Look at this"), "The very thing")
    agent = await house.hire("Gerda")
    screen = await screens(path=f"/?c={conversation['id']}")
    page = screen.page
    await page.get_by_label("Email").fill(agent.email)
    await page.get_by_label("Password").fill(agent.password)
    await page.keyboard.press("Enter")
    await expect(screen.messages).to_contain_text(["The very thing"])
