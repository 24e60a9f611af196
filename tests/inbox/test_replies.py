"""What agents ask for: a reply, a note, a conversation that the company begins."""

from __future__ import annotations

import asyncio

import pytest
from outbox_office import ADA, BOB, Office
from postbox import CHANNEL, said

from connectors.errors import UnreachableError
from inbox.errors import NotFoundError, RefusedError
from inbox.model import Conversation
from inbox.replies import NewConversation, NewReply
from normalizer.outcomes import Person
from normalizer.schema import Message


async def test_the_same_client_id_is_the_same_reply(office: Office) -> None:
    conversation = await office.conversation()
    new = NewReply(text="answer", client_id="c1")
    first, *others = await asyncio.gather(*[office.replies.reply(ADA, conversation, new) for _ in range(8)])
    assert {one.id for one in others} == {first.id}
    assert (await office.replies.reply(BOB, conversation, new)).id != first.id
    assert await office.documents["messages"].count_documents({"direction": "outbound"}) == 2


async def test_a_note_goes_nowhere(office: Office) -> None:
    id_ = await office.reply(await office.conversation(), "between us", direction="note")
    assert (await office.message(id_)).delivery is None
    assert await office.items() == []


async def test_what_can_never_leave_is_refused_at_once(office: Office) -> None:
    conversation = await office.conversation()
    with pytest.raises(RefusedError) as too_long:
        await office.reply(conversation, "x" * 100_001)
    assert too_long.value.code == "too-long"
    with pytest.raises(RefusedError) as gone:
        await office.reply(conversation, channel="another")
    assert gone.value.code in ("channel-gone", "no-identity")
    with pytest.raises(NotFoundError):
        await office.reply("nothing")
    assert await office.documents["messages"].count_documents({"direction": "outbound"}) == 0


async def test_a_reply_to_a_joined_conversation_is_told_where_its_messages_are(office: Office) -> None:
    home, emptied = await office.conversation(thread="m1"), await office.conversation(thread="m2")
    await office.receive(said("one story", id="m3", refers=["m1", "m2"]))
    with pytest.raises(RefusedError) as refused:
        await office.reply(emptied)
    assert (refused.value.code, refused.value.members) == ("merged", {"merged_into": home})
    message = await office.message(await office.reply(home))
    assert message.conversation_id == home


async def test_queued_replies_move_with_their_conversation(office: Office) -> None:
    home, emptied = await office.conversation(thread="m1"), await office.conversation(thread="m2")
    first, second = await office.reply(home, "first"), await office.reply(emptied, "second")
    await office.receive(said("one story", id="m3", refers=["m1", "m2"]))
    async with office.working():
        await office.until(first, "sent")
        await office.until(second, "sent")
    assert [one for one, _ in office.platform.taken] == [first, second]
    assert (await office.message(second)).conversation_id == home


async def begun(office: Office, value: str = "bob") -> tuple[Conversation, Message]:
    person = Person(kind="post", value=value, name="Bob")
    return await office.replies.begin(
        ADA, NewConversation(channel=CHANNEL, identity=person, reply=NewReply(text="hello", subject="News"))
    )


async def test_a_conversation_that_the_company_begins(office: Office) -> None:
    conversation, message = await begun(office)
    assert (conversation.subject, conversation.last_seq, message.seq) == ("News", 1, 1)
    async with office.working():
        await office.until(message.id, "sent")
    await office.receive(said("thank you", sender="bob", id="b1", refers=[f"{message.id}/0"]))
    assert await office.documents["messages"].count_documents({"conversation_id": conversation.id}) == 2


async def test_who_cannot_be_reached_is_not_let_in_by_what_the_company_begins(office: Office) -> None:
    office.platform.trouble = [UnreachableError("bob has moved")]
    _, message = await begun(office)
    async with office.working():
        await office.until(message.id, "failed")
    with pytest.raises(RefusedError, match="bob has moved"):
        await begun(office)
    await office.receive(said("here I am", sender="bob", id="b1"))
    _, message = await begun(office)
    async with office.working():
        await office.until(message.id, "sent")


async def test_where_the_customer_is_the_thread_the_answer_finds_what_the_company_began(pulled: Office) -> None:
    conversation, _ = await begun(pulled)
    await pulled.receive(said("thank you", sender="bob", thread="bob"))
    assert await pulled.documents["messages"].count_documents({"conversation_id": conversation.id}) == 2
    again, _ = await begun(pulled)
    await pulled.receive(said("thanks again", sender="bob", thread="bob"))
    assert await pulled.documents["messages"].count_documents({"conversation_id": again.id}) == 2
