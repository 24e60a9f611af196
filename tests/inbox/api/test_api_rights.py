"""The matrix of who may what, call by call: each role, and conversations that an agent sees or does not see."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, WSServerHandshakeError
from api_desk import Desk
from harness import PATIENCE

from inbox.api import ROUTES
from inbox.api.routing import Route
from inbox.staff import ROLES, Role

KNOWN = [pytest.param(route, id=f"{route.method} {route.path}") for route in ROUTES if route.right.least != "anyone"]
ABOUT_ONE = [param for param in KNOWN if param.values[0].right.scope == "one"]  # type: ignore[attr-defined]

SECRET_FILE = {"type": "text/plain", "data": base64.b64encode(b"the secret itself").decode()}
BODIES: Mapping[str, Any] = {
    "PUT /api/v1/conversations/{id}/draft": {"text": "so far"},
    "PATCH /api/v1/messages/{id}": {"text": "anew"},
    "POST /api/v1/messages/{id}/reactions": {"emoji": "👍"},
    "PATCH /api/v1/conversations/{id}": {"priority": "high"},
    "POST /api/v1/conversations/{id}/read": {"seq": 1},
    "POST /api/v1/conversations/{id}/messages": {"text": "between us", "direction": "note"},
}


@dataclass
class Secret:
    """A conversation of a team, and whoever may be asked for it: by name, what they bear."""

    conversation_id: str
    customer_id: str
    message_id: str
    attachment_id: str
    canned_id: str
    team: str
    tokens: Mapping[str, str]

    def path(self, route: Route) -> str:
        """The call about what is in it."""
        kind = route.path.split("/")[3]
        ids = {"conversations": self.conversation_id, "messages": self.message_id, "attachments": self.attachment_id}
        return route.path.replace("{id}", ids[kind]).replace("{canned_id}", self.canned_id)


SEE = ("of the team", "assigned", "supervisor", "admin")
DO_NOT_SEE = ("of another team", "of no team")


@pytest.fixture(scope="module")
async def secret(desk: Desk) -> Secret:
    ours, theirs = [(await desk.send("POST", "/api/v1/teams", {"name": n}, status=201))["id"] for n in ("ours", "x")]
    teams = {"of the team": [ours], "of another team": [theirs], "of no team": [], "assigned": [theirs]}
    tokens = {who: await token(desk, who, teams=of) for who, of in teams.items()}
    tokens |= {role: await token(desk, role, role=role) for role in ("supervisor", "admin")}
    message = await desk.letter("a secret", files={"secret.txt": SECRET_FILE})
    conversation = f"/api/v1/conversations/{message['conversation_id']}"
    async with desk.http.get("/api/v1/me", headers=bearer(tokens["assigned"])) as answer:
        assignee = (await answer.json())["id"]
    await desk.send("PATCH", conversation, {"team": ours, "assignee": assignee})
    for theirs in tokens.values():  # the draft that there is to read
        async with desk.http.put(f"{conversation}/draft", json={"text": "so far"}, headers=bearer(theirs)):
            pass
    canned = {"shortcut": f"secret-{ours}", "title": "at hand", "text": "so far"}
    return Secret(
        conversation_id=message["conversation_id"],
        customer_id=message["customer_id"],
        message_id=message["id"],
        attachment_id=message["attachments"][0]["id"],
        canned_id=(await desk.send("POST", "/api/v1/canned-replies", canned, status=201))["id"],
        team=ours,
        tokens=tokens,
    )


async def token(desk: Desk, name: str, **rights: Any) -> str:
    return str((await desk.send("POST", "/api/v1/tokens", {"name": name, **rights}, status=201))["token"])


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("route", KNOWN)
async def test_each_call_is_for_its_roles(desk: Desk, route: Route, role: Role) -> None:
    path = re.sub(r"\{\w+\}", "there-is-no-such-thing", route.path)
    async with desk.http.request(route.method, path, headers=bearer(desk.tokens[role]), data=b"not json") as answer:
        refused = answer.status == 403 and (await answer.json(content_type=None))["type"] == "forbidden"
    least = route.right.least
    assert least != "anyone"
    assert refused == (ROLES.index(role) < ROLES.index(least))


@pytest.mark.parametrize("route", KNOWN)
async def test_no_call_is_for_nobody(desk: Desk, route: Route) -> None:
    path = re.sub(r"\{\w+\}", "there-is-no-such-thing", route.path)
    for headers in ({"Authorization": ""}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic QWRhOg=="}):
        problem = await desk.problem(route.method, path, headers=headers)
        assert (problem["status"], problem["type"]) == (401, "unauthorized")


@pytest.mark.parametrize("route", ABOUT_ONE)
async def test_what_one_does_not_see_does_not_exist(desk: Desk, secret: Secret, route: Route) -> None:
    found = {}
    for who, theirs in secret.tokens.items():
        path, body = secret.path(route), BODIES.get(f"{route.method} {route.path}", {"into": secret.conversation_id})
        async with desk.http.request(route.method, path, json=body, headers=bearer(theirs)) as answer:
            found[who] = answer.status
            text = await answer.text()
        # What is refused is told as of a thing that never was.
        never = secret.path(route).replace(secret.conversation_id, "x").replace(secret.message_id, "x")
        if answer.status == 404:
            async with desk.http.request(
                route.method, never.replace(secret.attachment_id, "x"), json=body, headers=bearer(theirs)
            ) as other:
                assert {**json.loads(text), "detail": ""} == {**json.loads(await other.text()), "detail": ""}
    assert {who for who, status in found.items() if status == 404} == set(DO_NOT_SEE)
    assert {status // 100 for who, status in found.items() if who in SEE} <= {2, 4}


async def test_lists_leave_it_out(desk: Desk, secret: Secret) -> None:
    for path, query in (
        ("/api/v1/conversations", {"customer": secret.customer_id}),
        ("/api/v1/conversations", {"team": secret.team}),
        ("/api/v1/conversations", {"sort": "-created_at", "limit": "200"}),
        (f"/api/v1/customers/{secret.customer_id}/timeline", {"limit": "200"}),
    ):
        seen = set()
        for who, theirs in secret.tokens.items():
            async with desk.http.get(path, params=query, headers=bearer(theirs)) as answer:
                assert answer.status == 200
                if secret.conversation_id in await answer.text():
                    seen.add(who)
        assert seen == set(SEE), (path, query)


async def test_a_timeline_goes_on_behind_what_is_left_out(desk: Desk, secret: Secret) -> None:
    hidden = [await desk.letter(f"hidden {n}", **{"from": "eve"}, thread="hidden") for n in range(7)]
    path = f"/api/v1/conversations/{hidden[0]['conversation_id']}"
    await desk.send("PATCH", path, {"team": secret.team})
    shown = [await desk.letter(f"shown {n}", **{"from": "eve"}, thread="shown") for n in range(3)]

    paged, query = [], {"limit": "2"}
    while True:
        timeline = f"/api/v1/customers/{hidden[0]['customer_id']}/timeline"
        headers = bearer(secret.tokens["of no team"])
        async with desk.http.get(timeline, params=query, headers=headers) as answer:
            page = await answer.json()
        paged += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert paged == [message["id"] for message in shown]


async def test_events_are_told_to_those_who_see(desk: Desk, secret: Secret) -> None:
    cursor = (await desk.get("/api/v1/events"))["next"]
    path = f"/api/v1/conversations/{secret.conversation_id}"
    async with listening(desk, secret, cursor) as streams:
        note = await desk.send("POST", f"{path}/messages", {"text": "psst", "direction": "note"}, status=201)
        open_to_all = await desk.letter("for all")
        for who, stream in streams.items():
            told = await until(stream, open_to_all["id"])
            assert (note["id"] in told) == (who in SEE), who
    for who, theirs in secret.tokens.items():
        async with desk.http.get("/api/v1/events", params={"after": cursor}, headers=bearer(theirs)) as answer:
            told = [item["message_id"] for item in (await answer.json())["items"]]
        assert (note["id"] in told) == (who in SEE), who


async def test_who_gives_it_away_hears_of_that_and_no_more(desk: Desk, secret: Secret) -> None:
    message = await desk.letter("to be given away")
    path = f"/api/v1/conversations/{message['conversation_id']}"
    theirs = bearer(secret.tokens["of no team"])
    cursor = (await desk.get("/api/v1/events"))["next"]

    async with desk.http.patch(path, json={"team": secret.team}, headers=theirs) as answer:
        assert (answer.status, (await answer.json())["team"]) == (200, secret.team)
    await desk.send("POST", f"{path}/messages", {"text": "now among us", "direction": "note"}, status=201)

    async with desk.http.get("/api/v1/events", params={"after": cursor}, headers=theirs) as answer:
        items = (await answer.json())["items"]
    assert [(item["type"], item["data"]["conversation"]["team"]) for item in items] == [
        ("conversation.updated", secret.team)
    ]
    async with desk.http.get(path, headers=theirs) as answer:
        assert answer.status == 404


async def test_a_cursor_goes_on_past_what_is_not_told(desk: Desk, secret: Secret) -> None:
    headers = bearer(secret.tokens["of no team"])
    before = (await desk.get("/api/v1/events"))["next"]
    path = f"/api/v1/conversations/{secret.conversation_id}"
    await desk.send("PATCH", path, {"tags": ["hidden"]})
    async with desk.http.get("/api/v1/events", params={"after": before}, headers=headers) as answer:
        page = await answer.json()
    assert page["items"] == []
    assert page["next"] == (await desk.get("/api/v1/events"))["next"] != before


async def test_a_stream_ends_when_its_reader_has_other_rights(desk: Desk, secret: Secret) -> None:
    agent = {"email": "moved@example.com", "password": "correct horse", "name": "Moved"}
    id_ = (await desk.send("POST", "/api/v1/agents", agent, status=201))["id"]
    async with desk.http.post(
        "/api/v1/session", json={k: agent[k] for k in ("email", "password")}, headers={"Authorization": ""}
    ) as answer:
        cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in answer.cookies.items())
    async with desk.http.ws_connect("/api/v1/stream", headers={"Authorization": "", "Cookie": cookie}) as stream:
        assert (await stream.receive_json())["type"] == "hello"
        await desk.send("PATCH", f"/api/v1/agents/{id_}", {"teams": [secret.team]})
        async with asyncio.timeout(PATIENCE):
            while (frame := await stream.receive()).type is WSMsgType.TEXT:
                pass
        assert (frame.type, stream.close_code) == (WSMsgType.CLOSE, 4403)


async def test_no_stream_is_for_nobody(desk: Desk) -> None:
    with pytest.raises(WSServerHandshakeError) as refused:
        await desk.http.ws_connect("/api/v1/stream", headers={"Authorization": ""})
    assert refused.value.status == 401


async def test_an_upload_is_its_owners_until_a_message_shows_it(desk: Desk, secret: Secret) -> None:
    async with desk.http.post("/api/v1/attachments", params={"filename": "a.txt"}, data=b"mine") as answer:
        id_ = (await answer.json())["id"]
    for who, theirs in secret.tokens.items():
        async with desk.http.get(f"/api/v1/attachments/{id_}", headers=bearer(theirs)) as answer:
            assert answer.status == 404, who
    path = f"/api/v1/conversations/{secret.conversation_id}/messages"
    await desk.send("POST", path, {"text": "see", "direction": "note", "attachments": [id_]}, status=201)
    for who, theirs in secret.tokens.items():
        async with desk.http.get(f"/api/v1/attachments/{id_}", headers=bearer(theirs)) as answer:
            assert answer.status == (200 if who in SEE else 404), who


@pytest.mark.parametrize("field", ["assignee", "team"])
async def test_work_is_given_to_those_alone_who_exist(desk: Desk, secret: Secret, field: str) -> None:
    path = f"/api/v1/conversations/{secret.conversation_id}"
    problem = await desk.problem("PATCH", path, json={field: "nobody"})
    assert (problem["status"], problem["errors"][0]["field"]) == (422, field)


@asynccontextmanager
async def listening(desk: Desk, secret: Secret, cursor: str) -> AsyncIterator[dict[str, ClientWebSocketResponse]]:
    """A stream of each."""
    streams = {}
    try:
        for who, theirs in secret.tokens.items():
            path = f"/api/v1/stream?after={cursor}"
            streams[who] = await desk.http.ws_connect(path, headers=bearer(theirs))
        yield streams
    finally:
        for stream in streams.values():
            await stream.close()


async def until(stream: ClientWebSocketResponse, message_id: str) -> list[str | None]:
    """The messages that a stream tells of, up to one."""
    told: list[str | None] = []
    async with asyncio.timeout(PATIENCE):
        while message_id not in told:
            told.append((await stream.receive_json()).get("message_id"))
    return told
