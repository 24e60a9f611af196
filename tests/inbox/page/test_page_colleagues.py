"""Two agents in one conversation know of each other, and nobody writes over what another one did."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from page_house import House, fresh
from playwright.async_api import expect


async def test_two_agents_see_that_the_other_is_there_and_that_they_type(house: House, screens: Any) -> None:
    conversation = await house.mail(fresh("Who takes this?"))
    one = await screens(await house.hire("Lise"))
    other = await screens(await house.hire("Otto"))
    await one.open(conversation)
    await expect(one.page.locator(".conversation .others")).to_have_count(0)
    await other.open(conversation)
    await expect(one.page.locator(".conversation .others")).to_have_text("Otto looks at this too")
    await expect(other.page.locator(".conversation .others")).to_have_text("Lise looks at this too")

    # A third one, who only looks at the list, sees both there, also where they came later.
    watching = await screens(await house.hire("Ida"))
    there = watching.row(conversation["id"]).locator(".colleague")
    await expect(there).to_have_count(2)
    await expect(watching.row(conversation["id"])).to_contain_text("Otto looks at this too")

    # Typing is told for some seconds only. Here none go by: it holds until something ends it.
    for screen in (watching, other):
        await screen.page.clock.set_fixed_time(datetime.now(UTC))
    await one.composer.press_sequentially("Dear Ada")
    await expect(watching.row(conversation["id"])).to_contain_text("Lise is typing…")
    await expect(other.page.locator(".composer .warning")).to_contain_text("Lise is answering")
    await expect(one.page.locator(".composer .warning")).to_have_count(0)
    # A note is nobody's answer.
    await one.send.click()
    await expect(other.messages.last).to_contain_text("Dear Ada")
    await expect(other.page.locator(".composer .warning")).to_have_count(0)

    await other.page.keyboard.press("u")
    await expect(there).to_have_count(1)
    await expect(one.page.locator(".conversation .others")).to_have_count(0)


async def test_who_changes_second_is_told_and_sees_what_the_first_one_did(house: House, screens: Any) -> None:
    conversation = await house.mail(fresh("Who was first?"))
    screen = await screens(await house.hire("Hedy"))
    screen.expects("status of 412")
    await screen.open(conversation)
    await expect(screen.page.locator(".conversation .chip.is-open")).to_be_visible()
    # The first one's change is told while the second one's is on its way: the stream is held back until then.
    path = f"/api/v1/conversations/{conversation['id']}"

    async def late(route: Any) -> None:
        if route.request.method == "PATCH":
            async with house.desk.http.patch(path, json={"priority": "urgent"}) as answer:
                assert answer.status == 200
        await route.continue_()

    await screen.page.route(f"**{path}", late)
    await screen.page.keyboard.press("t")
    await screen.page.get_by_role("textbox", name="Add a tag").fill("mine")
    await screen.page.keyboard.press("Enter")
    await expect(screen.notice).to_contain_text("Somebody else changed this meanwhile")
    await screen.page.keyboard.press("Escape")
    await expect(screen.page.locator(".actions")).to_contain_text("Urgent")
    await expect(screen.page.locator(".conversation .chip", has_text="mine")).to_have_count(0)
    found = await house.desk.get(path)
    assert (found["priority"], found["tags"]) == ("urgent", [])


async def test_what_a_colleague_does_is_seen_at_once(house: House, screens: Any) -> None:
    conversation = await house.mail(fresh("Do it together"))
    agent = await house.hire("Vera")
    one, other = await screens(agent), await screens(await house.hire("Ida"))
    await one.open(conversation)
    await other.open(conversation)
    await one.page.keyboard.press("a")
    await expect(other.page.locator(".actions")).to_contain_text("Vera")
    await expect(other.page.locator(".row.is-here .chip.is-agent")).to_have_text("Vera")
    await other.page.keyboard.press("e")
    await expect(one.page.locator(".conversation .chip.is-resolved")).to_be_visible()
    await expect(one.row(conversation["id"])).to_have_count(0)


async def test_an_address_that_the_customer_gives_meanwhile_is_seen_at_once(house: House, screens: Any) -> None:
    conversation = await house.mail(fresh("Two addresses"), sender=f"{fresh('two').replace(' ', '')}@example.org")
    screen = await screens(await house.hire("Iris"))
    await screen.open(conversation)
    await expect(screen.page.locator(".identities li")).to_have_count(1)
    other = {"kind": "email", "value": f"{fresh('other').replace(' ', '')}@example.org"}
    await house.desk.post(f"/api/v1/customers/{conversation['customer']['id']}/identities", other)
    await expect(screen.page.locator(".identities li")).to_contain_text(["two", "other"])
