"""A reply is thought better of, put off, sent again; a note is nobody's but the staff's; drafts follow their writer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from harness import eventually
from page_house import House, fresh
from playwright.async_api import WebSocketRoute, expect


async def test_undone_a_reply_does_not_leave_and_its_text_is_back(house: House, screens: Any) -> None:
    async with house.visitor() as guest:
        await guest.say(words := fresh("Is it open?"))
        chat = await house.chat_of(words)
        screen = await screens(await house.hire("Ruth"))
        await screen.open(chat)
        await screen.composer.fill("No, never. Go away.")
        await screen.page.set_input_files(
            ".composer input[type=file]", [{"name": "a.txt", "mimeType": "text/plain", "buffer": b"a"}]
        )
        await expect(screen.page.locator(".composer .file")).to_contain_text("a.txt")
        async with screen.notices_stay(), screen.nothing_leaves():
            await screen.send.click()
            await expect(screen.composer).to_have_value("")
            await screen.composer_is_free()
            await screen.notice.get_by_role("button", name="Undo").click()
            await expect(screen.composer).to_have_value("No, never. Go away.")
            await expect(screen.page.locator(".composer .file")).to_contain_text("a.txt")
            await expect(screen.messages.last.locator(".delivery")).to_contain_text("Called off")
        (_, reply) = await house.desk.messages(chat["id"])
        assert reply["delivery"]["state"] == "cancelled"

        await screen.composer.fill("Yes, until six.")
        await screen.send.click()
        await guest.hears("Yes, until six.")
        assert guest.heard("No, never. Go away.") == 0
    await expect(screen.notice).to_have_count(0)


async def test_what_is_written_after_sending_is_not_lost_by_an_undo(house: House, screens: Any) -> None:
    conversation = await house.mail(fresh("Two thoughts"))
    screen = await screens(await house.hire("Olga"))
    await screen.open(conversation)
    async with screen.notices_stay(), screen.nothing_leaves():
        await screen.composer.fill("First thought.")
        await screen.composer.press("Control+Enter")
        await expect(screen.composer).to_have_value("")
        await screen.composer.press_sequentially("Second thought.")
        await screen.notice.get_by_role("button", name="Undo").click()
        await expect(screen.messages.last.locator(".delivery")).to_contain_text("Called off")
        await expect(screen.composer).to_have_value("First thought.\n\nSecond thought.")


async def test_where_somebody_went_while_a_reply_is_on_its_way_they_stay(house: House, screens: Any) -> None:
    conversation = await house.mail(fresh("A slow line"))
    screen = await screens(await house.hire("Wilma"))
    await screen.open(conversation)
    go_on = await screen.hold(f"**/api/v1/conversations/{conversation['id']}/messages", answers=True)
    await screen.composer.fill("On its way.")
    await screen.composer.press("Control+Enter")
    await expect(screen.messages.last).to_contain_text("On its way.")  # the stream was quicker than the answer
    await screen.composer.press("Escape")
    go_on.set()
    await expect(screen.composer).to_have_value("")
    await screen.page.keyboard.press("?")
    await expect(screen.page.get_by_role("dialog")).to_contain_text("Everything works without a mouse.")
    await expect(screen.composer).to_have_value("")


async def test_who_answers_and_resolves_before_the_stream_has_told_of_it_meets_nobody(
    house: House, screens: Any
) -> None:
    conversation = await house.mail(fresh("A slow stream"))
    screen = await screens(await house.hire("Xenia"))

    async def deaf(stream: WebSocketRoute) -> None:
        server = stream.connect_to_server()
        server.on_message(lambda frame: stream.send(frame) if '"hello"' in frame else None)

    await screen.page.route_web_socket("**/api/v1/stream?**", deaf)
    await screen.page.reload()
    await screen.is_live()
    await screen.open(conversation)
    await screen.composer.fill("That was all.")
    await screen.composer.press("Control+Enter")
    await expect(screen.messages.last).to_contain_text("That was all.")
    await screen.composer.press("Escape")
    await screen.page.keyboard.press("e")
    await expect(screen.page.locator(".conversation .chip.is-resolved")).to_be_visible()
    found = await house.desk.get(f"/api/v1/conversations/{conversation['id']}")
    assert found["status"] == "resolved"


async def test_what_is_typed_while_a_reply_is_on_its_way_is_not_lost(house: House, screens: Any) -> None:
    conversation = await house.mail(fresh("A slow line again"))
    screen = await screens(await house.hire("Zita"))
    await screen.open(conversation)
    go_on = await screen.hold(f"**/api/v1/conversations/{conversation['id']}/messages")
    await screen.composer.fill("First thought.")
    await screen.composer.press("Control+Enter")
    await screen.composer.press_sequentially(" Second thought.")
    await screen.page.set_input_files(
        ".composer input[type=file]", [{"name": "b.txt", "mimeType": "text/plain", "buffer": b"b"}]
    )
    await expect(screen.page.locator(".composer .file")).to_contain_text("b.txt")
    go_on.set()
    await expect(screen.composer).to_have_value("Second thought.")
    await expect(screen.page.locator(".composer .file")).to_contain_text("b.txt")
    await expect(screen.messages.last).to_contain_text("First thought.")
    await screen.kept(conversation["id"], "Second thought.")
    _, reply = await house.desk.messages(conversation["id"])
    assert (reply["text"], reply["attachments"]) == ("First thought.", [])


async def test_who_leaves_a_change_that_is_being_saved_stays_where_they_went(house: House, screens: Any) -> None:
    conversation = await house.mail(fresh("Changed slowly"))
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    path = f"/api/v1/conversations/{conversation['id']}/messages"
    reply = await house.desk.post(path, {"text": "At eight.", "send_at": later})
    screen = await screens(await house.hire("Paula"))
    await screen.open(conversation)
    go_on = await screen.hold(f"**/api/v1/messages/{reply['id']}")
    await screen.messages.last.get_by_role("button", name="Message menu").click()
    await screen.page.get_by_role("menuitem", name="Change").click()
    await screen.page.get_by_label("The reply’s new text").fill("At ten.")
    await screen.page.keyboard.press("Control+Enter")
    await screen.composer.click()
    await screen.page.keyboard.type("And on")
    go_on.set()
    await expect(screen.messages.last.locator(".text").first).to_have_text("At ten.")
    await screen.page.keyboard.type(" Sundays?")
    await expect(screen.composer).to_have_value("And on Sundays?")


async def test_a_note_is_sent_to_nobody(house: House, screens: Any) -> None:
    async with house.visitor() as guest:
        await guest.say(words := fresh("Any news?"))
        chat = await house.chat_of(words)
        screen = await screens(await house.hire("Anna"))
        await screen.open(chat)
        await screen.page.keyboard.press("n")
        await expect(screen.page.locator(".composer .way")).to_have_text("Only colleagues see this")
        await screen.composer.fill("He asks every day. @An")
        await expect(screen.page.get_by_role("button", name="@Anna")).to_be_visible()
        await screen.page.get_by_role("button", name="@Anna").first.click()
        await screen.page.get_by_role("button", name="Add note").click()
        await expect(screen.page.locator(".message.is-note")).to_contain_text("He asks every day. @Anna")
        await expect(screen.page.locator(".message.is-note .delivery")).to_have_count(0)
        # A reply that is written afterwards comes alone.
        await screen.page.keyboard.press("Escape")
        await screen.page.keyboard.press("r")
        await screen.composer.fill("Tomorrow.")
        await screen.send.click()
        await guest.hears("Tomorrow.")
        assert [one for one in guest.frames if "every day" in str(one)] == []


async def test_a_reply_that_is_put_off_waits_and_can_be_called_off(house: House, screens: Any) -> None:
    conversation = await house.mail(fresh("Next week?"))
    screen = await screens(await house.hire("Nora"))
    await screen.open(conversation)
    at = (datetime.now() + timedelta(days=2)).replace(hour=9, minute=30)  # noqa: DTZ005 (as a person types it)
    await screen.composer.fill("Good morning.")
    await screen.page.get_by_label("Send at").fill(at.strftime("%Y-%m-%dT%H:%M"))
    await screen.send.click()
    await expect(screen.messages.last.locator(".delivery")).to_contain_text("Leaves")
    await expect(screen.messages.last.locator(".delivery")).to_contain_text("at 09:30")
    await expect(screen.page.get_by_label("Send at")).to_have_value("")
    await screen.messages.last.get_by_role("button", name="Call off").click()
    await expect(screen.messages.last.locator(".delivery")).to_contain_text("Called off")
    assert not house.post.has("Good morning.")


async def test_a_reply_that_is_put_off_is_held_when_the_customer_writes_first(house: House, screens: Any) -> None:
    subject = fresh("Any minute now")
    conversation, other = await house.mail(subject), await house.mail(fresh("Something else"))
    screen = await screens(await house.hire("Mina"))
    await screen.open(conversation)
    await screen.composer.fill(words := fresh("Still nothing new."))
    await expect(screen.page.get_by_label("Hold it")).to_have_count(0)
    await screen.page.get_by_label("Send at").fill("2099-01-01T09:30")
    await expect(screen.page.get_by_label("Hold it if the customer writes first")).to_be_checked()
    await screen.send.click()
    await expect(screen.messages.last.locator(".delivery")).to_contain_text("unless the customer writes first")
    await screen.open(other)

    await house.mail(subject, "It has come!")

    # Its writer is told wherever they are.
    await expect(screen.notice).to_contain_text("the customer wrote first")
    await expect(screen.notice).to_contain_text(words)
    await screen.notice.get_by_role("button", name="Look").click()
    held = screen.messages.filter(has_text=words)
    await expect(held.locator("strong")).to_have_text("You")
    await expect(held.locator(".delivery")).to_contain_text("Held: the customer wrote first")
    await expect(held.get_by_role("button", name="Discard")).to_be_visible()
    await held.get_by_role("button", name="Send now").click()
    await house.post.took(words)
    await expect(held.locator(".delivery")).to_have_text("Sent")


async def test_a_failed_reply_says_why_and_goes_out_again(house: House, screens: Any) -> None:
    sender = "full@example.org"
    conversation = await house.mail(fresh("Write to me"), sender=sender)
    screen = await screens(await house.hire("Irma"))
    house.post.refused.add(sender)
    await screen.open(conversation)
    await screen.composer.fill(words := fresh("Here I write."))
    await screen.send.click()
    delivery = screen.messages.last.locator(".delivery")
    await expect(delivery).to_contain_text("Not sent")
    await expect(delivery).to_contain_text("there is no such mailbox here")
    house.post.refused.clear()
    await delivery.get_by_role("button", name="Send again").click()
    await house.post.took(words)
    await expect(delivery).to_have_text("Sent")


async def test_a_draft_is_there_in_another_browser_and_each_conversation_has_its_own(
    house: House, screens: Any
) -> None:
    first, second = await house.mail(fresh("One")), await house.mail(fresh("Two"))
    agent = await house.hire("Dora")
    here = await screens(agent)
    await here.open(first)
    await here.page.keyboard.press("n")
    await here.composer.fill("Begun in the office")
    await here.open(second)
    await expect(here.composer).to_have_value("")
    await here.composer.fill("This is another one")
    await here.open(first)
    await expect(here.composer).to_have_value("Begun in the office")
    await here.open(second)
    await expect(here.composer).to_have_value("This is another one")
    await here.kept(second["id"], "This is another one")

    there = await screens(agent)
    await there.open(first)
    await expect(there.composer).to_have_value("Begun in the office")
    await expect(there.page.get_by_role("radio", name="Note")).to_be_checked()
    await there.page.reload()
    await expect(there.composer).to_have_value("Begun in the office")
    # Sent, it is no draft any more: nowhere.
    await there.send.click()
    await expect(there.composer).to_have_value("")

    async def gone() -> bool:
        answer = await there.context.request.get(f"{house.url}/api/v1/drafts")
        return [one["text"] for one in (await answer.json())["items"]] == ["This is another one"]

    await eventually(gone)
    colleague = await screens(await house.hire("Edith"))
    await colleague.open(second)
    await expect(colleague.composer).to_have_value("")


async def test_who_comes_back_before_a_draft_is_kept_finds_it(house: House, screens: Any) -> None:
    first, second = await house.mail(fresh("There")), await house.mail(fresh("And back"))
    screen = await screens(await house.hire("Nina"))
    await screen.open(first)
    await screen.composer.fill("Half a th")
    await screen.kept(first["id"], "Half a th")
    go_on = await screen.hold(f"**/api/v1/conversations/{first['id']}/draft")
    await screen.composer.fill("Half a thought")
    async with screen.page.expect_request(f"**/api/v1/conversations/{first['id']}/draft"):
        await screen.open(second)
    await screen.open(first)
    await screen.composer.press_sequentially("And on.")
    go_on.set()
    await expect(screen.composer).to_have_value("Half a thought\n\nAnd on.")


async def test_the_files_of_a_draft_are_there_when_it_comes_back(house: House, screens: Any) -> None:
    conversation = await house.mail(fresh("With a file"))
    agent = await house.hire("Karin")
    screen = await screens(agent)
    await screen.open(conversation)
    await screen.page.set_input_files(
        ".composer input[type=file]", [{"name": "offer.txt", "mimeType": "text/plain", "buffer": b"10"}]
    )
    await expect(screen.page.locator(".composer .file")).to_contain_text("offer.txt")
    await screen.composer.fill("See the offer.")
    await screen.kept(conversation["id"], "See the offer.")
    again = await screens(agent)
    await again.open(conversation)
    await expect(again.composer).to_have_value("See the offer.")
    await again.composer.fill("See the offer, please.")
    await again.kept(conversation["id"], "See the offer, please.")
    answer = await again.context.request.get(f"{house.url}/api/v1/conversations/{conversation['id']}/draft")
    assert len((await answer.json())["attachments"]) == 1


async def test_what_is_typed_before_a_draft_has_come_is_put_below_it(house: House, screens: Any) -> None:
    subject = fresh("Slow line")
    conversation, other = await house.mail(subject), await house.mail(fresh("Fast line"))
    agent = await house.hire("Vera")
    screen = await screens(agent)
    await screen.open(conversation)
    await screen.page.set_input_files(
        ".composer input[type=file]", [{"name": "offer.txt", "mimeType": "text/plain", "buffer": b"x" * 2048}]
    )
    await screen.composer.fill("Kept before.")
    await screen.kept(conversation["id"], "Kept before.")

    again = await screens(agent)
    go_on = await again.hold("**/api/v1/drafts?**")
    await again.open(conversation)
    await again.composer.press_sequentially("Typed since")
    go_on.set()
    await expect(again.composer).to_have_value("Kept before.\n\nTyped since")
    await expect(again.page.locator(".composer .file")).to_contain_text("offer.txt 2 KB")
    await again.composer.press_sequentially(", and on.")
    await again.kept(conversation["id"], "Kept before.\n\nTyped since, and on.")

    # Nor is it lost where one goes elsewhere before it has come.
    go_on.clear()
    await again.open(other)
    await again.composer.press_sequentially("Only this.")
    await again.open(conversation)
    await expect(again.composer).to_have_value("")
    await again.composer.press_sequentially("Bye.")
    await again.open(other)
    go_on.set()
    await again.kept(conversation["id"], "Kept before.\n\nTyped since, and on.\n\nBye.")
    await again.kept(other["id"], "Only this.")


async def test_what_was_typed_last_is_kept_though_the_page_is_closed_at_once(house: House, screens: Any) -> None:
    conversation = await house.mail(fresh("In a hurry"))
    agent = await house.hire("Selma")
    screen = await screens(agent)
    await screen.open(conversation)
    await screen.composer.fill("Off to")
    await screen.kept(conversation["id"], "Off to")  # so that the draft of before is here, behind which it is put
    await screen.composer.fill("Off to the train")
    await screen.page.goto("about:blank")
    await screen.kept(conversation["id"], "Off to the train")
