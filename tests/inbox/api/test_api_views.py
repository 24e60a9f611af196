"""Views: what they ask for and of whom, whose they are, and that they page like any list."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from api_desk import Desk

CONVERSATIONS = "/api/v1/conversations"
VIEWS = "/api/v1/views"
OPEN = {"field": "status", "is": ["open"]}


def condition(field: str, *values: str) -> dict[str, Any]:
    return {"field": field, "is": list(values)}


def but(field: str, *values: str) -> dict[str, Any]:
    return {"field": field, "is_not": list(values)}


def nested(depth: int) -> dict[str, Any]:
    return {"all": [nested(depth - 1)]} if depth else OPEN


async def made(desk: Desk, filter_: Any, **fields: Any) -> dict[str, Any]:
    view: dict[str, Any] = await desk.send("POST", VIEWS, {"name": "v", "filter": filter_, **fields}, status=201)
    return view


async def team(desk: Desk) -> str:
    return str((await desk.send("POST", "/api/v1/teams", {"name": "viewing"}, status=201))["id"])


async def principal(desk: Desk, **rights: Any) -> tuple[dict[str, str], str]:
    """What somebody bears, and their id."""
    token = (await desk.send("POST", "/api/v1/tokens", {"name": "Grace", **rights}, status=201))["token"]
    headers = {"Authorization": f"Bearer {token}"}
    async with desk.http.get("/api/v1/me", headers=headers) as answer:
        return headers, (await answer.json())["id"]


async def listed(desk: Desk, headers: dict[str, str]) -> list[str]:
    async with desk.http.get(VIEWS, headers=headers) as answer:
        assert answer.status == 200
        return [item["id"] for item in (await answer.json())["items"]]


async def conversations(desk: Desk, changes: Sequence[dict[str, Any]]) -> tuple[str, list[str]]:
    """Conversations of one customer that are so, one by one."""
    person, ids = f"person-{uuid.uuid4()}", []
    for change in changes:
        letter = {"channel": change.get("channel", "letters"), "from": person}
        message = await desk.letter("hello", **letter)
        if changed := {name: value for name, value in change.items() if name != "channel"}:
            await desk.send("PATCH", f"{CONVERSATIONS}/{message['conversation_id']}", changed)
        ids.append(message["conversation_id"])
    return message["customer_id"], ids


async def found(desk: Desk, headers: dict[str, str] | None = None, **query: Any) -> list[str]:
    async with desk.http.get(CONVERSATIONS, params={"limit": 200, **query}, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        return [item["id"] for item in (await answer.json())["items"]]


async def test_a_view_is_made_changed_and_forgotten(desk: Desk) -> None:
    me = (await desk.get("/api/v1/me"))["id"]
    asked = {"any": [OPEN, {"all": [but("tag", "spam"), {"waiting": True}]}]}
    async with desk.http.post(VIEWS, json={"name": "Mine", "filter": asked, "sort": "waiting"}) as answer:
        assert (answer.status, answer.headers["ETag"]) == (201, '"1"')
        view = await answer.json()
    assert {name: view[name] for name in ("name", "filter", "sort", "shared", "team", "owner", "version")} == {
        "name": "Mine", "filter": asked, "sort": "waiting", "shared": False, "team": None, "owner": me, "version": 1,
    }  # fmt: skip
    assert view in (await desk.get(VIEWS))["items"]

    path = f"{VIEWS}/{view['id']}"
    changed = await desk.send("PATCH", path, {"name": "Ours", "filter": OPEN}, **{"If-Match": '"1"'})

    assert changed == view | {"name": "Ours", "filter": OPEN, "version": 2, "updated_at": changed["updated_at"]}
    problem = await desk.problem("PATCH", path, json={"name": "x"}, headers={"If-Match": '"1"'})
    assert (problem["status"], problem["type"]) == (412, "version-conflict")
    await desk.send("DELETE", path, None, status=204)
    for method in ("PATCH", "DELETE"):
        assert (await desk.problem(method, path, json={"name": "x"}))["type"] == "not-found"
    problem = await desk.problem("GET", f"{CONVERSATIONS}?view={view['id']}")
    assert (problem["status"], problem["type"]) == (404, "not-found")


async def test_a_list_of_views_is_by_name(desk: Desk) -> None:
    headers, _ = await principal(desk)
    for name in ("b", "A", "c"):
        await desk.send("POST", VIEWS, {"name": name, "filter": OPEN}, status=201, **headers)
    async with desk.http.get(VIEWS, headers=headers) as answer:
        page = await answer.json()
    assert [item["name"] for item in page["items"] if not item["shared"]] == ["A", "b", "c"]
    assert page["next"] is None


@pytest.mark.parametrize(
    ("filter_", "held"),
    [
        (condition("status", "resolved"), [2]),
        (condition("status", "resolved", "pending"), [2, 3]),
        (but("status", "resolved", "pending"), [0, 1]),
        (condition("channel", "second"), [1]),
        (but("channel", "second"), [0, 2, 3]),
        (condition("assignee", "me"), [0]),
        (condition("assignee", "none"), [1, 3]),
        (condition("assignee", "me", "none"), [0, 1, 3]),
        (but("assignee", "me"), [1, 2, 3]),
        (but("assignee", "none"), [0, 2]),
        (condition("assignee", "nobody"), []),
        (condition("team", "none"), [0, 1, 2]),
        (but("team", "none"), [3]),
        (condition("tag", "vip", "lamp"), [0, 1]),
        (but("tag", "vip"), [1, 2, 3]),
        (condition("tag", "none"), []),
        (condition("priority", "high", "urgent"), [1, 2]),
        (condition("follower", "me"), [3]),
        (but("follower", "me"), [0, 1, 2]),
        ({"waiting": True}, [0, 1, 3]),
        ({"waiting": False}, [2]),
        ({"all": [OPEN, condition("tag", "lamp")]}, [0, 1]),
        ({"all": [OPEN, condition("tag", "lamp"), condition("tag", "vip")]}, [0]),
        ({"any": [condition("tag", "vip"), condition("status", "pending")]}, [0, 3]),
        ({"all": [{"any": [condition("tag", "vip"), {"all": [{"waiting": False}]}]}, but("status", "open")]}, [2]),
        (
            {"any": [{"all": [OPEN, condition("channel", "second")]}, {"all": [condition("priority", "urgent")]}]},
            [1, 2],
        ),
    ],
)
async def test_a_view_holds_what_it_asks_for(desk: Desk, filter_: Any, held: list[int]) -> None:
    me, (_, other) = (await desk.get("/api/v1/me"))["id"], await principal(desk)
    customer, ids = await conversations(
        desk,
        [
            {"assignee": me, "tags": ["vip", "lamp"]},
            {"channel": "second", "priority": "high", "tags": ["lamp"]},
            {"status": "resolved", "assignee": other, "priority": "urgent"},
            {"status": "pending", "followers": [me, other], "team": await team(desk)},
        ],
    )
    view = await made(desk, filter_)

    assert sorted(await found(desk, view=view["id"], customer=customer)) == sorted(ids[number] for number in held)


async def test_me_is_whoever_looks(desk: Desk) -> None:
    (grace, her), (alan, his) = await principal(desk), await principal(desk)
    _, ids = await conversations(desk, [{"assignee": her}, {"assignee": his}, {"followers": [his]}])
    view = await made(desk, {"any": [condition("assignee", "me"), condition("follower", "me")]}, shared=True)

    assert await found(desk, grace, view=view["id"]) == [ids[0]]
    assert await found(desk, alan, view=view["id"]) == [ids[2], ids[1]]


async def test_a_view_of_a_customer_holds_those_who_are_them(desk: Desk) -> None:
    first, (one,) = await conversations(desk, [{}])
    second, (two,) = await conversations(desk, [{}])
    view = await made(desk, {"all": [condition("customer", first), {"waiting": True}]})
    without = await made(desk, but("customer", first, "nobody"))
    assert await found(desk, view=view["id"]) == [one]

    await desk.send("POST", f"/api/v1/customers/{first}/merge", {"into": second})

    assert await found(desk, view=view["id"]) == [two, one]
    assert not {one, two} & set(await found(desk, view=without["id"], customer=second))


async def test_a_view_and_other_filters_must_all_hold(desk: Desk) -> None:
    customer, ids = await conversations(desk, [{"tags": ["a"]}, {"tags": ["a", "b"]}, {"tags": ["b"]}])
    view = (await made(desk, {"any": [condition("tag", "a"), condition("tag", "b")]}))["id"]

    assert await found(desk, view=view, customer=customer) == ids[::-1]
    assert await found(desk, view=view, customer=customer, tag="a") == ids[1::-1]
    assert await found(desk, view=view, customer=customer, tag="c") == []


@pytest.mark.parametrize("limit", [1, 2, 5])
@pytest.mark.parametrize(("sort", "order"), [("-updated_at", [4, 3, 2, 1, 0]), ("waiting", [0, 1, 2, 3, 4])])
async def test_a_view_pages_in_its_own_order_and_in_any_other(
    desk: Desk, sort: str, order: list[int], limit: int
) -> None:
    customer, ids = await conversations(desk, [{}, {}, {}, {}, {}, {"status": "resolved"}])
    filter_ = {"all": [OPEN, {"any": [condition("customer", customer), condition("tag", uuid.uuid4().hex)]}]}
    in_it = await made(desk, filter_, sort=sort)
    other = await made(desk, filter_, sort="updated_at")

    for query in ({"view": in_it["id"]}, {"view": other["id"], "sort": sort}):
        paged: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = await desk.get(CONVERSATIONS, limit=limit, **query, **cursor)
            paged += [item["id"] for item in page["items"]]
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        assert paged == [ids[number] for number in order]


async def test_a_view_shows_nobody_what_they_do_not_see(desk: Desk) -> None:
    ours = await team(desk)
    (inside, _), (outside, _) = await principal(desk, teams=[ours]), await principal(desk)
    customer, ids = await conversations(desk, [{"team": ours}, {}])
    view = await made(desk, {"any": [condition("team", ours), condition("customer", customer)]}, shared=True)

    for headers, seen in ((inside, ids[::-1]), (outside, ids[1:]), (None, ids[::-1])):
        assert await found(desk, headers, view=view["id"]) == seen
    paged = await desk.http.get(CONVERSATIONS, params={"view": view["id"], "limit": 1}, headers=outside)
    assert (await paged.json())["next"] is None


async def test_whose_views_are(desk: Desk) -> None:
    ours = await team(desk)
    (grace, her), (alan, _) = await principal(desk, teams=[ours]), await principal(desk)
    supervisor, _ = await principal(desk, role="supervisor")
    hers = await desk.send("POST", VIEWS, {"name": "hers", "filter": OPEN}, status=201, **grace)
    of_all = await made(desk, OPEN, shared=True)
    of_ours = await made(desk, OPEN, shared=True, team=ours)

    for headers, seen in (
        (grace, {hers["id"], of_all["id"], of_ours["id"]}),
        (alan, {of_all["id"]}),
        (supervisor, {of_all["id"], of_ours["id"]}),
    ):
        assert {hers["id"], of_all["id"], of_ours["id"]} & set(await listed(desk, headers)) == seen
        for view in (hers, of_all, of_ours):
            async with desk.http.get(CONVERSATIONS, params={"view": view["id"]}, headers=headers) as answer:
                assert answer.status == (200 if view["id"] in seen else 404)

    async def refusal(method: str, view: dict[str, Any], headers: dict[str, str]) -> str:
        body = {"name": "taken"}
        return str((await desk.problem(method, f"{VIEWS}/{view['id']}", json=body, headers=headers))["type"])

    for method in ("PATCH", "DELETE"):
        assert await refusal(method, of_all, grace) == await refusal(method, of_ours, grace) == "forbidden"
        assert await refusal(method, of_ours, alan) == await refusal(method, hers, alan) == "not-found"
        assert await refusal(method, hers, supervisor) == "not-found"
    shared = {"name": "x", "filter": OPEN, "shared": True, "team": ours}
    assert (await desk.problem("POST", VIEWS, json=shared, headers=grace))["type"] == "forbidden"
    path = f"{VIEWS}/{hers['id']}"
    assert (await desk.problem("PATCH", path, json={"shared": True}, headers=grace))["type"] == "forbidden"
    assert (await desk.send("PATCH", path, {"name": "still hers"}, **grace))["owner"] == her
    assert (await desk.send("PATCH", f"{VIEWS}/{of_ours['id']}", {"name": "theirs"}, **supervisor))["version"] == 2
    await desk.send("DELETE", path, None, status=204, **grace)


async def test_what_is_not_shared_any_more_is_its_owners(desk: Desk) -> None:
    supervisor, _ = await principal(desk, role="supervisor")
    view = await made(desk, OPEN, shared=True, team=await team(desk))
    path = f"{VIEWS}/{view['id']}"

    taken = await desk.send("PATCH", path, {"shared": False}, **supervisor)

    assert (taken["shared"], taken["team"]) == (False, None)
    assert view["id"] not in await listed(desk, supervisor)
    assert view["id"] in await listed(desk, {})


@pytest.mark.parametrize(
    ("filter_", "field"),
    [
        (None, "filter"),
        ([], "filter"),
        ({}, "filter"),
        ({"all": []}, "filter.all"),
        ({"all": {}}, "filter.all"),
        ({"all": [OPEN], "any": [OPEN]}, "filter"),
        ({"all": [OPEN], "is": ["open"]}, "filter"),
        ({"all": [OPEN, OPEN | {"waiting": True}]}, "filter.all[1]"),
        ({"is": ["open"]}, "filter"),
        ({"field": "status"}, "filter"),
        ({"field": "status", "is": ["open"], "is_not": ["open"]}, "filter"),
        ({"field": "status", "is": []}, "filter.is"),
        ({"field": "status", "is": "open"}, "filter.is"),
        ({"field": "status", "is": None}, "filter.is"),
        ({"field": "status", "is": [{"$ne": "open"}]}, "filter.is[0]"),
        ({"field": "status", "is": ["closed"]}, "filter"),
        ({"any": [OPEN, {"all": [{"field": "priority", "is_not": ["high", "$gt"]}]}]}, "filter.any[1].all[0]"),
        ({"field": "$where", "is": ["1"]}, "filter.field"),
        ({"field": "unread", "is": ["1"]}, "filter.field"),
        ({"field": "tag", "is": [""]}, "filter.is[0]"),
        ({"field": "tag", "is": ["x"] * 51}, "filter.is"),
        ({"waiting": 1}, "filter.waiting"),
        ({"$or": [OPEN]}, "filter.$or"),
        (nested(4), "filter.all[0].all[0].all[0]"),
        (nested(100), "filter.all[0].all[0].all[0]"),
        ({"any": [OPEN] * 21}, "filter.any"),
        ({"any": [{"all": [OPEN] * 7}] * 3}, "filter"),
    ],
)
async def test_a_filter_that_means_nothing_is_refused_and_named(desk: Desk, filter_: Any, field: str) -> None:
    problem = await desk.problem("POST", VIEWS, json={"name": "v", "filter": filter_})
    assert (problem["status"], problem["type"], problem["errors"][0]["field"]) == (422, "invalid-body", field)


async def test_as_much_as_may_be_is_taken(desk: Desk) -> None:
    assert (await made(desk, nested(3)))["filter"] == nested(3)
    largest = {"any": [{"all": [condition("tag", *(f"t{n}" for n in range(50)))] * 10}] * 2}
    view = await made(desk, largest)
    assert view["filter"] == largest
    assert await found(desk, view=view["id"]) == []


async def test_a_filter_without_end_is_refused(desk: Desk) -> None:
    bomb = b'{"name": "v", "filter": %s' % (b'{"all": [' * 100_000)
    assert (await desk.problem("POST", VIEWS, data=bomb))["status"] in (400, 422)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"team": "nobody", "shared": True}, "team"),
        ({"name": ""}, "name"),
        ({"sort": "name"}, "sort"),
        ({"owner": "x"}, "owner"),
        ({"shared": None}, "shared"),
    ],
)
async def test_what_makes_no_view_is_refused(desk: Desk, fields: dict[str, Any], field: str) -> None:
    view = await made(desk, OPEN)
    for method, path in (("POST", VIEWS), ("PATCH", f"{VIEWS}/{view['id']}")):
        problem = await desk.problem(method, path, json={"name": "v", "filter": OPEN, **fields})
        assert (problem["status"], problem["errors"][0]["field"]) == (422, field)


async def test_what_is_ones_own_is_no_teams(desk: Desk) -> None:
    view, ours = await made(desk, OPEN), await team(desk)
    for method, path in (("POST", VIEWS), ("PATCH", f"{VIEWS}/{view['id']}")):
        problem = await desk.problem(method, path, json={"name": "v", "filter": OPEN, "team": ours})
        assert (problem["status"], problem["errors"][0]["field"]) == (422, "team")
    assert (await desk.problem("PATCH", f"{VIEWS}/{view['id']}", json={}))["status"] == 422


@pytest.mark.parametrize("view", ["", "nothing", "$ne", "%00", "%F0%9F%98%80"])
async def test_a_view_that_there_is_not_is_404(desk: Desk, view: str) -> None:
    problem = await desk.problem("GET", f"{CONVERSATIONS}?view={view}")
    assert (problem["status"], problem["type"]) == (404, "not-found")
