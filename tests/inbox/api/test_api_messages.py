from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from api_desk import Desk


async def conversation(desk: Desk, *texts: str) -> str:
    thread = str(uuid.uuid4())
    for text in texts:
        message = await desk.letter(text, thread=thread, **{"from": thread})
    found: str = message["conversation_id"]
    return f"/api/v1/conversations/{found}/messages"


@pytest.mark.parametrize("limit", [1, 2, 3, 200])
async def test_messages_page_in_order_both_ways(desk: Desk, limit: int) -> None:
    path = await conversation(desk, "1", "2", "3", "4", "5")

    forward: list[str] = []
    position: Any = 0
    while position is not None:
        page = await desk.get(path, after_seq=position, limit=limit)
        forward += [item["text"] for item in page["items"]]
        position = page["next"]
    backward: list[str] = []
    query: dict[str, Any] = {}
    while True:
        page = await desk.get(path, limit=limit, **query)
        backward = [item["text"] for item in page["items"]] + backward
        if page["next"] is None:
            break
        query = {"before_seq": page["next"]}

    assert forward == backward == ["1", "2", "3", "4", "5"]


async def test_messages_between_two(desk: Desk) -> None:
    path = await conversation(desk, "1", "2", "3", "4")

    page = await desk.get(path, after_seq=1, before_seq=4)

    assert [item["seq"] for item in page["items"]] == [2, 3]
    assert page["next"] is None


async def test_a_reply_is_a_message_on_its_way(desk: Desk) -> None:
    path = await conversation(desk, "help")

    message = await desk.send("POST", path, {"text": "gladly"}, status=201)

    assert (message["direction"], message["text"], message["seq"]) == ("outbound", "gladly", 2)
    assert message["delivery"]["state"] == "queued"
    assert message["author"]["type"] == "agent"
    assert [item["id"] for item in (await desk.get(path, after_seq=1))["items"]] == [message["id"]]

    async def sent() -> bool:
        (item,) = (await desk.get(path, after_seq=1))["items"]
        return bool(item["delivery"]["state"] == "sent")

    await desk.eventually(sent)


async def test_the_same_client_id_is_the_same_message(desk: Desk) -> None:
    path = await conversation(desk, "help")
    body = {"text": "once", "client_id": str(uuid.uuid4())}

    first = await desk.send("POST", path, body, status=201)
    second = await desk.send("POST", path, body, status=201)

    assert first["id"] == second["id"]
    assert len((await desk.get(path))["items"]) == 2


async def test_a_note_goes_nowhere(desk: Desk) -> None:
    path = await conversation(desk, "help")

    note = await desk.send("POST", path, {"text": "he is angry", "direction": "note"}, status=201)

    assert (note["direction"], note["delivery"]) == ("note", None)
    problem = await desk.problem("POST", f"/api/v1/messages/{note['id']}/cancel")
    assert problem["status"] in (409, 422)


async def test_a_scheduled_reply_can_be_cancelled_once(desk: Desk) -> None:
    path = await conversation(desk, "help")
    message = await desk.send("POST", path, {"text": "later", "send_at": "2999-01-01T09:00:00+03:00"}, status=201)
    assert message["delivery"]["state"] == "scheduled"
    assert message["delivery"]["next_attempt_at"] == "2999-01-01T06:00:00Z"
    own = f"/api/v1/messages/{message['id']}"

    cancelled = await desk.send("POST", f"{own}/cancel", None)

    assert cancelled["delivery"]["state"] == "cancelled"
    for again, type_ in (("cancel", "not-cancellable"), ("retry", "not-retryable")):
        problem = await desk.problem("POST", f"{own}/{again}")
        assert (problem["status"], problem["type"]) == (409, type_)


async def test_a_failed_reply_says_why_and_goes_out_again(desk: Desk) -> None:
    path = await conversation(desk, "help")
    message = await desk.send("POST", path, {"text": "undeliverable"}, status=201)

    async def failed() -> Any:
        (item,) = (await desk.get(path, after_seq=1))["items"]
        return item["delivery"]["error"] if item["delivery"]["state"] == "failed" else None

    assert (await desk.eventually(failed))["text"] == "the post office is closed"
    again = await desk.send("POST", f"/api/v1/messages/{message['id']}/retry", None)
    assert (again["id"], again["delivery"]["state"]) == (message["id"], "queued")
    await desk.eventually(failed)


async def test_what_the_channel_cannot_carry_is_refused(desk: Desk) -> None:
    path = await conversation(desk, "help")

    long = await desk.problem("POST", path, json={"text": "x" * 1001})
    elsewhere = await desk.problem("POST", path, json={"text": "hi", "channel": "nowhere"})
    strangers = await desk.problem("POST", path, json={"text": "hi", "attachments": ["not-mine"]})

    assert {(problem["status"], problem["type"]) for problem in (long, elsewhere, strangers)} == {
        (422, "too-long"),
        (422, "channel-gone"),
        (422, "attachment-unknown"),
    }
    assert len((await desk.get(path))["items"]) == 1


async def test_one_message_says_where_it_stands(desk: Desk) -> None:
    first, second = [await desk.letter(text, **{"from": "single"}, thread="single") for text in ("one", "two")]
    assert await desk.get(f"/api/v1/messages/{second['id']}") == second
    assert (second["conversation_id"], second["seq"]) == (first["conversation_id"], first["seq"] + 1)
    assert (await desk.problem("GET", "/api/v1/messages/nothing"))["status"] == 404


async def test_the_original_is_what_was_dropped(desk: Desk) -> None:
    message = await desk.letter("Grüße \u202e <script>", **{"from": "original"})

    async with desk.http.get(f"/api/v1/messages/{message['id']}/original") as answer:
        body = await answer.read()

    assert json.loads(body)["text"] == "Grüße \u202e <script>"
    assert b"\\u202e" in body
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"] == "attachment"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


async def test_a_large_original_is_whole(desk: Desk) -> None:
    text = "0123456789" * 20_000
    message = await desk.letter(text)

    async with desk.http.get(f"/api/v1/messages/{message['id']}/original") as answer:
        assert json.loads(await answer.read())["text"] == text


async def test_a_reply_has_no_original(desk: Desk) -> None:
    path = await conversation(desk, "help")
    reply = await desk.send("POST", path, {"text": "gladly"}, status=201)

    problem = await desk.problem("GET", f"/api/v1/messages/{reply['id']}/original")

    assert (problem["status"], problem["type"]) == (404, "no-original")


async def test_a_customers_timeline_is_one_thread_over_all_channels(desk: Desk) -> None:
    person = str(uuid.uuid4())
    first = await desk.letter("1", name="Zoë", **{"from": person})
    second = await desk.letter("2", channel="second", **{"from": person})
    reply = await desk.send(
        "POST", f"/api/v1/conversations/{first['conversation_id']}/messages", {"text": "3"}, status=201
    )
    path = f"/api/v1/customers/{first['customer_id']}"

    pages = [await desk.get(f"{path}/timeline", limit=2)]
    pages.append(await desk.get(f"{path}/timeline", limit=2, cursor=pages[0]["next"]))

    assert [item["id"] for page in pages for item in page["items"]] == [first["id"], second["id"], reply["id"]]
    assert pages[1]["next"] is None
    customer = await desk.get(path)
    assert (customer["name"], len(customer["identities"])) == ("Zoë", 1)
    assert customer["identities"][0] == {
        "id": f"letter:{person}",
        "kind": "letter",
        "value": person,
        "name": "Zoë",
        "verified": False,
        "unreachable": {},
    }


async def test_customers_page_with_their_identities(desk: Desk) -> None:
    people = [str(uuid.uuid4()) for _ in range(3)]
    for person in people:
        await desk.letter("hello", **{"from": person})

    found: list[str] = []
    page = await desk.get("/api/v1/customers", limit=2)
    while True:
        found += [identity["id"] for item in page["items"] for identity in item["identities"]]
        if page["next"] is None:
            break
        page = await desk.get("/api/v1/customers", limit=2, cursor=page["next"])

    theirs = [f"letter:{person}" for person in people]
    assert [id_ for id_ in found if id_ in theirs] == theirs[::-1]
    assert len(found) == len(set(found))
