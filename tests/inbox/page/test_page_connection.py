"""What a lost connection, or a Santral that goes and comes, does to somebody who is writing: nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from line import Line
from page_house import Agent, House, fresh
from playwright.async_api import Route, expect

# What a browser writes down while nobody answers.
BROKEN = ("WebSocket connection", "net::ERR_", "Failed to load resource")


async def test_a_connection_cut_in_mid_sentence_loses_nothing_and_doubles_nothing(house: House, screens: Any) -> None:
    agent = await house.hire("Mary")
    async with house.visitor() as guest, Line(house.santral.port).laid() as line:
        await guest.say(first := fresh("My parcel is wet"))
        chat = await house.chat_of(first)
        screen = await screens(agent, url=line.url)
        screen.expects(*BROKEN)
        await screen.open(chat)
        await screen.composer.press_sequentially("I am sorry, we ")

        await screen.kept(chat["id"], "I am sorry, we ")
        line.cut()
        await expect(screen.banner).to_be_visible()
        await expect(screen.banner).to_contain_text("The connection is lost")
        async with screen.page.expect_event("requestfailed", lambda one: one.url.endswith("/draft")):
            await screen.composer.press_sequentially("send another one.")
        said = [fresh("It is very wet"), fresh("And it smells"), fresh("Hello?")]
        for words in said:
            await guest.say(words)
        other = await house.mail(fresh("Meanwhile"))
        # What is typed meanwhile cannot be kept, and the banner has said so already.
        await expect(screen.notice).to_have_count(0)

        line.mend()
        await expect(screen.banner).to_have_count(0)
        await expect(screen.messages).to_contain_text([first, *said])
        await expect(screen.messages).to_have_count(4)
        await expect(screen.page.locator(".gap")).to_have_count(0)
        await expect(screen.row(other["id"])).to_have_count(1)
        await expect(screen.composer).to_have_value("I am sorry, we send another one.")
        await expect(screen.composer).to_be_focused()

        # What was typed while nobody answered is kept too, though no key was pressed since.
        await screen.kept(chat["id"], "I am sorry, we send another one.")
        await screen.composer.press("Control+Enter")
        await guest.hears("I am sorry, we send another one.")
        await expect(screen.messages).to_have_count(5)


async def test_a_line_that_has_died_without_a_word_is_noticed(house: House, screens: Any) -> None:
    agent = await house.hire("Nelly")
    async with Line(house.santral.port).laid() as line:
        screen = await screens(agent, url=line.url, clock=True)
        screen.expects(*BROKEN)
        line.stall()
        mail = await house.mail(fresh("Into the void"))
        # A minute later, and ten seconds in which nobody answers.
        await screen.page.clock.fast_forward(60_000)
        await screen.page.clock.fast_forward(10_000)
        await expect(screen.banner).to_be_visible()
        line.mend()
        await screen.page.clock.fast_forward(15_000)
        await expect(screen.banner).to_have_count(0)
        await expect(screen.row(mail["id"])).to_be_visible()


async def test_what_is_sent_while_nobody_answers_stays_and_leaves_once(house: House, screens: Any) -> None:
    agent = await house.hire("Joan")
    async with house.visitor() as guest, Line(house.santral.port).laid() as line:
        await guest.say(first := fresh("Anybody there?"))
        chat = await house.chat_of(first)
        screen = await screens(agent, url=line.url)
        screen.expects(*BROKEN)
        await screen.open(chat)
        await screen.composer.fill("Yes, always.")
        await expect(screen.send).to_be_enabled()  # how it leaves is known
        line.cut()
        await expect(screen.banner).to_be_visible()
        await screen.send.click()
        await expect(screen.notice.filter(has_text="cannot be reached").first).to_be_visible()
        await expect(screen.composer).to_have_value("Yes, always.")
        line.mend()
        await expect(screen.banner).to_have_count(0)
        await screen.send.click()
        await expect(screen.composer).to_have_value("")
        await guest.hears("Yes, always.")
        assert [one["text"] for one in await house.desk.messages(chat["id"])] == [first, "Yes, always."]


async def test_what_had_not_come_yet_of_a_conversation_comes_when_the_connection_is_back(
    house: House, screens: Any
) -> None:
    agent = await house.hire("Lena")
    async with house.visitor() as guest, Line(house.santral.port).laid() as line:
        await guest.say(first := fresh("Is it there?"))
        chat = await house.chat_of(first)
        screen = await screens(agent, url=line.url)
        screen.expects(*BROKEN)
        held = asyncio.Event()

        async def hold(route: Any) -> None:
            await held.wait()
            await route.abort()

        await screen.page.route("**/ways", hold, times=1)
        await screen.open(chat)
        line.cut()
        held.set()
        await expect(screen.banner).to_be_visible()
        line.mend()
        await expect(screen.banner).to_have_count(0)
        await screen.composer.fill("Now it is.")
        await screen.send.click()
        await guest.hears("Now it is.")


async def lost(route: Route) -> None:
    await route.abort()


async def refused(route: Route) -> None:
    """As Santral answers where its database does not, for a moment."""
    await route.fulfill(status=503, content_type="application/problem+json", body='{"type": "unavailable"}')


@pytest.mark.parametrize("failing", [lost, refused])
async def test_a_call_that_is_lost_by_itself_is_made_again(house: House, screens: Any, failing: Any) -> None:
    agent = await house.hire("Mina")
    async with house.visitor() as guest:
        await guest.say(first := fresh("Are you there?"))
        chat = await house.chat_of(first)
        screen = await screens(agent)
        screen.expects(*BROKEN)
        for path in (f"**/api/v1/conversations/{chat['id']}", "**/api/v1/customers/*"):
            await screen.page.route(path, failing, times=1)
        await screen.row(chat["id"]).click()
        await expect(screen.messages).to_contain_text(first)
        await expect(screen.page.locator(".customer h2")).to_be_visible()
        await expect(screen.banner).to_have_count(0)


async def test_a_session_that_ended_while_the_connection_was_cut_leads_to_the_sign_in(
    house: House, screens: Any
) -> None:
    agent = await house.hire("Rosa")
    async with Line(house.santral.port).laid() as line:
        screen = await screens(agent, url=line.url)
        screen.expects(*BROKEN)
        line.cut()
        await expect(screen.banner).to_be_visible()
        async with house.desk.http.delete(f"/api/v1/agents/{agent.id}/sessions") as answer:
            assert answer.status == 204
        line.mend()
        await expect(screen.page.locator(".sign-in")).to_be_visible()
        await expect(screen.banner).to_have_count(0)


async def test_the_page_comes_back_by_itself_when_santral_is_killed_and_started_again(
    santral: Any, screens: Any
) -> None:
    running = await santral()
    async with running.desk() as desk:
        body = {"email": "lone@example.com", "password": "correct horse battery", "role": "agent", "name": "Lone"}
        made = await desk.post("/api/v1/agents", body)
    screen = await screens(Agent(id=made["id"], name="Lone", email="lone@example.com"), url=running.url)
    screen.expects(*BROKEN)
    house = House(running, None, None, None)  # type: ignore[arg-type]
    async with running.desk() as house.desk:
        conversation = await house.mail("Before", "It works")
        await screen.open(conversation)
        await screen.composer.fill("Half a sen")
        await screen.kept(conversation["id"], "Half a sen")
    running.kill()
    await expect(screen.banner).to_be_visible()
    await screen.composer.press_sequentially("tence")
    await running.start()
    async with running.desk() as house.desk:
        await expect(screen.banner).to_have_count(0)
        later = await house.mail("After", "It works again")
        await expect(screen.row(later["id"])).to_contain_text("It works again")
        await expect(screen.composer).to_have_value("Half a sentence")
        await screen.kept(conversation["id"], "Half a sentence")
        await expect(screen.page.locator(".row")).to_have_count(2)
