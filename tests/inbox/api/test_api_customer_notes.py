"""Notes about a customer: written, changed and dropped, told, and parted with those whom they are about."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from api_desk import Desk

CUSTOMERS = "/api/v1/customers"


async def customer(desk: Desk) -> str:
    return str((await desk.send("POST", CUSTOMERS, {"name": f"person-{uuid.uuid4()}"}, status=201))["id"])


async def note(desk: Desk, customer_id: str, text: str) -> dict[str, Any]:
    made: dict[str, Any] = await desk.send("POST", f"{CUSTOMERS}/{customer_id}/notes", {"text": text}, status=201)
    return made


async def texts(desk: Desk, customer_id: str) -> list[str]:
    return [one["text"] for one in (await desk.get(f"{CUSTOMERS}/{customer_id}/notes"))["items"]]


async def test_a_note_is_written_changed_and_dropped_and_each_is_told(desk: Desk) -> None:
    who, me = await customer(desk), await desk.get("/api/v1/me")
    cursor = (await desk.get("/api/v1/events"))["next"]
    made = await note(desk, who, "likes tea")
    path = f"{CUSTOMERS}/{who}/notes/{made['id']}"
    assert (made["author"]["id"], made["author"]["name"], made["editor"]) == (me["id"], me["name"], None)

    token = (await desk.send("POST", "/api/v1/tokens", {"name": "Grace"}, status=201))["token"]
    seen = {"If-Match": '"1"', "Authorization": f"Bearer {token}"}
    changed = await desk.send("PATCH", path, {"text": "likes coffee"}, **seen)
    assert (changed["text"], changed["author"]["id"], changed["editor"]["name"]) == ("likes coffee", me["id"], "Grace")
    problem = await desk.problem("PATCH", path, json={"text": "likes milk"}, headers={"If-Match": '"1"'})
    assert (problem["status"], problem["type"]) == (412, "version-conflict")
    assert await texts(desk, who) == ["likes coffee"]

    await desk.send("DELETE", path, None, status=204)
    assert await texts(desk, who) == []
    assert (await desk.problem("DELETE", path))["type"] == "not-found"
    told = (await desk.get("/api/v1/events", after=cursor, types="customer.updated"))["items"]
    assert [one["data"]["customer"]["id"] for one in told] == [who] * 3


async def test_notes_come_in_pages_the_newest_first(desk: Desk) -> None:
    who = await customer(desk)
    for number in range(3):
        await note(desk, who, str(number))
    first = await desk.get(f"{CUSTOMERS}/{who}/notes", limit=2)
    rest = await desk.get(f"{CUSTOMERS}/{who}/notes", limit=2, cursor=first["next"])
    assert [one["text"] for one in (*first["items"], *rest["items"])] == ["2", "1", "0"]
    assert rest["next"] is None


async def test_a_merge_shows_the_notes_of_both_and_parting_them_parts_the_notes(desk: Desk) -> None:
    one, other = await customer(desk), await customer(desk)
    theirs = await note(desk, one, "of one")
    await note(desk, other, "of the other")

    await desk.send("POST", f"{CUSTOMERS}/{one}/merge", {"into": other})

    assert await texts(desk, other) == ["of the other", "of one"]
    assert (await desk.problem("GET", f"{CUSTOMERS}/{one}/notes"))["merged_into"] == other
    assert (await desk.problem("POST", f"{CUSTOMERS}/{one}/notes", json={"text": "x"}))["merged_into"] == other
    await desk.send("PATCH", f"{CUSTOMERS}/{other}/notes/{theirs['id']}", {"text": "of one, changed"})
    await note(desk, other, "since")

    await desk.send("POST", f"{CUSTOMERS}/{one}/unmerge", None)

    assert await texts(desk, one) == ["of one, changed"]
    assert await texts(desk, other) == ["since", "of the other"]


async def test_a_note_is_found_under_its_own_customer_alone(desk: Desk) -> None:
    one, other = await customer(desk), await customer(desk)
    made = await note(desk, one, "mine")
    path = f"{CUSTOMERS}/{other}/notes/{made['id']}"
    assert (await desk.problem("PATCH", path, json={"text": "yours"}))["type"] == "not-found"
    assert (await desk.problem("DELETE", path))["type"] == "not-found"
    assert await texts(desk, one) == ["mine"]


@pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": "x" * 10_001}, {"text": "x", "author": "me"}])
async def test_what_is_no_note_is_refused(desk: Desk, body: dict[str, Any]) -> None:
    problem = await desk.problem("POST", f"{CUSTOMERS}/{await customer(desk)}/notes", json=body)
    assert (problem["status"], problem["type"]) == (422, "invalid-body")
