"""Tags: described, renamed, merged and dropped, with all conversations and views that have them."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from api_desk import Desk

from inbox.model import Conversation, new_id
from inbox.store import Store, Unit

CONVERSATIONS, TAGS = "/api/v1/conversations", "/api/v1/tags"
MANY = 450  # conversations: more than two transactions take


def fresh(name: str = "tag") -> str:
    return f"{name}-{uuid.uuid4()}"


def at(name: str) -> str:
    return f"{TAGS}/{quote(name, safe='')}"


async def tagged(desk: Desk, *tags: str) -> str:
    id_ = str((await desk.letter("hello", **{"from": fresh("person")}))["conversation_id"])
    await desk.send("PATCH", f"{CONVERSATIONS}/{id_}", {"tags": tags})
    return id_


async def tags_of(desk: Desk, id_: str) -> list[str]:
    return list((await desk.get(f"{CONVERSATIONS}/{id_}"))["tags"])


async def known(desk: Desk, name: str) -> dict[str, Any] | None:
    return next((one for one in (await desk.get(TAGS))["items"] if one["name"] == name), None)


async def many(database: str, tag: str, number: int = MANY) -> None:
    """Conversations with a tag, as many as nobody writes in a test."""
    now, store = datetime.now(UTC), await Store.open(database)

    async def change(unit: Unit) -> None:
        for _ in range(number):
            unit.put(Conversation(id=new_id(), customer_id="nobody", tags=(tag,), created_at=now, updated_at=now))

    try:
        await store.write(change, weight=number)
    finally:
        await store.close()


async def gone(desk: Desk, *names: str) -> bool:
    listed = {one["name"] for one in (await desk.get(TAGS))["items"]}
    return listed.isdisjoint(names)


async def test_a_tag_is_kept_before_anything_has_it(desk: Desk) -> None:
    name = fresh()
    made = await desk.send("POST", TAGS, {"name": name, "colour": "blue", "description": "What is it?"}, status=201)
    assert made == {
        "name": name,
        "colour": "blue",
        "description": "What is it?",
        "conversations": 0,
        "leaving": False,
    }
    assert (await desk.problem("POST", TAGS, json={"name": name}))["type"] == "tag-taken"
    await tagged(desk, name)
    assert (await known(desk, name)) == made | {"conversations": 1}


async def test_a_tag_that_was_just_typed_gets_a_colour(desk: Desk) -> None:
    name = fresh("an odd/one? %2F ü")
    id_ = await tagged(desk, name)
    assert (await known(desk, name))["colour"] is None  # type: ignore[index]
    changed = await desk.send("PATCH", at(name), {"colour": "red"})
    assert (changed["name"], changed["colour"], changed["conversations"]) == (name, "red", 1)
    assert (await desk.problem("POST", TAGS, json={"name": name}))["type"] == "tag-taken"
    assert await tags_of(desk, id_) == [name]


async def test_all_follow_a_new_name_and_nothing_else_changes(desk: Desk) -> None:
    old, new = fresh(), fresh()
    id_, other = await tagged(desk, "first", old, "last"), await tagged(desk, "first")
    before = [await desk.get(f"{CONVERSATIONS}/{one}") for one in (id_, other)]
    filter_ = {"any": [{"field": "tag", "is": [old, "x"]}, {"all": [{"field": "tag", "is_not": [old]}]}]}
    view = await desk.send("POST", "/api/v1/views", {"name": "theirs", "filter": filter_}, status=201)
    await desk.send("PATCH", at(old), {"colour": "green"})
    cursor = (await desk.get("/api/v1/events"))["next"]

    changed = await desk.send("PATCH", at(old), {"name": new})

    assert changed == {"name": new, "colour": "green", "description": None, "conversations": 1, "leaving": False}
    after = [await desk.get(f"{CONVERSATIONS}/{one}") for one in (id_, other)]
    assert after == [before[0] | {"tags": ["first", new, "last"], "version": before[0]["version"] + 1}, before[1]]
    assert await known(desk, old) is None
    told = (await desk.get("/api/v1/events", after=cursor))["items"]
    assert [(one["type"], one["conversation_id"]) for one in told] == [("conversation.updated", id_)]
    views = {one["id"]: one["filter"] for one in (await desk.get("/api/v1/views"))["items"]}
    assert views[view["id"]] == {
        "any": [{"field": "tag", "is": [new, "x"]}, {"all": [{"field": "tag", "is_not": [new]}]}]
    }
    assert (await desk.problem("PATCH", at(old), json={"colour": "red"}))["type"] == "not-found"


async def test_two_tags_become_one(desk: Desk) -> None:
    one, other = fresh(), fresh()
    both, first, second = await tagged(desk, one, other), await tagged(desk, one), await tagged(desk, other)
    assert (await desk.problem("PATCH", at(one), json={"name": other}))["type"] == "tag-taken"

    merged = await desk.send("POST", f"{at(one)}/merge", {"into": other})

    assert (merged["name"], merged["conversations"]) == (other, 3)
    assert [await tags_of(desk, id_) for id_ in (both, first, second)] == [[other]] * 3
    assert await known(desk, one) is None
    assert (await desk.problem("POST", f"{at(other)}/merge", json={"into": other}))["type"] == "merges-itself"
    assert (await desk.problem("POST", f"{at(other)}/merge", json={"into": one}))["type"] == "not-found"


async def test_a_tag_that_is_dropped_is_off_everything(desk: Desk) -> None:
    name = fresh()
    id_ = await tagged(desk, name, "stays")
    await desk.send("DELETE", at(name), None, status=204)
    assert await tags_of(desk, id_) == ["stays"]
    assert await known(desk, name) is None
    assert (await desk.problem("DELETE", at(name)))["type"] == "not-found"


async def test_many_follow_in_the_background_and_one_change_after_the_other(desk: Desk, database: str) -> None:
    first, second, third = fresh(), fresh(), fresh()
    await many(database, first)

    await desk.send("PATCH", at(first), {"name": second})
    left = await known(desk, first)
    if left is not None:  # it may be done already
        assert left["leaving"]
        assert (await desk.problem("PATCH", at(first), json={"colour": "red"}))["type"] == "not-found"
    await desk.send("PATCH", at(second), {"name": third})

    await desk.eventually(lambda: gone(desk, first, second))
    assert (await known(desk, third))["conversations"] == MANY  # type: ignore[index]
    await desk.send("DELETE", at(third), None, status=204)
    await desk.eventually(lambda: gone(desk, third))
    assert (await desk.get(CONVERSATIONS, tag=third))["items"] == []


async def test_an_agent_sees_tags_and_leaves_them_as_they_are(desk: Desk) -> None:
    kept, hidden = fresh(), fresh()
    await desk.send("POST", TAGS, {"name": kept}, status=201)
    team = (await desk.send("POST", "/api/v1/teams", {"name": "apart"}, status=201))["id"]
    await desk.send("PATCH", f"{CONVERSATIONS}/{await tagged(desk, hidden)}", {"team": team})
    async with desk.http.get(TAGS, headers={"Authorization": f"Bearer {desk.tokens['agent']}"}) as answer:
        seen = {one["name"] for one in (await answer.json())["items"]}
    assert kept in seen
    assert hidden not in seen


@pytest.mark.parametrize("body", [{}, {"colour": "mauve"}, {"name": ""}, {"description": "x" * 501}, {"name": None}])
async def test_what_is_no_tag_is_refused(desk: Desk, body: dict[str, Any]) -> None:
    name = fresh()
    await desk.send("POST", TAGS, {"name": name}, status=201)
    assert (await desk.problem("PATCH", at(name), json=body))["type"] == "invalid-body"
