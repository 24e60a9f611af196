"""Replies that wait: for their hour, for their recipient, to be called off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from outbox_office import Office
from postbox import said

from inbox.errors import NotFoundError, RefusedError


async def test_a_queued_reply_can_be_called_off(office: Office) -> None:
    conversation = await office.conversation()
    called_off, kept = await office.reply(conversation, "no"), await office.reply(conversation, "yes")
    cancelled = await office.replies.cancel(called_off)
    assert cancelled.delivery is not None
    assert cancelled.delivery.state == "cancelled"
    async with office.working():
        await office.until(kept, "sent")
    assert [one for one, _ in office.platform.taken] == [kept]


async def test_a_reply_on_its_way_can_not_be_called_off(office: Office) -> None:
    id_ = await office.reply(await office.conversation())
    office.platform.door.clear()
    async with office.working():
        await office.until(id_, "sending")
        with pytest.raises(RefusedError) as refused:
            await office.replies.cancel(id_)
        assert refused.value.code == "not-cancellable"
        office.platform.door.set()
        await office.until(id_, "sent")
    for wish in (office.replies.cancel, office.replies.retry):
        with pytest.raises(RefusedError):
            await wish(id_)
        with pytest.raises(NotFoundError):
            await wish("nothing")


async def test_a_scheduled_reply_waits_for_its_hour_and_holds_up_nobody(office: Office) -> None:
    conversation = await office.conversation()
    hour = datetime.now(UTC) + timedelta(hours=1)
    later, now = await office.reply(conversation, "later", send_at=hour), await office.reply(conversation, "now")
    scheduled = await office.delivery(later)
    assert scheduled.state == "scheduled"
    assert scheduled.next_attempt_at is not None
    async with office.working():
        await office.until(now, "sent")
        assert (await office.delivery(later)).state == "scheduled"
        await office.hurry(later)
        sent = await office.until(later, "sent")
    assert sent.next_attempt_at is None


async def test_a_scheduled_reply_can_be_called_off(office: Office) -> None:
    hour = datetime.now(UTC) + timedelta(hours=1)
    id_ = await office.reply(await office.conversation(), send_at=hour)
    await office.replies.cancel(id_)
    await office.hurry(id_)
    assert (await office.delivery(id_)).state == "cancelled"
    assert await office.items() == []


@pytest.mark.parametrize("state", ["scheduled", "queued", "claimed"])
async def test_what_the_platform_was_not_asked_for_is_held_when_the_customer_writes(office: Office, state: str) -> None:
    hour = datetime.now(UTC) + timedelta(hours=1)
    id_ = await office.reply(await office.conversation(), send_at=hour, unless_customer_writes=True)
    await office.documents["outbox"].update_one({"_id": id_}, {"$set": {"state": state, "owner": "dead"}})
    await office.receive(said(sender="ada", thread="t", id="second"))
    held = await office.delivery(id_)
    assert (held.state, held.error and held.error.code) == ("cancelled", "customer_wrote")
    async with office.working():
        await office.worker.recover([])
        await office.hurry(id_)
        later = await office.reply(await office.conversation())
        await office.until(later, "sent")
        assert (await office.delivery(id_)).state == "cancelled"
        await office.replies.retry(id_)
        await office.until(id_, "sent")


async def test_what_is_being_sent_is_not_held(office: Office) -> None:
    hour = datetime.now(UTC) + timedelta(hours=1)
    id_ = await office.reply(await office.conversation(), send_at=hour, unless_customer_writes=True)
    await office.documents["outbox"].update_one({"_id": id_}, {"$set": {"state": "sending", "owner": "other"}})
    await office.documents["messages"].update_one({"_id": id_}, {"$set": {"delivery.state": "sending"}})
    await office.receive(said(sender="ada", thread="t", id="second"))
    assert (await office.delivery(id_)).state == "sending"


async def test_an_hour_that_has_passed_is_now(office: Office) -> None:
    past = datetime.now(UTC) - timedelta(hours=1)
    id_ = await office.reply(await office.conversation(), send_at=past)
    assert (await office.delivery(id_)).state == "queued"


async def test_where_recipients_fetch_a_reply_waits_for_them(pulled: Office) -> None:
    id_ = await pulled.reply(await pulled.conversation(thread="ada"))
    assert (await pulled.delivery(id_)).state == "waiting"
    assert await pulled.items() == []
    await pulled.receive({"is": "report", "state": "delivered", "message_id": id_})
    assert (await pulled.delivery(id_)).state == "delivered"
    await pulled.receive({"is": "report", "state": "read", "message_id": id_})
    assert (await pulled.delivery(id_)).state == "read"
    assert pulled.platform.replies == []
    with pytest.raises(RefusedError):
        await pulled.replies.cancel(id_)


async def test_what_waits_for_its_recipient_can_be_called_off(pulled: Office) -> None:
    id_ = await pulled.reply(await pulled.conversation(thread="ada"))
    await pulled.replies.cancel(id_)
    await pulled.receive({"is": "report", "state": "delivered", "message_id": id_})
    assert (await pulled.delivery(id_)).state == "cancelled"


async def test_a_scheduled_reply_to_one_who_fetches_waits_once_its_hour_has_come(pulled: Office) -> None:
    hour = datetime.now(UTC) + timedelta(hours=1)
    id_ = await pulled.reply(await pulled.conversation(thread="ada"), send_at=hour)
    assert (await pulled.delivery(id_)).state == "scheduled"
    async with pulled.working():
        await pulled.hurry(id_)
        await pulled.until(id_, "waiting")
    assert await pulled.items() == []
