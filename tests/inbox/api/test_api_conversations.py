from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from api_desk import Desk

CONVERSATIONS = "/api/v1/conversations"
VIEW = {
    "id", "subject", "status", "assignee", "team", "tags", "priority", "customer", "channels", "last_message",
    "unread", "updated_at",
}  # fmt: skip


def someone() -> str:
    return f"person-{uuid.uuid4()}"


async def customer_with(desk: Desk, count: int) -> str:
    """A customer with that many conversations, in the order of their texts."""
    person = someone()
    for number in range(count):
        message = await desk.letter(f"letter {number}", **{"from": person})
    customer: str = message["customer_id"]
    return customer


async def texts(desk: Desk, **query: Any) -> list[str]:
    """The last messages of all pages."""
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await desk.get(CONVERSATIONS, **query, **cursor)
        found += [item["last_message"]["text"] for item in page["items"]]
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}


async def test_a_letter_is_a_conversation_of_its_customer(desk: Desk) -> None:
    message = await desk.letter("Hello\n there", subject="Broken lamp", name="Zeynep", **{"from": someone()})

    page = await desk.get(CONVERSATIONS, customer=message["customer_id"])

    assert page["next"] is None
    (item,) = page["items"]
    assert item.keys() >= VIEW
    assert item["customer"] == {"id": message["customer_id"], "name": "Zeynep", "avatar": None}
    assert (item["subject"], item["status"], item["channels"], item["unread"]) == (
        "Broken lamp", "open", ["letters"], 1,
    )  # fmt: skip
    assert item["last_message"]["text"] == "Hello there"
    assert item["updated_at"].endswith("Z")
    assert await desk.get(f"{CONVERSATIONS}/{item['id']}") == item


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("-updated_at", [4, 3, 2, 1, 0]),
        ("updated_at", [0, 1, 2, 3, 4]),
        ("-created_at", [4, 3, 2, 1, 0]),
        ("waiting", [0, 1, 2, 3, 4]),
    ],
)
@pytest.mark.parametrize("limit", [1, 2, 5, 200])
async def test_pages_hold_everything_once_in_order(desk: Desk, sort: str, order: list[int], limit: int) -> None:
    customer = await customer_with(desk, 5)

    found = await texts(desk, customer=customer, sort=sort, limit=limit)

    assert found == [f"letter {number}" for number in order]


async def test_what_comes_in_between_moves_no_page(desk: Desk) -> None:
    person = someone()
    customer = (await desk.letter("letter 0", **{"from": person}))["customer_id"]
    for number in (1, 2, 3):
        await desk.letter(f"letter {number}", **{"from": person})
    first = await desk.get(CONVERSATIONS, customer=customer, limit=2)
    await desk.letter("letter 4", **{"from": person})

    second = await desk.get(CONVERSATIONS, customer=customer, limit=2, cursor=first["next"])

    assert [item["last_message"]["text"] for item in second["items"]] == ["letter 1", "letter 0"]


async def test_filters_must_all_hold(desk: Desk) -> None:
    person = someone()
    message = await desk.letter("one", **{"from": person})
    other = await desk.letter("two", channel="second", **{"from": person})
    path = f"{CONVERSATIONS}/{message['conversation_id']}"
    me = (await desk.get("/api/v1/me"))["id"]
    team = (await desk.send("POST", "/api/v1/teams", {"name": "t1"}, status=201))["id"]
    await desk.send("PATCH", path, {"status": "resolved", "assignee": me, "team": team, "tags": ["vip", "lamp"]})

    async def found(**query: str) -> list[str]:
        page = await desk.get(CONVERSATIONS, customer=message["customer_id"], **query)
        return [item["id"] for item in page["items"]]

    assert await found(status="resolved") == [message["conversation_id"]]
    assert await found(status="open") == [other["conversation_id"]]
    assert await found(channel="second") == [other["conversation_id"]]
    assert await found(assignee=me, team=team, tag="lamp") == [message["conversation_id"]]
    assert await found(assignee=me, team=team, tag="sofa") == []
    assert await found(assignee="me") == [message["conversation_id"]]
    assert await found(assignee="none", team="none") == [other["conversation_id"]]
    assert await found(status="resolved", channel="second") == []


async def test_two_agents_cannot_overwrite_each_other(desk: Desk) -> None:
    message = await desk.letter("help", **{"from": someone()})
    path = f"{CONVERSATIONS}/{message['conversation_id']}"
    async with desk.http.get(path) as answer:
        seen = answer.headers["ETag"]
    me = (await desk.get("/api/v1/me"))["id"]

    changed = await desk.send("PATCH", path, {"assignee": me, "tags": ["b", "a", "b"]}, **{"If-Match": seen})

    assert (changed["assignee"], changed["tags"]) == (me, ["b", "a"])
    problem = await desk.problem("PATCH", path, json={"assignee": None}, headers={"If-Match": seen})
    assert (problem["status"], problem["type"]) == (412, "version-conflict")
    assert (await desk.problem("PATCH", path, json={"tags": []}, headers={"If-Match": '"mine"'}))["status"] == 412
    assert (await desk.get(path))["assignee"] == me
    emptied = await desk.send("PATCH", path, {"assignee": None}, **{"If-Match": "*"})
    assert (emptied["assignee"], emptied["tags"]) == (None, ["b", "a"])


async def test_unread_counts_what_the_asker_has_not_read(desk: Desk) -> None:
    thread = someone()
    message = await desk.letter("one", thread=thread, **{"from": thread})
    for text in ("two", "three"):
        await desk.letter(text, thread=thread, **{"from": thread})
    path = f"{CONVERSATIONS}/{message['conversation_id']}"
    assert (await desk.get(path))["unread"] == 3

    await desk.send("POST", f"{path}/read", {"seq": 2}, status=204)
    await desk.send("POST", f"{path}/read", {"seq": 1}, status=204)

    assert (await desk.get(path))["unread"] == 1


async def test_a_conversation_that_was_joined_says_where_to(desk: Desk) -> None:
    person, first, second = someone(), someone(), someone()
    home = await desk.letter("the question", thread=first, **{"from": person})
    emptied = await desk.letter("the other one", thread=second, **{"from": person})
    await desk.letter("both", thread=first, refers=[second], **{"from": person})

    listed = [item["id"] for item in (await desk.get(CONVERSATIONS, customer=home["customer_id"]))["items"]]
    assert len(listed) == 1
    gone = ({home["conversation_id"], emptied["conversation_id"]} - set(listed)).pop()

    assert (await desk.get(f"{CONVERSATIONS}/{gone}"))["merged_into"] == listed[0]
    problem = await desk.problem("GET", f"{CONVERSATIONS}/{gone}/messages")
    assert (problem["status"], problem["merged_into"]) == (404, listed[0])
    assert (await desk.problem("PATCH", f"{CONVERSATIONS}/{gone}", json={"tags": []}))["merged_into"] == listed[0]


async def test_the_company_begins(desk: Desk) -> None:
    person, client_id = someone(), str(uuid.uuid4())
    body = {
        "identity": {"kind": "letter", "value": person, "name": "Deniz"},
        "channel": "letters",
        "subject": "Your order",
        "text": "It is on its way",
        "client_id": client_id,
    }

    begun = await desk.send("POST", CONVERSATIONS, body, status=201)
    again = await desk.send("POST", CONVERSATIONS, body, status=201)

    assert begun["id"] == again["id"]
    assert (begun["subject"], begun["customer"]["name"]) == ("Your order", "Deniz")
    (message,) = (await desk.get(f"{CONVERSATIONS}/{begun['id']}/messages"))["items"]
    assert (message["direction"], message["text"]) == ("outbound", "It is on its way")


@pytest.mark.parametrize("who", [{}, {"customer_id": "c", "identity": {"kind": "letter", "value": "x"}}])
async def test_whom_to_write_to_is_one(desk: Desk, who: dict[str, Any]) -> None:
    problem = await desk.problem("POST", CONVERSATIONS, json={"channel": "letters", "text": "hi", **who})

    assert (problem["status"], problem["errors"][0]["field"]) == (422, "customer_id")


async def test_a_snoozed_conversation_wakes_by_itself(desk: Desk) -> None:
    message = await desk.letter("later, please")
    path = f"/api/v1/conversations/{message['conversation_id']}"
    before = await desk.get(path)
    cursor = (await desk.get("/api/v1/events"))["next"]
    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    asleep = await desk.send("PATCH", path, {"snoozed_until": soon})
    assert (asleep["status"], asleep["waiting_since"]) == ("snoozed", before["waiting_since"])

    async def woken() -> dict[str, Any] | None:
        now: dict[str, Any] = await desk.get(path)
        return now if now["status"] == "open" else None

    awake = await desk.eventually(woken)
    assert awake is not None
    assert awake["snoozed_until"] is None
    told = (await desk.get("/api/v1/events", after=cursor, limit=200))["items"]
    states = [one["data"]["conversation"]["status"] for one in told if one["conversation_id"] == awake["id"]]
    assert states == ["snoozed", "open"]


async def test_an_agent_wakes_it_earlier_or_puts_it_off_again(desk: Desk) -> None:
    message = await desk.letter("later, please")
    path = f"/api/v1/conversations/{message['conversation_id']}"
    for days in (1, 2):
        until = (datetime.now(UTC) + timedelta(days=days)).isoformat()
        assert (await desk.send("PATCH", path, {"snoozed_until": until}))["status"] == "snoozed"
    assert (await desk.send("PATCH", path, {"priority": "high"}))["snoozed_until"] is not None
    without = await desk.send("PATCH", path, {"snoozed_until": None})
    assert (without["status"], without["snoozed_until"]) == ("snoozed", None)
    await desk.send("PATCH", path, {"snoozed_until": until})
    awake = await desk.send("PATCH", path, {"status": "open"})
    assert (awake["status"], awake["snoozed_until"]) == ("open", None)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"snoozed_until": "2020-01-01T00:00:00Z"}, "lies in the past"),
        ({"status": "open", "snoozed_until": "2099-01-01T00:00:00Z"}, "only what is snoozed has one, not open"),
    ],
)
async def test_a_time_is_for_what_is_snoozed_and_lies_ahead(desk: Desk, body: dict[str, Any], told: str) -> None:
    message = await desk.letter("hello")
    problem = await desk.problem("PATCH", f"/api/v1/conversations/{message['conversation_id']}", json=body)
    assert problem["errors"] == [{"field": "snoozed_until", "detail": told}]


async def test_which_of_some_are_in_a_list(desk: Desk) -> None:
    one, other, third = [(await desk.letter("hello", **{"from": f"ids{n}"}))["conversation_id"] for n in range(3)]
    await desk.send("PATCH", f"/api/v1/conversations/{other}", {"status": "resolved"})
    page = await desk.get("/api/v1/conversations", ids=f"{one},{other},nothing", status="open")
    assert [item["id"] for item in page["items"]] == [one]
    page = await desk.get("/api/v1/conversations", ids=f"{third},{other}", limit=1)
    assert [item["id"] for item in page["items"]] == [other]
    assert page["next"]
    problem = await desk.problem("GET", "/api/v1/conversations", params={"ids": ",".join(["x"] * 101)})
    assert (problem["status"], problem["errors"][0]["field"]) == (400, "ids")
