"""A visitor and the company talk: all that the widget shows of it, in every tab, and nothing that runs."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from harness import Santral, eventually
from playwright.async_api import expect
from widget_page import DOT, OLD, Widget, tab

from connectors.context import Standing
from normalizer.schema import Author, Part

SECRET = "s" * 32
ATTACK = "<img src=x onerror=\"window.ran='image'\"><script>window.ran='script'</script>"
LINKS = "javascript:window.ran='link' https://example.com/?q=<b>1</b> data:text/html,x"
TEXTS = {
    "ar": "مرحبا، أين طلبي رقم 4821؟",
    "he": "שלום, איפה ההזמנה שלי?",
    "fa": "سلام، سفارش من کجاست؟ می‌خواهم",
    "hi": "नमस्ते, मेरा ऑर्डर कहाँ है? क्ष्म",
    "th": "สวัสดีครับ สินค้าอยู่ที่ไหนน้ำ",
    "ja": "こんにちは、注文はどこですか。が",
    "zh": "你好，我的订单在哪里？𠮷",
    "ko": "안녕하세요, 주문은 어디에 있나요?",
    "ru": "Здравствуйте, где мой заказ? ё",
    "tr": "İıŞşĞğ: siparişim nerede? ÇÖÜ",
    "emoji": "👩🏽‍🚀👨‍👩‍👧‍👦🏴󠁧󠁢󠁷󠁬󠁳󠁿🇹🇷❤️‍🔥",
}


def visitor_of(chat: Any, index: int = 0) -> str:
    return str(chat.said()[index].envelope["visitor"])


async def talking(chat: Any, browser: Any, text: str = "Hello") -> Widget:
    widget = await tab(browser, str(chat.url("demo")))
    await widget.say(text)
    await widget.sent(text)
    return widget


async def test_two_visitors_and_an_agent_at_once_and_nothing_runs(santral: Any, browse: Any) -> None:
    running: Santral = await santral()
    demo = f"{running.url}/chat/site/demo"
    ada, eve = await asyncio.gather(
        tab(await browse(), demo), tab(await browse(viewport={"width": 390, "height": 844}, has_touch=True), demo)
    )
    await asyncio.gather(ada.say(f"I am Ada {ATTACK}"), eve.say(f"I am Eve {LINKS}"))
    await asyncio.gather(ada.sent("I am Ada"), eve.sent("I am Eve"))
    async with running.desk() as desk:

        async def both() -> dict[str, str] | None:
            found = {one["last_message"]["text"][:8]: one["id"] for one in await desk.conversations()}
            return found if len(found) == 2 else None

        chats = await eventually(both)
        assert chats is not None
        paths = {name: f"/api/v1/conversations/{id_}/messages" for name, id_ in chats.items()}
        await desk.post(paths["I am Ada"], {"text": f"Dear Ada {ATTACK} {LINKS}", "html": f"<p>Dear Ada {ATTACK}</p>"})
        await desk.post(paths["I am Eve"], {"text": "Dear Eve"})
        await expect(ada.said("Dear Ada <img src=x")).to_be_visible()
        await expect(eve.said("Dear Eve")).to_be_visible()
        await expect(ada.said("I am Eve")).to_have_count(0)
        await expect(eve.said("I am Ada")).to_have_count(0)
        for widget in (ada, eve):
            assert await widget.page.evaluate("window.ran") is None
            hrefs = await widget.panel.get_by_role("log").locator("a").evaluate_all("all => all.map((one) => one.href)")
            assert hrefs == ["https://example.com/?q="]
            assert await widget.panel.locator("img, script, iframe").count() == 0
            (rel,) = set(await widget.panel.locator("a").evaluate_all("all => all.map((one) => one.rel)"))
            assert rel == "noopener noreferrer"

        agent = await (await browse()).new_page()
        made = await desk.post(
            "/api/v1/agents",
            {"email": "x@example.com", "name": f"X {ATTACK}", "password": "correct horse battery", "role": "admin"},
        )
        async with desk.http.put(f"/api/v1/agents/{made['id']}/picture", data=DOT) as answer:
            assert answer.status == 200, await answer.text()
        signed = await agent.context.request.post(
            f"{running.url}/api/v1/session", data={"email": "x@example.com", "password": "correct horse battery"}
        )
        assert signed.status == 201
        await agent.goto(f"{running.url}/?c={chats['I am Ada']}")
        await expect(agent.locator(".message").first).to_contain_text("I am Ada <img src=x")
        await agent.locator(".composer textarea").fill("From the page")
        await agent.locator(".composer textarea").press("Control+Enter")
        await expect(ada.said("From the page")).to_contain_text("X <img src=x")
        await expect(ada.said("From the page")).to_have_count(1)
        face = ada.said("From the page").locator(".face img")
        assert await face.evaluate("one => one.decode().then(() => one.naturalWidth)") == 1
        assert await agent.evaluate("window.ran") is None
        assert await ada.page.evaluate("window.ran") is None


async def test_texts_of_all_scripts_arrive_unharmed_and_stand_in_their_direction(chat: Any, browser: Any) -> None:
    widget = await tab(browser, str(chat.url("demo")))
    for text in TEXTS.values():
        await widget.say(text)
        await widget.sent(text)
    assert [json.loads(one.body)["text"] for one in chat.said()] == list(TEXTS.values())
    directions = {}
    for name, text in TEXTS.items():
        await chat.context.reply(visitor_of(chat), f"{text} ✓")
        shown = widget.said(f"{text} ✓").locator(".text")
        await expect(shown).to_have_text(f"{text} ✓")
        directions[name] = await shown.evaluate("one => getComputedStyle(one).direction")
    assert {name for name, direction in directions.items() if direction == "rtl"} == {"ar", "he", "fa"}
    assert await widget.panel.get_by_role("log").evaluate("one => one.scrollWidth <= one.clientWidth")


async def test_choices_typing_read_marks_and_who_is_there(chat: Any, browser: Any) -> None:
    widget = await talking(chat, browser)
    visitor = visitor_of(chat)
    buttons = [{"label": "Evet", "value": "yes"}, {"label": "Hayır", "value": "no"}]
    await chat.context.reply(
        visitor, "Deliver today?", parts=(Part(type="buttons", text="Evet, Hayır", data={"buttons": buttons}),)
    )
    await widget.panel.get_by_role("button", name="Hayır").click()
    await expect(widget.said("Hayır").last).to_be_visible()
    await expect(widget.panel.get_by_role("button", name="Hayır")).to_have_count(0)

    chat.context.feed.typing(visitor, Author(type="agent", id="a", name="Ayşe"))
    await expect(widget.panel.get_by_text("Ayşe is typing…")).to_be_visible()
    await chat.context.reply(visitor, "On its way")
    await expect(widget.said("On its way")).to_be_visible()
    await expect(widget.panel.get_by_text("Ayşe is typing…")).to_have_count(0)

    mine = next(one for one in chat.context.feed.newest(visitor).values() if one.text == "Hello")
    waits = Standing(conversation_id="conversation-1", ahead=2, wait_seconds=240)
    chat.context.feed.stands(visitor, waits)
    await expect(widget.panel.get_by_text("You are number 3 in the queue. About 4 minutes.")).to_be_visible()
    taken = Standing(conversation_id="conversation-1", agent=Author(type="agent", id="a", name="Ayşe"), read=mine.id)
    chat.context.feed.stands(visitor, taken)
    await expect(widget.panel.get_by_text("You are talking to Ayşe")).to_be_visible()
    await expect(widget.panel.get_by_text("You are number")).to_have_count(0)
    await expect(widget.said("Hello")).to_contain_text("Seen")

    # Whoever typed is told, and what was on the screen counts as read.
    await widget.box.press_sequentially("ok")

    async def told() -> bool:
        read = [one for one in chat.context.received if b'"type":"read"' in one.body]
        return (visitor, "typing") in chat.context.feed.told and len(read) == 2

    await eventually(told)


async def test_resolved_asks_once_how_it_was_and_a_call_can_be_asked_for(serve: Any, browser: Any) -> None:
    async with serve(call_back=True) as chat:
        widget = await talking(chat, browser)
        chat.context.feed.stands(visitor_of(chat), Standing(conversation_id="conversation-1", resolved=True))
        await widget.panel.get_by_role("radio", name="4 out of 5").check()
        await widget.panel.get_by_label("Anything you want to add?").fill("Hızlı")
        await widget.panel.get_by_role("button", name="Send the rating").click()
        await expect(widget.said("You rated: 4 out of 5")).to_be_visible()
        await widget.page.reload()
        await widget.open()
        await expect(widget.said("You rated: 4 out of 5")).to_be_visible()
        await expect(widget.panel.get_by_role("radio")).to_have_count(0)

        await widget.panel.get_by_role("button", name="Ask for a call").click()
        await widget.panel.get_by_role("button", name="Call me").click()
        await expect(widget.panel.get_by_role("alert")).to_have_text("Please fill this in.")
        await widget.panel.get_by_label("Phone number").fill("+90 212 555 0101")
        await widget.panel.get_by_role("button", name="Call me").click()
        await expect(widget.said("You asked to be called: +90 212 555 0101")).to_be_visible()


async def test_the_form_before_the_first_message_goes_with_it(serve: Any, browser: Any) -> None:
    prechat = {
        "fields": ["name", {"name": "email", "required": True}, {"name": "order", "label": "Order number"}],
        "consent": "I have read the [privacy notice](https://example.com/privacy), not [this](javascript:alert(1))",
    }
    async with serve(prechat=prechat) as chat:
        widget = await Widget(await browser.new_page()).goto(str(chat.url("demo")))
        await widget.open()
        start = widget.panel.get_by_role("button", name="Start the chat")
        await widget.panel.get_by_label("Email").fill("ada@")
        await start.click()
        await expect(widget.panel.get_by_role("alert")).to_have_text(["Please check this.", "Please agree first."])
        await expect(widget.panel.get_by_label("Email")).to_be_focused()
        links = widget.panel.locator(".consent a")
        await expect(links).to_have_count(1)
        await expect(links).to_have_attribute("href", "https://example.com/privacy")
        await widget.panel.get_by_label("Email").fill("ada@example.com")
        await widget.panel.get_by_label("Order number").fill("4821")
        await widget.panel.get_by_role("checkbox").check()
        await start.click()
        await widget.say("first")
        await widget.sent("first")
        await widget.say("second")
        await widget.sent("second")
        first, second = (json.loads(one.body) for one in chat.said())
        assert first["details"]["fields"] == {"email": "ada@example.com", "order": "4821"}
        assert first["details"]["consent"] == prechat["consent"]
        assert first["page"] == str(chat.url("demo"))
        assert not second.get("details")


async def test_nobody_is_there_and_a_message_can_be_left(chat: Any, browser: Any) -> None:
    back = datetime.now(UTC) + timedelta(days=1)
    open_now = False

    async def settings(route: Any) -> None:
        answer = await route.fetch()
        hours = {"open": open_now, "changes_at": back.isoformat()}
        await route.fulfill(response=answer, json={**await answer.json(), "hours": hours})

    await browser.route("**/settings", settings)
    widget = await Widget(await browser.new_page()).goto(str(chat.url("demo")))
    await widget.open()
    await expect(widget.panel.get_by_text("We are away right now and back")).to_contain_text(back.strftime("%A"))
    await widget.panel.get_by_label("Name").fill("Ada")
    await widget.panel.get_by_label("Email").fill("ada@example.com")
    await widget.panel.get_by_label("Message").last.fill("Call me when you are back")
    await widget.panel.get_by_role("button", name="Send the message").click()
    await expect(widget.panel.get_by_text("Thank you! We have your message.")).to_be_visible()
    await widget.sent("Call me when you are back")
    details = json.loads(chat.said()[0].body)["details"]
    assert details["fields"] == {"name": "Ada", "email": "ada@example.com"}

    open_now = True
    await widget.page.reload()
    await widget.open()
    await expect(widget.box).to_be_visible()
    await expect(widget.said("Call me when you are back")).to_be_visible()


@pytest.mark.parametrize("engine", ["", OLD], ids=["new engine", "old engine"])
async def test_tabs_are_one_visitor_and_in_step(chat: Any, browser: Any, engine: str) -> None:
    await browser.add_init_script(engine)
    url = str(chat.url("demo"))
    first, second = Widget(await browser.new_page()), Widget(await browser.new_page())
    await asyncio.gather(first.goto(url), second.goto(url))
    # Both at once, and nobody was here before.
    await asyncio.gather(*(one.page.evaluate("Santral.open()") for one in (first, second)))
    await first.online()
    await second.online()
    await first.say("from the first")
    await expect(second.said("from the first")).to_be_visible()
    await second.say("from the second")
    await second.sent("from the second")
    await first.sent("from the second")
    assert len({visitor_of(chat, index) for index in range(2)}) == 1

    # Closed in both: unread in both, and read in both once one of them shows it.
    for one in (first, second):
        await one.page.evaluate("Santral.close()")
    await chat.context.reply(visitor_of(chat), "seen by one of them")
    for one in (first, second):
        await expect(one.launcher).to_have_accessible_name("Open the chat, 1 unread message")
        await expect(one.page).to_have_title("(1) Lumen, lamps for long evenings")
    await second.page.bring_to_front()
    await second.open()
    await expect(first.launcher).to_have_accessible_name("Open the chat")
    await expect(first.page).to_have_title("Lumen, lamps for long evenings")


async def test_unread_is_there_on_return_and_a_page_keeps_its_title(chat: Any, browser: Any) -> None:
    widget = await talking(chat, browser)
    await widget.page.goto("about:blank")
    await chat.context.reply(visitor_of(chat), "while you were away")
    await widget.goto(str(chat.url("demo")))
    await expect(widget.launcher).to_have_accessible_name("Open the chat, 1 unread message")
    await widget.page.evaluate("document.title = 'Basket (3)'")
    await widget.open()
    await expect(widget.said("while you were away")).to_be_visible()
    await expect(widget.page).to_have_title("Basket (3)")


async def test_after_a_logout_the_next_person_sees_nothing(chat: Any, browser: Any) -> None:
    first = await talking(chat, browser, "my secret")
    second = await tab(browser, str(chat.url("demo")))
    await expect(second.said("my secret")).to_be_visible()
    await second.box.fill("a draft")
    token = await first.page.evaluate(
        "JSON.parse(Object.entries(localStorage).find(([key]) => key.endsWith(':token'))[1])"
    )
    await first.page.evaluate("window.told = []; Santral.on('logout', () => told.push(1)); Santral.logout()")
    for one in (first, second):
        await expect(one.items).to_have_count(0)
        await one.online()
        await expect(one.box).to_have_value("")
    assert await first.page.evaluate("told.length") == 1
    await second.say("I am somebody else")
    await first.sent("I am somebody else")
    assert visitor_of(chat, 0) != visitor_of(chat, 1)
    kept = await first.page.evaluate("JSON.stringify(Object.entries(localStorage))")
    assert "secret" not in kept
    assert token not in kept

    async def worthless() -> bool:
        headers = {"Authorization": f"Bearer {token}"}
        async with chat.http.get(chat.url("poll"), params={"wait": "0"}, headers=headers) as answer:
            return bool(answer.status == 401)

    await eventually(worthless)


async def test_a_website_vouches_for_its_user(chat: Any, browser: Any) -> None:
    widget = await talking(chat, browser)
    claims = {"sub": "u-1", "email": "ada@example.com", "exp": datetime.now(UTC) + timedelta(minutes=5)}
    await widget.page.evaluate("window.told = 0; Santral.on('identified', () => { told += 1; }); 0")
    await widget.page.evaluate("token => Santral.identify(token)", jwt.encode(claims, SECRET, "HS256"))
    assert await widget.page.evaluate("told") == 1
    (identified,) = [one for one in chat.context.received if b'"type":"identified"' in one.body]
    assert identified.envelope["identity"]["email"] == "ada@example.com"
    kept = await widget.page.evaluate("JSON.stringify(Object.entries(localStorage))")
    assert jwt.encode(claims, SECRET, "HS256") not in kept
    wrong = await widget.page.evaluate(
        "token => Santral.identify(token).then(() => 'taken', (error) => error.message)",
        jwt.encode(claims, "x" * 32, "HS256"),
    )
    assert "not valid" in wrong


@pytest.mark.parametrize("tones", [2, 0], ids=["with sound", "muted"])
async def test_a_sound_only_for_whoever_was_here_and_wants_it(chat: Any, browser: Any, tones: int) -> None:
    await browser.add_init_script(
        "window.tones = 0; const start = OscillatorNode.prototype.start;"
        "OscillatorNode.prototype.start = function (...when) { window.tones += 1; return start.apply(this, when); };"
    )
    widget = await talking(chat, browser)
    if not tones:
        await widget.panel.get_by_role("button", name="Mute sounds").click()
    await widget.page.evaluate("Santral.close()")
    await chat.context.reply(visitor_of(chat), "ping")
    await expect(widget.launcher).to_have_accessible_name("Open the chat, 1 unread message")
    assert await widget.page.evaluate("tones") == tones
