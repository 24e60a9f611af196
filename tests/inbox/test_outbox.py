"""The way out: every state of a reply, and every way from one to the next."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import postbox
import pytest
from harness import PATIENCE, eventually
from msgspec.structs import replace
from postbox import CHANNEL, Platform, Postbox, PulledPostbox, SurePostbox, raw, said
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from rig.replica_set import ReplicaSet

from connectors.base import Rate, Receipt, Reply
from connectors.errors import PermanentError, TemporaryError, UncertainError, UnreachableError
from connectors.tasks import end
from inbox import delivery
from inbox.addressing import Addressing
from inbox.attachments import Attachments
from inbox.errors import NotFoundError, RefusedError
from inbox.model import Conversation
from inbox.outbox import OF_ONE_CHANNEL, OutboxWorker
from inbox.replies import NewConversation, NewReply, Replies
from inbox.staff import Agent, Principal
from inbox.store import Store, StoreUnavailableError
from normalizer.outcomes import Person
from normalizer.schema import Delivery, Message, Recipient

ADA = Principal(id="agent-ada", name="Ada", role="agent")
BOB = Principal(id="agent-bob", name="Bob", role="agent")

Documents = AsyncDatabase[dict[str, Any]]


class Office:
    """An inbox with one channel, whose platform stands beside it."""

    def __init__(self, store: Store, documents: Documents, kind: type[Postbox] = Postbox) -> None:
        self.store = store
        self.documents = documents
        self.platform = Platform()
        self.postbox = kind(self.platform)
        self.worker = self.another_worker("me")
        addressing = Addressing({CHANNEL: self.postbox})
        self.replies = Replies(store, addressing, Attachments(store), self.worker)
        self._letters = 0

    def another_worker(self, owner: str, **connectors: Postbox) -> OutboxWorker:
        known = connectors or {CHANNEL: self.postbox}
        return OutboxWorker(self.store, owner, known, Attachments(self.store), postbox.metrics())

    @contextlib.asynccontextmanager
    async def working(self, worker: OutboxWorker | None = None) -> AsyncIterator[None]:
        async with postbox.working(worker or self.worker):
            yield

    async def receive(self, *items: dict[str, Any]) -> None:
        """Applies an event."""
        self._letters += 1
        ingest = postbox.ingest(self.store)
        task = asyncio.create_task(ingest.run())
        await ingest.receive(CHANNEL, raw(f"k{self._letters}", *items))

        async def done() -> bool:
            return not await self.documents["journal"].count_documents({"state": "new"})

        await eventually(done)
        await end(task)

    async def conversation(self, sender: str = "ada", thread: str = "t") -> str:
        """A conversation in which the customer waits for an answer."""
        await self.receive(said(sender=sender, thread=thread, id=f"{thread}-first"))
        key = await self.documents["thread_keys"].find_one({"_id": f"{CHANNEL}|{thread}"})
        assert key is not None
        return str(key["conversation_id"])

    async def reply(self, conversation_id: str, text: str = "answer", **fields: Any) -> str:
        return (await self.replies.reply(ADA, conversation_id, NewReply(text=text, **fields))).id

    async def message(self, id_: str) -> Message:
        message = await self.store.queries.message(id_)
        assert message is not None
        return message

    async def delivery(self, id_: str) -> Delivery:
        found = (await self.message(id_)).delivery
        assert found is not None
        return found

    async def until(self, id_: str, *states: str) -> Delivery:
        async def there() -> Delivery | None:
            found = await self.delivery(id_)
            return found if found.state in states else None

        found = await eventually(there)
        assert found is not None
        return found

    async def until_error(self, id_: str) -> Delivery:
        async def there() -> Delivery | None:
            found = await self.delivery(id_)
            return found if found.error and found.state == "queued" else None

        found = await eventually(there)
        assert found is not None
        return found

    async def hurry(self, id_: str) -> None:
        """Lets the time pass that a reply waits for."""
        await self.documents["outbox"].update_one({"_id": id_}, {"$set": {"due_at": datetime.now(UTC)}})
        self.worker.wake()

    async def items(self) -> list[dict[str, Any]]:
        return [one async for one in self.documents["outbox"].find()]


@pytest.fixture(autouse=True)
def nothing_goes_out_again_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed waits until the test has looked at it, however slow the machine is, and then hurries it."""
    monkeypatch.setattr(delivery, "FIRST_PAUSE", timedelta(hours=1))


@pytest.fixture
def office(store: Store, documents: Documents) -> Office:
    return Office(store, documents)


@pytest.fixture
def sure(store: Store, documents: Documents) -> Office:
    return Office(store, documents, SurePostbox)


@pytest.fixture
def pulled(store: Store, documents: Documents) -> Office:
    return Office(store, documents, PulledPostbox)


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


async def test_a_temporary_error_waits_as_long_as_the_platform_asks_and_holds_its_lane(office: Office) -> None:
    conversation = await office.conversation()
    first, second = await office.reply(conversation, "one"), await office.reply(conversation, "two")
    office.platform.trouble = [TemporaryError("slow down", retry_after=600, code="429")]
    async with office.working():
        waiting = await office.until_error(first)
        assert waiting.next_attempt_at is not None
        assert timedelta(seconds=600 - PATIENCE) < waiting.next_attempt_at - datetime.now(UTC) <= timedelta(seconds=600)
        assert waiting.error is not None
        assert (waiting.error.code, waiting.error.text, waiting.error.temporary) == ("429", "slow down", True)
        assert (await office.delivery(second)).state == "queued"
        await office.hurry(first)
        sent = await office.until(second, "sent")
    assert sent.attempts == 1
    assert (await office.delivery(first)).attempts == 2
    assert (await office.delivery(first)).error is None
    assert [one for one, _ in office.platform.taken] == [first, second]


async def test_pieces_go_on_after_the_last_receipt(office: Office) -> None:
    office.platform.pieces = 3
    id_ = await office.reply(await office.conversation())
    taken: list[BaseException] = []
    office.platform.trouble = taken
    original = office.platform.take

    async def take(reply: Reply, number: int) -> str:
        if number == 2 and not taken and len(office.platform.replies) == 1:
            raise TemporaryError("the line broke")
        return await original(reply, number)

    office.platform.take = take  # type: ignore[method-assign]
    async with office.working():
        await office.until_error(id_)
        await office.hurry(id_)
        await office.until(id_, "sent")
    assert office.platform.taken == [(id_, 0), (id_, 1), (id_, 2)]
    assert (await office.message(id_)).external.ids == (f"{id_}/0", f"{id_}/1", f"{id_}/2")


async def test_a_permanent_error_fails_readably_and_holds_up_nobody(office: Office) -> None:
    conversation = await office.conversation()
    office.platform.trouble = [PermanentError("this person has blocked us \ud800", code="blocked")]
    bad, good = await office.reply(conversation, "bad"), await office.reply(conversation, "good")
    async with office.working():
        failed = await office.until(bad, "failed")
        await office.until(good, "sent")
    assert failed.error is not None
    assert (failed.error.code, failed.error.text, failed.error.temporary) == (
        "blocked",
        "this person has blocked us �",
        False,
    )
    assert failed.next_attempt_at is None


async def test_a_failed_reply_goes_out_again_when_an_agent_says_so(office: Office) -> None:
    office.platform.trouble = [PermanentError("no")]
    id_ = await office.reply(await office.conversation())
    async with office.working():
        await office.until(id_, "failed")
        again = await office.replies.retry(id_)
        assert again.delivery is not None
        assert (again.delivery.state, again.delivery.error) == ("queued", None)
        await office.until(id_, "sent")
    with pytest.raises(RefusedError) as refused:
        await office.replies.retry(id_)
    assert refused.value.code == "not-retryable"


async def test_where_nobody_knows_it_is_unknown_and_may_be_tried_again(office: Office) -> None:
    conversation = await office.conversation()
    office.platform.trouble = [UncertainError("the line broke after the last byte")]
    id_, next_ = await office.reply(conversation), await office.reply(conversation, "next")
    async with office.working():
        unknown = await office.until(id_, "unknown")
        await office.until(next_, "sent")
        assert unknown.error is not None
        assert unknown.error.text == "the line broke after the last byte"
        await office.replies.retry(id_)
        await office.until(id_, "sent")


async def test_where_twice_shows_once_nobody_has_to_know(sure: Office) -> None:
    sure.platform.trouble = [UncertainError("the line broke")]
    id_ = await sure.reply(await sure.conversation())
    async with sure.working():
        await sure.until_error(id_)
        await sure.hurry(id_)
        await sure.until(id_, "sent")


async def test_what_the_connector_did_not_foresee_is_tried_again_up_to_a_cap(office: Office) -> None:
    id_ = await office.reply(await office.conversation())
    office.platform.trouble = [ZeroDivisionError("secret detail") for _ in range(delivery.MAX_ATTEMPTS)]
    async with office.working():
        for attempt in range(1, delivery.MAX_ATTEMPTS):

            async def tried(attempt: int = attempt) -> bool:
                found = await office.delivery(id_)
                return found.state == "queued" and found.attempts == attempt

            await eventually(tried)
            await office.hurry(id_)
        failed = await office.until(id_, "failed")
    assert failed.attempts == delivery.MAX_ATTEMPTS
    assert failed.error is not None
    assert failed.error.temporary
    assert "secret" not in failed.error.text


async def test_a_mistake_of_ours_is_a_failed_try_and_not_the_end_of_the_lane(office: Office) -> None:
    conversation = await office.conversation()
    broken, fine = await office.reply(conversation, "broken"), await office.reply(conversation, "fine")
    await office.documents["outbox"].update_one({"_id": broken}, {"$set": {"identity_id": "nobody"}})
    async with office.working():
        failed = await office.until_error(broken)
        assert failed.error is not None
        await office.documents["outbox"].update_one({"_id": broken}, {"$set": {"identity_id": "post:ada"}})
        await office.hurry(broken)
        await office.until(fine, "sent")
    assert [one for one, _ in office.platform.taken] == [broken, fine]


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


async def claimed_by_a_dead_worker(office: Office, state: str) -> str:
    id_ = await office.reply(await office.conversation())
    await office.documents["outbox"].update_one({"_id": id_}, {"$set": {"state": state, "owner": "dead"}})
    if state == "sending":
        await office.documents["messages"].update_one({"_id": id_}, {"$set": {"delivery.state": "sending"}})
    return id_


async def test_what_a_dead_worker_had_only_claimed_goes_out(office: Office) -> None:
    id_ = await claimed_by_a_dead_worker(office, "claimed")
    await office.worker.recover(["me"])
    async with office.working():
        await office.until(id_, "sent")
    assert office.platform.taken == [(id_, 0)]


async def test_of_what_a_dead_worker_was_sending_nobody_knows(office: Office) -> None:
    id_ = await claimed_by_a_dead_worker(office, "sending")
    await office.worker.recover(["me"])
    unknown = await office.delivery(id_)
    assert unknown.state == "unknown"
    assert unknown.error is not None
    assert "may have left" in unknown.error.text
    async with office.working():
        await office.replies.retry(id_)
        await office.until(id_, "sent")


async def test_what_a_dead_worker_was_sending_goes_out_again_where_twice_shows_once(sure: Office) -> None:
    id_ = await claimed_by_a_dead_worker(sure, "sending")
    await sure.worker.recover(["me"])
    async with sure.working():
        await sure.until(id_, "sent")


async def test_what_a_living_worker_is_sending_is_left_to_it(office: Office) -> None:
    id_ = await claimed_by_a_dead_worker(office, "sending")
    await office.worker.recover(["me", "dead"])
    assert (await office.delivery(id_)).state == "sending"


async def test_a_worker_that_was_taken_for_dead_writes_nothing_more(office: Office) -> None:
    id_ = await office.reply(await office.conversation())
    office.platform.door.clear()
    async with office.working():
        await office.until(id_, "sending")
        await office.another_worker("heir").recover(["heir"])
        assert (await office.delivery(id_)).state == "unknown"
        office.platform.door.set()
        await office.worker.drain(PATIENCE)  # it has heard what became of it
        assert office.platform.taken == [(id_, 0)]
        assert (await office.delivery(id_)).state == "unknown"


async def test_what_left_while_the_database_was_away_is_known_once_it_is_back(tmp_path: Path) -> None:
    replica_set = ReplicaSet(tmp_path, members=1)
    try:
        await replica_set.start()
        store = await Store.open(replica_set.url)
        async with AsyncMongoClient[dict[str, Any]](replica_set.url, tz_aware=True) as client:
            office = Office(store, client.get_default_database())
            id_ = await office.reply(await office.conversation())
            office.platform.door.clear()
            async with office.working():
                await office.until(id_, "sending")
                proxy = replica_set.members[0].proxy
                proxy.refusing = True
                proxy.cut()
                office.platform.door.set()
                with pytest.raises(StoreUnavailableError):
                    await office.reply("any")
                proxy.refusing = False
                await eventually(store.ping)
                assert (await office.until(id_, "sent", "unknown")).state == "sent"
            assert office.platform.taken == [(id_, 0)]
        await store.close()
    finally:
        await replica_set.stop()


async def test_two_workers_send_each_reply_once(office: Office) -> None:
    ids = [await office.reply(await office.conversation(thread=f"t{n}")) for n in range(12)]
    async with office.working(), office.working(office.another_worker("other")):
        for id_ in ids:
            await office.until(id_, "sent")
    assert sorted(office.platform.taken) == sorted((id_, 0) for id_ in ids)


async def test_a_reply_of_a_channel_that_has_gone_fails_readably(office: Office) -> None:
    id_ = await office.reply(await office.conversation())
    async with office.working(office.another_worker("me", other=office.postbox)):
        failed = await office.until(id_, "failed")
    assert failed.error is not None
    assert failed.error.code == "channel-gone"
    assert f'"{CHANNEL}"' in failed.error.text
    await office.replies.retry(id_)
    async with office.working():
        await office.until(id_, "sent")


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


async def test_a_report_that_is_quicker_than_the_answer_is_not_taken_back(office: Office) -> None:
    id_ = await office.reply(await office.conversation())
    office.platform.door.clear()
    async with office.working():
        await office.until(id_, "sending")
        await office.receive({"is": "report", "state": "read", "message_id": id_})
        office.platform.door.set()

        async def gone() -> bool:
            return not await office.items()

        await eventually(gone)
    final = await office.delivery(id_)
    assert final.state == "read"
    assert final.read_at is not None


async def test_a_report_and_an_edit_that_come_before_the_platforms_answer_wait_for_it(office: Office) -> None:
    id_ = await office.reply(await office.conversation())
    office.platform.door.clear()  # it has taken the piece, and its answer is slow
    async with office.working():
        await office.until(id_, "sending")
        await office.receive({"is": "report", "state": "delivered", "external_id": f"{id_}/0"})
        await office.receive({"is": "change", "of": f"{id_}/0", "at": 5, "text": "edited there"})
        office.platform.door.set()
        await office.until(id_, "delivered")
    assert (await office.message(id_)).text == "edited there"
    assert not await office.documents["waiting_changes"].count_documents({})


async def test_a_report_finds_the_reply_and_not_its_copy_that_came_back(office: Office) -> None:
    id_ = await office.reply(await office.conversation())
    async with office.working():
        await office.until(id_, "sent")
    copy = said("answer", id=f"{id_}/0", thread="t")
    await office.receive(copy, {"is": "report", "state": "delivered", "external_id": f"{id_}/0"})
    assert (await office.delivery(id_)).state == "delivered"


async def test_reports_find_a_reply_by_the_platforms_name_for_a_piece(office: Office) -> None:
    office.platform.pieces = 2
    id_ = await office.reply(await office.conversation())
    async with office.working():
        await office.until(id_, "sent")
    await office.receive({"is": "report", "state": "delivered", "external_id": f"{id_}/1"})
    assert (await office.delivery(id_)).state == "delivered"


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


class SlowPostbox(Postbox):
    """Its platform bears three pieces in two seconds, and one a second in a thread."""

    capabilities = replace(
        Postbox.capabilities, rates=(Rate(count=1, seconds=1.0, per="thread"), Rate(count=3, seconds=2.0))
    )


async def test_the_rates_of_a_platform_are_kept_over_all_processes(store: Store, documents: Documents) -> None:
    office = Office(store, documents, SlowPostbox)
    office.platform.pieces = 2
    replies = [await office.reply(await office.conversation(sender=f"c{n}", thread=f"t{n}")) for n in range(2)]
    async with office.working(), office.working(office.another_worker("other")):
        for id_ in replies:
            await office.until(id_, "sent")
    budgets = {one["_id"]: one["times"] async for one in documents["budgets"].find({})}
    assert set(budgets) == {f"{CHANNEL}|t0|1/1", f"{CHANNEL}|t1|1/1", f"{CHANNEL}|3/2"}
    assert all(len(times) == 1 for key, times in budgets.items() if key != f"{CHANNEL}|3/2")


async def test_a_budget_is_one_for_all_processes_and_comes_back_with_time(mongod_url: str, store: Store) -> None:
    other = await Store.open(mongod_url)
    assert [await one.budgets.take("k", 3, 3600) for one in (store, other, store)] == [0, 0, 0]
    wait = await other.budgets.take("k", 3, 3600)
    assert 3600 - PATIENCE < wait <= 3600
    assert await other.budgets.take("another", 3, 3600) == 0

    async def again() -> bool:  # by then the three are older than that
        return await store.budgets.take("k", 3, 1.5) == 0

    await eventually(again)
    await other.close()


async def test_a_platform_that_keeps_everybody_waiting_does_not_hold_up_the_others(
    store: Store, documents: Documents
) -> None:
    office = Office(store, documents)
    office.platform.door.clear()
    waiting = [
        await office.reply(await office.conversation(sender=f"c{n}", thread=f"t{n}")) for n in range(OF_ONE_CHANNEL + 2)
    ]
    other = Postbox(Platform(), "other")
    worker = office.another_worker("me", **{CHANNEL: office.postbox, "other": other})
    async with office.working(worker):
        for id_ in waiting[:OF_ONE_CHANNEL]:
            await office.until(id_, "sending")
        quick = await office.reply(await office.conversation(sender="dan", thread="quick"))
        moved = {"channel": "other", "lane": f"other|{quick}"}
        await office.documents["outbox"].update_one({"_id": quick}, {"$set": moved})
        await office.until(quick, "sent")
        assert (await office.delivery(waiting[-1])).state == "queued"
        office.platform.door.set()
        for id_ in waiting:
            await office.until(id_, "sent")
