"""Canned replies: whose they are, what may stand in them, and what becomes of it where they are used."""

from __future__ import annotations

import asyncio
import uuid
from html.parser import HTMLParser
from typing import Any

import pytest
from api_desk import Desk

REPLIES = "/api/v1/canned-replies"


def a_shortcut() -> str:
    return f"s{uuid.uuid4().hex}"


def body(**fields: Any) -> dict[str, Any]:
    return {"shortcut": a_shortcut(), "title": "Late", "text": "It is late.", **fields}


async def made(desk: Desk, **fields: Any) -> dict[str, Any]:
    reply: dict[str, Any] = await desk.send("POST", REPLIES, body(**fields), status=201)
    return reply


async def team(desk: Desk) -> str:
    return str((await desk.send("POST", "/api/v1/teams", {"name": "canned"}, status=201))["id"])


async def bearer(desk: Desk, **rights: Any) -> dict[str, str]:
    token = (await desk.send("POST", "/api/v1/tokens", {"name": "Grace", **rights}, status=201))["token"]
    return {"Authorization": f"Bearer {token}"}


async def listed(desk: Desk, headers: dict[str, str]) -> list[str]:
    async with desk.http.get(REPLIES, headers=headers) as answer:
        assert answer.status == 200
        return [item["id"] for item in (await answer.json())["items"]]


async def filled(desk: Desk, text: str, html: str | None = None, **letter: Any) -> dict[str, Any]:
    """What a canned reply becomes in the conversation of a letter."""
    reply = await made(desk, text=text, html=html)
    message = await desk.letter("hello", **{"from": f"person-{uuid.uuid4()}", **letter})
    answer: dict[str, Any] = await desk.get(
        f"/api/v1/conversations/{message['conversation_id']}/canned-replies/{reply['id']}"
    )
    assert answer["id"] == reply["id"]
    return answer


async def test_a_canned_reply_is_made_changed_and_forgotten(desk: Desk) -> None:
    shortcut = a_shortcut()
    async with desk.http.post(REPLIES, json=body(shortcut=shortcut.upper(), html="<b>late</b>")) as answer:
        assert (answer.status, answer.headers["ETag"]) == (201, '"1"')
        reply = await answer.json()
    assert (reply["shortcut"], reply["html"], reply["team"], reply["version"]) == (shortcut, "<b>late</b>", None, 1)
    page = await desk.get(REPLIES)
    assert reply in page["items"]
    assert page["next"] is None
    assert [item["shortcut"] for item in page["items"]] == sorted(item["shortcut"] for item in page["items"])

    path = f"{REPLIES}/{reply['id']}"
    changed = await desk.send("PATCH", path, {"title": "Later", "html": None}, **{"If-Match": '"1"'})

    assert changed == reply | {
        "title": "Later", "html": None, "version": 2, "updated_at": changed["updated_at"],
    }  # fmt: skip
    problem = await desk.problem("PATCH", path, json={"title": "x"}, headers={"If-Match": '"1"'})
    assert (problem["status"], problem["type"]) == (412, "version-conflict")
    await desk.send("DELETE", path, None, status=204)
    assert reply["id"] not in await listed(desk, {})
    for method in ("PATCH", "DELETE"):
        assert (await desk.problem(method, path, json={"title": "x"}))["type"] == "not-found"


async def test_a_shortcut_is_one_replys(desk: Desk) -> None:
    first, second = await made(desk), await made(desk)
    for problem in (
        await desk.problem("POST", REPLIES, json=body(shortcut=first["shortcut"].upper())),
        await desk.problem("PATCH", f"{REPLIES}/{second['id']}", json={"shortcut": first["shortcut"]}),
    ):
        assert (problem["status"], problem["type"]) == (409, "shortcut-taken")
    for _ in range(2):  # its own is no other's
        await desk.send("PATCH", f"{REPLIES}/{first['id']}", {"shortcut": first["shortcut"]})

    other = a_shortcut()
    await desk.send("PATCH", f"{REPLIES}/{first['id']}", {"shortcut": other})
    await desk.send("PATCH", f"{REPLIES}/{second['id']}", {"shortcut": first["shortcut"]})
    await desk.send("DELETE", f"{REPLIES}/{first['id']}", None, status=204)
    assert (await made(desk, shortcut=other))["shortcut"] == other


async def test_of_many_at_once_one_has_the_shortcut(desk: Desk) -> None:
    wanted = body()

    async def status() -> int:
        async with desk.http.post(REPLIES, json=wanted) as answer:
            return answer.status

    assert sorted(await asyncio.gather(*(status() for _ in range(8)))) == [201] + [409] * 7


@pytest.mark.parametrize(("typed", "kept"), [("İADE_{}", "iade_{}"), ("Größe-{}", "größe-{}"), ("ÉTÉ{}", "été{}")])
async def test_shortcuts_are_folded(desk: Desk, typed: str, kept: str) -> None:
    end = uuid.uuid4().hex[:8]
    assert (await made(desk, shortcut=typed.format(end)))["shortcut"] == kept.format(end)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"shortcut": ""}, "shortcut"),
        ({"shortcut": "a b"}, "shortcut"),
        ({"shortcut": "/a"}, "shortcut"),
        ({"shortcut": "a\n\n"}, "shortcut"),
        ({"shortcut": "a" * 51}, "shortcut"),
        ({"shortcut": "$ne"}, "shortcut"),
        ({"shortcut": {"$ne": 1}}, "shortcut"),
        ({"title": ""}, "title"),
        ({"text": ""}, "text"),
        ({"text": None}, "text"),
        ({"text": "x" * 20_001}, "text"),
        ({"html": 5}, "html"),
        ({"team": "nobody"}, "team"),
        ({"version": 7}, "version"),
        ({"text": "{{customer.password}}"}, "text"),
        ({"html": "<p>{{customer.<b>name</b>}}</p>"}, "html"),
        ({"html": "{{__class__}}"}, "html"),
    ],
)
async def test_what_makes_no_canned_reply_is_refused(desk: Desk, fields: dict[str, Any], field: str) -> None:
    problem = await desk.problem("POST", REPLIES, json=body(**fields))
    assert (problem["status"], problem["type"], problem["errors"][0]["field"]) == (422, "invalid-body", field)


async def test_unknown_variables_are_named_beside_those_that_there_are(desk: Desk) -> None:
    known = [variable["name"] for variable in (await desk.get(REPLIES))["variables"]]
    assert known == ["agent.name", "conversation.subject", "customer.name", "inbox.name"]
    reply = await made(desk, text=" ".join(f"{{{{{name}}}}}" for name in known))

    problem = await desk.problem(
        "PATCH", f"{REPLIES}/{reply['id']}", json={"text": "{{ order.id }} {{agent.name}} {{x}} {{x}}", "html": "{{}}"}
    )

    there = "there are {{agent.name}}, {{conversation.subject}}, {{customer.name}}, {{inbox.name}}"
    assert problem["errors"] == [
        {"field": "text", "detail": f"no such variable: {{{{ order.id }}}}, {{{{x}}}}; {there}"},
        {"field": "html", "detail": f"no such variable: {{{{}}}}; {there}"},
    ]
    assert len((await desk.problem("POST", REPLIES, json=body(text="{{x%s}}" * 999)))["detail"]) < 1000
    many = "".join(f"{{{{{'x' * 500}{n}}}}}" for n in range(39))
    assert len((await desk.problem("POST", REPLIES, json=body(text=many)))["detail"]) < 1000


@pytest.mark.parametrize("change", [{}, {"text": None}, {"title": None}, {"shortcut": None}, {"id": "x"}])
async def test_a_change_of_nothing_is_refused(desk: Desk, change: dict[str, Any]) -> None:
    reply = await made(desk)
    assert (await desk.problem("PATCH", f"{REPLIES}/{reply['id']}", json=change))["status"] == 422


async def test_html_is_made_harmless(desk: Desk) -> None:
    reply = await made(desk, html='<p onclick="x()">a<script>alert(1)</script></p>')
    assert reply["html"] == "<p>a</p>"
    assert (await made(desk, html="<script>alert(1)</script>"))["html"] is None
    deep = body(html="<div>" * 5_000)
    assert (await desk.problem("POST", REPLIES, json=deep))["type"] == "html-too-complex"


async def test_agents_keep_those_of_their_teams(desk: Desk) -> None:
    ours, theirs = await team(desk), await team(desk)
    grace, supervisor = await bearer(desk, teams=[ours]), await bearer(desk, role="supervisor")
    of_all, of_ours, of_theirs = [await made(desk, team=of) for of in (None, ours, theirs)]

    seen = await listed(desk, grace)
    assert (of_all["id"] in seen, of_ours["id"] in seen, of_theirs["id"] in seen) == (True, True, False)
    assert {of_all["id"], of_ours["id"], of_theirs["id"]} <= set(await listed(desk, supervisor))

    for of, status in ((ours, 201), (None, 403), (theirs, 403)):
        async with desk.http.post(REPLIES, json=body(team=of), headers=grace) as answer:
            assert answer.status == status
    for reply, status, type_ in ((of_all, 403, "forbidden"), (of_theirs, 404, "not-found")):
        for method in ("PATCH", "DELETE"):
            path = f"{REPLIES}/{reply['id']}"
            problem = await desk.problem(method, path, json={"title": "ours now"}, headers=grace)
            assert (problem["status"], problem["type"]) == (status, type_)
    path = f"{REPLIES}/{of_ours['id']}"
    for of in (None, theirs):
        assert (await desk.problem("PATCH", path, json={"team": of}, headers=grace))["type"] == "forbidden"
    assert (await desk.send("PATCH", path, {"title": "ours"}, **grace))["title"] == "ours"
    assert (await desk.send("PATCH", path, {"team": None}, **supervisor))["team"] is None
    await desk.send("DELETE", path, None, status=204, **supervisor)


async def test_variables_are_filled_for_who_answers_whom(desk: Desk) -> None:
    answer = await filled(
        desk,
        "Hello {{customer.name}}, of {{ conversation.subject }}:\n{{inbox.name}}, {{agent.name}}",
        "<p>Hello {{customer.name}},</p>",
        name='<Ada> & "Söhne"',
        subject="{{agent.name}}",
    )
    assert answer["text"] == 'Hello <Ada> & "Söhne", of {{agent.name}}:\nSantral, Ada'
    assert answer["html"] == '<p>Hello &lt;Ada&gt; &amp; "Söhne",</p>'


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Hello {{customer.name}}, it is late.", "Hello, it is late."),
        ("Hello {{customer.name}} and all!", "Hello and all!"),
        ("{{customer.name}} hello", "hello"),
        ("Hello\n{{customer.name}} there", "Hello\nthere"),
        ("Hello {{customer.name}}", "Hello"),
        ("Hello {{customer.name}}\nthere", "Hello\nthere"),
        ("Hello {{customer.name}} {{conversation.subject}} there", "Hello there"),
        ("Hello {{customer.name}}{{agent.name}} there", "Hello Ada there"),
        ("a  b {{customer.name}}", "a  b"),
        ("{{customer.name}}", ""),
        ("{ {customer.name} } {{", "{ {customer.name} } {{"),
    ],
)
async def test_what_is_not_known_leaves_no_gap(desk: Desk, template: str, text: str) -> None:
    assert (await filled(desk, template))["text"] == text


@pytest.mark.parametrize(
    "name",
    [
        '"><img src=x onerror=alert(1)>',
        "red; position: fixed",
        "</p><script>alert(1)</script>",
        "javascript:alert(1)",
        "' onmouseover='alert(1)",
        "{{inbox.name}}",
    ],
)
async def test_no_name_breaks_out_of_html(desk: Desk, name: str) -> None:
    html = (
        '<p style="color: {{customer.name}}" title="{{customer.name}}">'
        '<a href="{{customer.name}}">{{customer.name}}</a><a href="https://x.test/?q={{customer.name}}">x</a></p>'
    )
    elements: list[tuple[str, dict[str, str | None]]] = []
    reader = HTMLParser()
    reader.handle_starttag = lambda tag, attributes: elements.append((tag, dict(attributes)))  # type: ignore[method-assign]

    reader.feed((await filled(desk, "x", html, name=name))["html"])

    assert [tag for tag, _ in elements] == ["p", "a", "a"]
    assert elements[0][1]["title"] == name
    assert elements[1][1].get("href") is None
    assert str(elements[2][1]["href"]).startswith("https://x.test/?q=")
    told = {attribute for _, attributes in elements for attribute in attributes}
    assert told <= {"href", "rel", "title", "style"}
    assert "position" not in str(elements[0][1].get("style"))


async def test_it_is_filled_where_the_conversation_stands(desk: Desk) -> None:
    reply, hidden = await made(desk), await made(desk, team=await team(desk))
    message = await desk.letter("hello", **{"from": f"person-{uuid.uuid4()}"})
    other = await desk.letter("hello", **{"from": f"person-{uuid.uuid4()}"})
    path = f"/api/v1/conversations/{message['conversation_id']}"
    assert (await desk.problem("GET", f"{path}/canned-replies/nothing"))["type"] == "not-found"
    assert (await desk.problem("GET", f"{path}/canned-replies/%ff"))["type"] == "not-found"
    grace = await bearer(desk)
    problem = await desk.problem("GET", f"{path}/canned-replies/{hidden['id']}", headers=grace)
    assert problem["type"] == "not-found"

    await desk.send("POST", f"{path}/merge", {"into": other["conversation_id"]})

    problem = await desk.problem("GET", f"{path}/canned-replies/{reply['id']}")
    assert (problem["type"], problem["merged_into"]) == ("merged", other["conversation_id"])
