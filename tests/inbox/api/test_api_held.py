"""Scheduled replies that are held: the customer wrote first."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from api_desk import Desk

LATER = "2999-01-01T09:00:00Z"


class Talk:
    """A conversation with one customer."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.thread = str(uuid.uuid4())
        self.path = ""

    async def writes(self, text: str = "hello", **fields: Any) -> dict[str, Any]:
        message = await self.desk.letter(text, thread=self.thread, **{"from": self.thread, **fields})
        self.path = f"/api/v1/conversations/{message['conversation_id']}/messages"
        return message

    async def reply(self, send_at: str = LATER, **fields: Any) -> dict[str, Any]:
        body = {"text": "later", "send_at": send_at, "unless_customer_writes": True, **fields}
        sent: dict[str, Any] = await self.desk.send("POST", self.path, body, status=201)
        return sent

    async def delivery(self, reply: dict[str, Any]) -> dict[str, Any]:
        (found,) = (await self.desk.get(self.path, after_seq=reply["seq"] - 1, limit=1))["items"]
        delivery: dict[str, Any] = found["delivery"]
        return delivery

    async def until(self, reply: dict[str, Any], *states: str) -> dict[str, Any]:
        async def there() -> dict[str, Any] | None:
            found = await self.delivery(reply)
            return found if found["state"] in states else None

        found = await self.desk.eventually(there)
        assert found is not None
        return found


@pytest.fixture
async def talk(desk: Desk) -> Talk:
    talk = Talk(desk)
    await talk.writes()
    return talk


async def test_a_scheduled_reply_is_held_when_the_customer_writes_first(talk: Talk) -> None:
    reply = await talk.reply(cc=["boss@example.com"])
    other = await talk.reply(unless_customer_writes=False)
    assert (reply["delivery"]["state"], reply["delivery"]["unless_customer_writes"]) == ("scheduled", True)
    cursor = (await talk.desk.get("/api/v1/events"))["next"]

    await talk.writes("never mind")

    held = await talk.delivery(reply)
    assert (held["state"], held["next_attempt_at"]) == ("cancelled", None)
    assert held["error"] == {"code": "customer_wrote", "text": "the customer wrote first", "temporary": False}
    assert (await talk.delivery(other))["state"] == "scheduled"
    told = (await talk.desk.get("/api/v1/events", after=cursor))["items"]
    assert ("message.delivery_updated", reply["id"]) in [(one["type"], one["message_id"]) for one in told]

    again = await talk.desk.send("POST", f"/api/v1/messages/{reply['id']}/retry", None)
    assert (again["delivery"]["state"], again["delivery"]["error"]) == ("queued", None)
    await talk.writes("really")  # nobody waits for that any more
    sent = await talk.until(reply, "sent")
    assert [one["address"] for one in sent["recipients"]] == [talk.thread, "boss@example.com"]


async def test_a_held_reply_that_is_sent_is_an_answer(talk: Talk) -> None:
    reply = await talk.reply()
    await talk.writes("never mind")
    conversation = talk.path.removesuffix("/messages")
    assert (await talk.desk.get(conversation))["waiting_since"] is not None
    await talk.desk.send("POST", f"/api/v1/messages/{reply['id']}/retry", None)
    assert (await talk.desk.get(conversation))["waiting_since"] is None


async def test_a_held_reply_can_be_discarded(talk: Talk) -> None:
    reply = await talk.reply()
    await talk.writes("never mind")
    own = f"/api/v1/messages/{reply['id']}"

    discarded = await talk.desk.send("POST", f"{own}/cancel", None)

    assert (discarded["delivery"]["state"], discarded["delivery"]["error"]) == ("cancelled", None)
    for again, type_ in (("cancel", "not-cancellable"), ("retry", "not-retryable")):
        assert (await talk.desk.problem("POST", f"{own}/{again}"))["type"] == type_


async def test_what_asks_for_no_answer_holds_nothing(talk: Talk) -> None:
    reply = await talk.reply()
    await talk.writes("I am on holiday", automatic=True)
    note = {"text": "Look", "direction": "note"}
    await talk.desk.send("POST", talk.path, note, status=201)
    elsewhere = Talk(talk.desk)
    await elsewhere.writes("another matter", **{"from": talk.thread})
    assert (await talk.delivery(reply))["state"] == "scheduled"


async def test_a_letter_that_joins_two_conversations_holds_what_was_to_leave_in_both(talk: Talk) -> None:
    other = Talk(talk.desk)
    await other.writes(**{"from": talk.thread})
    replies = [await talk.reply(), await other.reply()]
    joined = await talk.writes("both", refers=[other.thread])
    for reply in replies:
        page = await talk.desk.get(f"/api/v1/conversations/{joined['conversation_id']}/messages")
        (found,) = (one for one in page["items"] if one["id"] == reply["id"])
        assert found["delivery"]["error"]["code"] == "customer_wrote"


async def test_a_letter_at_the_very_moment_comes_before_or_after_but_never_both(
    opened: Callable[..., Awaitable[Desk]], documents: Any
) -> None:
    desk = await opened()
    talks = [Talk(desk) for _ in range(12)]
    await asyncio.gather(*(talk.writes() for talk in talks))
    cursor = (await desk.get("/api/v1/events"))["next"]
    replies = await asyncio.gather(*(talk.reply() for talk in talks))
    due = datetime.now(UTC) + timedelta(seconds=2)
    await documents["outbox"].update_many({}, {"$set": {"due_at": due}})  # as if they had been to leave then

    async def letter(talk: Talk, number: int) -> str:
        await asyncio.sleep((due - datetime.now(UTC)).total_seconds() + number * 0.04)
        if number == 2:  # the outbox looks as soon as anything is written
            await desk.send("POST", talks[0].path, {"text": "a note", "direction": "note"}, status=201)
        return await desk.drop("wait!", thread=talk.thread, **{"from": talk.thread})

    letters = await asyncio.gather(*(letter(talk, number) for number, talk in enumerate(talks)))
    fates = [
        (await talk.until(reply, "sent", "cancelled"))["state"] for talk, reply in zip(talks, replies, strict=True)
    ]

    async def all_told() -> list[dict[str, Any]] | None:
        found: list[dict[str, Any]] = (await desk.get("/api/v1/events", after=cursor, limit=200))["items"]
        return found if set(letters) <= {one["message_id"] for one in found} else None

    told = await desk.eventually(all_told)
    assert told is not None
    for fate, reply, came in zip(fates, replies, letters, strict=True):
        order = [
            one["data"]["message"]["delivery"]["state"] if one["message_id"] == reply["id"] else "letter"
            for one in told
            if one["message_id"] in (reply["id"], came)
        ]
        if fate == "cancelled":
            assert "sending" not in order
        else:
            assert order.index("sending") < order.index("letter")


@pytest.mark.parametrize("body", [{"send_at": None}, {"send_at": None, "direction": "note"}])
async def test_there_is_nothing_to_hold_without_an_hour(talk: Talk, body: dict[str, Any]) -> None:
    problem = await talk.desk.problem("POST", talk.path, json={"text": "now", "unless_customer_writes": True, **body})
    assert problem["status"] == 422
    assert [one["field"] for one in problem["errors"]] == ["unless_customer_writes"]
