"""Customers: written down, changed, merged, and parted exactly."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from api_desk import Desk

CUSTOMERS = "/api/v1/customers"


def someone() -> str:
    return f"person-{uuid.uuid4()}"


async def customer(desk: Desk, **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = await desk.send("POST", CUSTOMERS, fields, status=201)
    return made


async def timeline(desk: Desk, id_: str) -> list[str]:
    return [item["text"] for item in (await desk.get(f"{CUSTOMERS}/{id_}/timeline", limit=200))["items"]]


async def conversations(desk: Desk, id_: str) -> dict[str, str]:
    page = await desk.get("/api/v1/conversations", customer=id_, limit=200)
    return {item["id"]: item["customer"]["id"] for item in page["items"]}


async def test_an_agent_writes_one_down_and_the_next_letter_is_theirs(desk: Desk) -> None:
    person = someone()
    made = await customer(desk, name="Ada", identities=[{"kind": "letter", "value": person}], fields={"plan": "gold"})

    message = await desk.letter("hello", **{"from": person})

    assert message["customer_id"] == made["id"]
    shown = await desk.get(f"{CUSTOMERS}/{made['id']}")
    assert (shown["name"], shown["fields"]) == ("Ada", {"plan": "gold"})
    assert [(one["value"], one["verified"]) for one in shown["identities"]] == [(person, False)]
    found = await desk.get(CUSTOMERS, identity=f"letter:{person}")
    assert [item["id"] for item in found["items"]] == [made["id"]]
    assert (await desk.get(CUSTOMERS, identity="letter:nobody"))["items"] == []
    assert (await desk.problem("GET", f"{CUSTOMERS}?identity=nobody"))["type"] == "invalid-query"


async def test_an_address_is_looked_up_as_it_is_kept(desk: Desk) -> None:
    made = await customer(desk, identities=[{"kind": "letter", "value": f"  {(person := someone())}"}])

    assert made["identities"][0]["value"] == person
    found = await desk.get(CUSTOMERS, identity=f"letter: {person} ")
    assert [item["id"] for item in found["items"]] == [made["id"]]


async def test_an_address_is_one_customers(desk: Desk) -> None:
    message = await desk.letter("hello", **{"from": (person := someone())})
    identity = {"kind": "letter", "value": person}
    problem = await desk.problem("POST", CUSTOMERS, json={"identities": [identity]})
    assert (problem["status"], problem["type"], problem["customer_id"]) == (
        409,
        "identity-taken",
        message["customer_id"],
    )
    again = await desk.send("POST", f"{CUSTOMERS}/{message['customer_id']}/identities", identity, status=201)
    assert [one["value"] for one in again["identities"]] == [person]
    bad = {"kind": "letter", "value": "two\nlines"}
    assert (await desk.problem("POST", CUSTOMERS, json={"identities": [bad]}))["type"] == "bad-address"


async def test_fields_are_changed_one_by_one_and_two_agents_do_not_overwrite_each_other(desk: Desk) -> None:
    made = await customer(desk, fields={"plan": "gold", "seats": 3, "vip": True})
    path = f"{CUSTOMERS}/{made['id']}"
    async with desk.http.get(path) as answer:
        seen = answer.headers["ETag"]

    changed = await desk.send("PATCH", path, {"fields": {"seats": 4.5, "vip": None}}, **{"If-Match": seen})

    assert changed["fields"] == {"plan": "gold", "seats": 4.5}
    problem = await desk.problem("PATCH", path, json={"name": "Bob"}, headers={"If-Match": seen})
    assert (problem["status"], problem["type"]) == (412, "version-conflict")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"fields": {"a": ["b"]}}, "fields"),
        ({"fields": {"": 1}}, "fields"),
        ({"fields": {"a": "x" * 2001}}, "fields"),
        ({"fields": {str(n): n for n in range(51)}}, "fields"),
        ({"name": ""}, "name"),
        ({"avatar": "x"}, "avatar"),
        ({}, ""),
    ],
)
async def test_what_is_no_change_is_named(desk: Desk, body: dict[str, Any], field: str) -> None:
    made = await customer(desk)
    problem = await desk.problem("PATCH", f"{CUSTOMERS}/{made['id']}", json=body)
    assert problem["status"] == 422
    assert problem["errors"][0]["field"].startswith(field)


async def test_a_merge_is_one_person_and_is_undone_exactly(desk: Desk) -> None:
    ada, byron = someone(), someone()
    first = await desk.letter("from ada", **{"from": ada, "name": "Ada"})
    second = await desk.letter("from byron", **{"from": byron, "name": "Byron"})
    a, b = first["customer_id"], second["customer_id"]
    await desk.send("PATCH", f"{CUSTOMERS}/{a}", {"fields": {"plan": "gold", "old": 1}})
    await desk.send("PATCH", f"{CUSTOMERS}/{b}", {"fields": {"plan": "free"}})
    before = {id_: await desk.get(f"{CUSTOMERS}/{id_}") for id_ in (a, b)}

    merged = await desk.send("POST", f"{CUSTOMERS}/{a}/merge", {"into": b})

    assert (merged["id"], merged["name"], merged["merged"]) == (b, "Byron", [a])
    assert merged["fields"] == {"plan": "free", "old": 1}
    assert {one["value"] for one in merged["identities"]} == {ada, byron}
    assert await conversations(desk, b) == {first["conversation_id"]: b, second["conversation_id"]: b}
    assert (await desk.get(f"{CUSTOMERS}/{a}"))["merged_into"] == b
    found = await desk.get(CUSTOMERS, identity=f"letter:{ada}")
    assert [item["id"] for item in found["items"]] == [b]
    for path in (f"{CUSTOMERS}/{a}/timeline",):
        assert (await desk.problem("GET", path))["merged_into"] == b

    # In between mails come from both, are answered, and notes are taken.
    third = await desk.letter("ada again", **{"from": ada})
    await desk.letter("byron again", thread=second["external"]["thread_key"], **{"from": byron})
    replied = f"/api/v1/conversations/{first['conversation_id']}/messages"
    await desk.send("POST", replied, {"text": "to ada"}, status=201)
    assert await timeline(desk, b) == ["from ada", "from byron", "ada again", "byron again", "to ada"]
    shown = await desk.send("PATCH", f"{CUSTOMERS}/{b}", {"fields": {"old": None, "new": 2}})
    assert shown["fields"] == {"plan": "free", "new": 2}

    await desk.send("POST", f"{CUSTOMERS}/{a}/unmerge", None)

    after = {id_: await desk.get(f"{CUSTOMERS}/{id_}") for id_ in (a, b)}
    changing = ("version", "updated_at")
    assert {k: v for k, v in after[a].items() if k not in changing} == {
        k: v for k, v in before[a].items() if k not in changing
    }
    assert after[b]["identities"] == before[b]["identities"]
    assert after[b]["fields"] == {"plan": "free", "new": 2}
    assert await timeline(desk, a) == ["from ada", "ada again", "to ada"]
    assert await timeline(desk, b) == ["from byron", "byron again"]
    assert await conversations(desk, a) == {first["conversation_id"]: a, third["conversation_id"]: a}
    assert await conversations(desk, b) == {second["conversation_id"]: b}


async def test_three_are_one_and_the_middle_one_leaves(desk: Desk) -> None:
    a, b, c = [(await desk.letter(name, **{"from": someone()}))["customer_id"] for name in "abc"]
    await desk.send("POST", f"{CUSTOMERS}/{a}/merge", {"into": b})
    await desk.send("POST", f"{CUSTOMERS}/{b}/merge", {"into": c})
    assert await timeline(desk, c) == ["a", "b", "c"]
    listed = {item["id"] for item in (await desk.get(CUSTOMERS, limit=200))["items"]}
    assert listed & {a, b, c} == {c}

    await desk.send("POST", f"{CUSTOMERS}/{b}/unmerge", None)

    assert (await timeline(desk, b), await timeline(desk, c)) == (["a", "b"], ["c"])


async def test_a_merge_that_cannot_be_is_refused(desk: Desk) -> None:
    a, b = [(await customer(desk))["id"] for _ in range(2)]
    assert (await desk.problem("POST", f"{CUSTOMERS}/{a}/merge", json={"into": a}))["type"] == "merges-itself"
    assert (await desk.problem("POST", f"{CUSTOMERS}/{a}/merge", json={"into": "nobody"}))["type"] == "not-found"
    assert (await desk.problem("POST", f"{CUSTOMERS}/{a}/unmerge"))["type"] == "not-merged"
    await desk.send("POST", f"{CUSTOMERS}/{a}/merge", {"into": b})
    for method, call, body in (
        ("POST", "merge", {"into": b}),
        ("POST", "identities", {"kind": "letter", "value": someone()}),
        ("PATCH", "", {"name": "x"}),
    ):
        problem = await desk.problem(method, f"{CUSTOMERS}/{a}/{call}".rstrip("/"), json=body)
        assert (problem["type"], problem["merged_into"]) == ("merged", b)
    problem = await desk.problem("POST", f"{CUSTOMERS}/{b}/merge", json={"into": a})  # no circle
    assert problem["type"] == "merged"


async def test_one_who_was_merged_is_answered_by_either_address(desk: Desk) -> None:
    first = await desk.letter("by letter", **{"from": someone()})
    second = await desk.letter("by the second", channel="second", **{"from": (other := someone())})
    await desk.send("POST", f"{CUSTOMERS}/{second['customer_id']}/merge", {"into": first["customer_id"]})
    path = f"/api/v1/conversations/{first['conversation_id']}"

    ways = (await desk.get(f"{path}/ways"))["items"]

    assert {(way["channel"], way["identity"]["value"]) for way in ways} >= {("letters", other), ("second", other)}
    assert [way["channel"] for way in ways if way["default"]] == ["letters"]
    assert {way["state"] for way in ways} == {"running"}


async def test_who_has_no_address_is_told_so(desk: Desk) -> None:
    made = await customer(desk, name="Nobody")
    body = {"customer_id": made["id"], "channel": "letters", "text": "hello"}
    problem = await desk.problem("POST", "/api/v1/conversations", json=body)
    assert problem["type"] == "no-identity"
