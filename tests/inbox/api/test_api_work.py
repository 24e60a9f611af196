"""What agents work with beside messages: counts, tags, followers, mentions, drafts, joined conversations."""

from __future__ import annotations

import uuid
from typing import Any

from api_desk import Desk

CONVERSATIONS = "/api/v1/conversations"


def someone() -> str:
    return f"person-{uuid.uuid4()}"


async def agent(desk: Desk, **rights: Any) -> dict[str, str]:
    """A program's headers, and its id."""
    token = (await desk.send("POST", "/api/v1/tokens", {"name": "Grace", **rights}, status=201))["token"]
    headers = {"Authorization": f"Bearer {token}"}
    async with desk.http.get("/api/v1/me", headers=headers) as answer:
        return headers | {"id": (await answer.json())["id"]}


async def counts(desk: Desk, who: dict[str, str] | None = None, **query: str) -> Any:
    headers = {"Authorization": who["Authorization"]} if who else {}
    async with desk.http.get("/api/v1/counts", params=query, headers=headers) as answer:
        assert answer.status == 200
        return await answer.json()


async def test_the_counts_are_what_the_lists_hold(desk: Desk) -> None:
    team = (await desk.send("POST", "/api/v1/teams", {"name": "counted"}, status=201))["id"]
    inside, outside = await agent(desk, teams=[team]), await agent(desk)
    before, hidden = await counts(desk), await counts(desk, outside)
    ids = [(await desk.letter("count me", **{"from": someone()}))["conversation_id"] for _ in range(4)]
    tag = someone()

    await desk.send("PATCH", f"{CONVERSATIONS}/{ids[0]}", {"team": team, "tags": [tag, "other"]})
    await desk.send("PATCH", f"{CONVERSATIONS}/{ids[1]}", {"team": team, "assignee": inside["id"], "tags": [tag]})
    await desk.send("PATCH", f"{CONVERSATIONS}/{ids[2]}", {"status": "resolved", "tags": [tag]})

    all_, ours, theirs = await counts(desk), await counts(desk, inside), await counts(desk, outside)
    assert all_["statuses"]["open"] - before["statuses"]["open"] == 3
    assert all_["statuses"]["resolved"] - before["statuses"]["resolved"] == 1
    assert (ours["mine"], ours["teams"], ours["tags"][tag]) == (1, {team: 2}, 2)
    assert theirs["statuses"]["open"] - hidden["statuses"]["open"] == 1
    assert tag not in theirs["tags"]
    assert (await counts(desk, status="resolved"))["tags"][tag] == 1
    for status in ("open", "pending", "snoozed", "resolved"):
        listed = 0
        page = await desk.get(CONVERSATIONS, status=status, limit=200)
        while True:
            listed += len(page["items"])
            if page["next"] is None:
                break
            page = await desk.get(CONVERSATIONS, status=status, limit=200, cursor=page["next"])
        assert all_["statuses"][status] == listed
    tags = {one["name"]: one["conversations"] for one in (await desk.get("/api/v1/tags"))["items"]}
    assert tags[tag] == 3

    await desk.send("PATCH", f"{CONVERSATIONS}/{ids[0]}", {"tags": []})
    await desk.send("PATCH", f"{CONVERSATIONS}/{ids[1]}", {"tags": [], "assignee": None, "team": None})
    await desk.send("PATCH", f"{CONVERSATIONS}/{ids[2]}", {"tags": []})
    assert tag not in str((await desk.get("/api/v1/tags"))["items"])
    assert (await counts(desk, inside))["teams"] == {team: 1}


async def test_whom_a_note_mentions_follows(desk: Desk) -> None:
    grace = await agent(desk)
    message = await desk.letter("what is this?", **{"from": someone()})
    path = f"{CONVERSATIONS}/{message['conversation_id']}"
    note = {"text": "Grace, do you know?", "direction": "note", "mentions": [grace["id"], grace["id"]]}

    written = await desk.send("POST", f"{path}/messages", note, status=201)

    assert written["relations"]["mentions"] == [grace["id"]]
    assert (await desk.get(path))["followers"] == [grace["id"]]
    followed = await desk.get(CONVERSATIONS, follower=grace["id"])
    assert [item["id"] for item in followed["items"]] == [message["conversation_id"]]
    await desk.send("PATCH", path, {"followers": []})
    assert (await desk.get(CONVERSATIONS, follower=grace["id"]))["items"] == []


async def test_nobody_is_called_who_cannot_come(desk: Desk) -> None:
    team = (await desk.send("POST", "/api/v1/teams", {"name": "apart"}, status=201))["id"]
    grace = await agent(desk)
    message = await desk.letter("what is this?", **{"from": someone()})
    path = f"{CONVERSATIONS}/{message['conversation_id']}"
    await desk.send("PATCH", path, {"team": team})
    for body in (
        {"text": "a", "direction": "note", "mentions": [grace["id"]]},
        {"text": "a", "direction": "note", "mentions": ["nobody"]},
        {"text": "a", "mentions": [grace["id"]]},
    ):
        problem = await desk.problem("POST", f"{path}/messages", json=body)
        assert (problem["type"], problem["errors"][0]["field"]) == ("invalid-body", "mentions[0]")


async def test_a_draft_is_its_writers_and_stays(desk: Desk) -> None:
    grace = await agent(desk)
    message = await desk.letter("hello", **{"from": someone()})
    path = f"{CONVERSATIONS}/{message['conversation_id']}/draft"
    assert (await desk.problem("GET", path))["type"] == "not-found"

    await desk.send("PUT", path, {"text": "dear"})
    kept = await desk.send("PUT", path, {"text": "dear Ada", "cc": ["bob@example.com"]})

    assert (await desk.get(path)) == kept
    assert (kept["text"], kept["cc"], kept["direction"]) == ("dear Ada", ["bob@example.com"], "outbound")
    assert kept in (await desk.get("/api/v1/drafts"))["items"]
    theirs = {"Authorization": grace["Authorization"]}
    assert (await desk.problem("GET", path, headers=theirs))["type"] == "not-found"
    async with desk.http.get("/api/v1/drafts", headers=theirs) as answer:
        assert (await answer.json())["items"] == []
    async with desk.http.delete(path) as answer:
        assert answer.status == 204
    assert (await desk.problem("GET", path))["type"] == "not-found"


async def test_drafts_go_where_their_conversation_is_joined_to(desk: Desk) -> None:
    grace = await agent(desk)
    bearer = {"Authorization": grace["Authorization"]}
    home, emptied = [(await desk.letter("hi", **{"from": someone()}))["conversation_id"] for _ in range(2)]
    await desk.send("PUT", f"{CONVERSATIONS}/{emptied}/draft", {"text": "Dear Ada"})
    await desk.send("PUT", f"{CONVERSATIONS}/{home}/draft", {"text": "Dear Bob"}, **bearer)
    await desk.send("PUT", f"{CONVERSATIONS}/{emptied}/draft", {"text": "ask Eve", "direction": "note"}, **bearer)

    await desk.send("POST", f"{CONVERSATIONS}/{emptied}/merge", {"into": home})

    mine = await desk.get(f"{CONVERSATIONS}/{home}/draft")
    assert (mine["conversation_id"], mine["text"], mine["direction"]) == (home, "Dear Ada", "outbound")
    async with desk.http.get(f"{CONVERSATIONS}/{home}/draft", headers=bearer) as answer:
        theirs = await answer.json()
    assert (theirs["text"], theirs["direction"]) == ("Dear Bob\n\nask Eve", "note")  # which nobody is sent
    async with desk.http.get("/api/v1/drafts", headers=bearer) as answer:
        assert [one["conversation_id"] for one in (await answer.json())["items"]] == [home]


async def test_one_asks_for_the_draft_of_a_conversation_and_what_its_files_are_called(desk: Desk) -> None:
    messages = [await desk.letter("hello", **{"from": someone()}) for _ in range(2)]
    first, second = (message["conversation_id"] for message in messages)
    assert await desk.get("/api/v1/drafts", conversation=first) == {"items": [], "next": None}
    async with desk.http.post("/api/v1/attachments", params={"filename": "bill.txt"}, data=b"12.50") as answer:
        file = await answer.json()
    for id_ in (first, second):
        await desk.send("PUT", f"{CONVERSATIONS}/{id_}/draft", {"text": "here", "attachments": [file["id"], "gone"]})

    (draft,) = (await desk.get("/api/v1/drafts", conversation=first))["items"]

    assert (draft["conversation_id"], draft["attachments"]) == (first, [file["id"], "gone"])
    assert [(one["filename"], one["size"], one["state"]) for one in draft["files"]] == [("bill.txt", 5, "ready")]
    assert draft == await desk.get(f"{CONVERSATIONS}/{first}/draft")
    for id_ in (first, second):
        async with desk.http.delete(f"{CONVERSATIONS}/{id_}/draft") as answer:
            assert answer.status == 204


async def test_an_agent_joins_two_conversations(desk: Desk) -> None:
    first = await desk.letter("the lamp is broken", **{"from": someone()})
    second = await desk.letter("it is about the lamp again", **{"from": someone()})
    home, emptied = (f"{CONVERSATIONS}/{one['conversation_id']}" for one in (first, second))
    await desk.send("PATCH", home, {"tags": ["lamp"]})
    await desk.send("PATCH", emptied, {"tags": ["again"]})

    joined = await desk.send("POST", f"{emptied}/merge", {"into": first["conversation_id"]})

    assert (joined["id"], joined["tags"]) == (first["conversation_id"], ["lamp", "again"])
    messages = (await desk.get(f"{home}/messages"))["items"]
    assert [(one["seq"], one["text"]) for one in messages] == [
        (1, "the lamp is broken"),
        (2, "it is about the lamp again"),
    ]
    assert (await desk.get(emptied))["merged_into"] == first["conversation_id"]
    for body in ({"into": first["conversation_id"]}, {"into": second["conversation_id"]}):
        assert (await desk.problem("POST", f"{emptied}/merge", json=body))["type"] == "merged"
    problem = await desk.problem("POST", f"{home}/merge", json={"into": first["conversation_id"]})
    assert (problem["status"], problem["type"]) == (409, "merges-itself")
    answer = await desk.problem("POST", f"{emptied}/messages", json={"text": "to whom?"})
    assert (answer["status"], answer["type"]) == (404, "merged")
    assert answer["merged_into"] == first["conversation_id"]
    assert (await desk.problem("GET", f"{emptied}/draft"))["type"] == "merged"
    later = await desk.letter("thank you", thread=second["external"]["thread_key"], **{"from": someone()})
    assert later["conversation_id"] == first["conversation_id"]
