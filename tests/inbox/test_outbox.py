"""The way out: a reply, what goes with it, and the lanes in which replies leave."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

from outbox_office import ADA, Office
from postbox import said

from connectors.base import Receipt, Reply
from connectors.errors import PermanentError, TemporaryError
from inbox.replies import NewReply
from inbox.staff import Agent
from normalizer.schema import Recipient


async def test_a_reply_leaves_and_nothing_of_it_stays_in_the_outbox(office: Office) -> None:
    id_ = await office.reply(await office.conversation())
    assert (await office.delivery(id_)).state == "queued"
    async with office.working():
        sent = await office.until(id_, "sent")
    assert office.platform.taken == [(id_, 0)]
    assert (sent.attempts, sent.error) == (1, None)
    assert sent.sent_at is not None
    assert sent.recipients == (Recipient(address="ada", state="sent"),)
    assert await office.items() == []
    message = await office.message(id_)
    assert message.external.id == f"{id_}/0"
    (reply,) = office.platform.replies
    assert (reply.person.kind, reply.person.value, reply.thread_key) == ("post", "ada", "t")
    assert reply.references == ("t-first",)


async def test_the_platform_gets_what_the_agent_writes_under_replies(office: Office) -> None:
    made = {"email": "ada@example.com", "name": "Ada", "role": "agent", "created_at": datetime.now(UTC)}
    await office.store.staff.add_agent(Agent(id=ADA.id, signature="Ada, Acme", **made), "no password")
    conversation_id = await office.conversation()
    async with office.working():
        await office.until(await office.reply(conversation_id), "sent")
    (reply,) = office.platform.replies
    assert reply.signature == "Ada, Acme"


async def test_the_platform_gets_what_is_answered_and_nothing_that_others_wrote(office: Office) -> None:
    conversation = await office.conversation()
    first = await office.reply(conversation)
    await office.receive(said("a stranger", sender="eve", id="eve", thread="t"))
    second = await office.reply(conversation)
    await office.receive(said("more", id="more", thread="t"))
    note = (await office.replies.reply(ADA, conversation, NewReply(text="secret", direction="note"))).id
    later = [await office.reply(conversation, reply_to=named) for named in (None, first, note)]
    async with office.working():
        for id_ in (first, second, *later):
            await office.until(id_, "sent")
    answered = {reply.message.id: reply.answered and reply.answered.text for reply in office.platform.replies}
    asked = answered[first]
    assert asked
    assert [answered[id_] for id_ in (second, *later)] == [asked, "more", "answer", None]


async def test_what_answers_a_reply_finds_its_conversation(office: Office) -> None:
    conversation = await office.conversation()
    id_ = await office.reply(conversation)
    async with office.working():
        await office.until(id_, "sent")
    await office.receive(said("and again", id="new", refers=[f"{id_}/0"]))
    assert await office.documents["messages"].count_documents({"conversation_id": conversation}) == 3


async def test_replies_of_one_lane_leave_in_order_though_the_first_takes_long(office: Office) -> None:
    conversation = await office.conversation()
    office.platform.door.clear()
    ids = [await office.reply(conversation, f"r{n}") for n in range(4)]
    async with office.working():
        await office.until(ids[0], "sending")
        assert [(await office.delivery(one)).state for one in ids[1:]] == ["queued"] * 3
        office.platform.door.set()
        await office.until(ids[-1], "sent")
    assert [one for one, _ in office.platform.taken] == ids


async def test_lanes_do_not_wait_for_each_other(office: Office) -> None:
    slow = await office.reply(await office.conversation(thread="slow"))
    office.platform.trouble = [TemporaryError("busy", retry_after=3600)]
    async with office.working():
        await office.until_error(slow)
        quick = await office.reply(await office.conversation(thread="quick"))
        await office.until(quick, "sent")
    assert (await office.delivery(slow)).state == "queued"


async def test_each_recipient_has_a_state_of_its_own(office: Office) -> None:
    refused = Recipient(address="bob", state="failed", code="550", text="no such user")

    async def send(reply: Reply, done: Sequence[Receipt]) -> AsyncIterator[Receipt]:
        yield Receipt(external_id="x", piece="ada", recipient=Recipient(address="ada", state="sent"))
        raise PermanentError("not everybody can have it", recipients=(refused,))

    office.postbox.send = send  # type: ignore[method-assign]
    id_ = await office.reply(await office.conversation(), to=("ada",), cc=("bob",), bcc=("eve",))
    async with office.working():
        failed = await office.until(id_, "failed")
    states = {one.address: one.state for one in failed.recipients}
    assert states == {"ada": "sent", "bob": "failed", "eve": "queued"}
    (item,) = await office.items()
    assert (item["to"], item["cc"], item["bcc"]) == (["ada"], ["bob"], ["eve"])
