"""A message's HTML as a document: whose it is, what it may load, and which of its pictures are the message's own."""

from __future__ import annotations

import re
from typing import Any

import aiohttp
from page_house import House, fresh
from test_page_hostile_html import PNG

HTML = (
    '<p>Hello <b>you</b></p><img src="cid:logo&amp;1"><img src="cid:nowhere">'
    '<img src="https://example.org/a.png?x=1&amp;y=2"><img src="http://example.org/b.png"><img src="ftp://example.org/c.png">'
)


async def document(house: House, message_id: str, token: str | None = None, **query: str) -> tuple[int, Any, str]:
    """By a token's bearer; by nobody where it is empty."""
    bearer = house.santral.token if token is None else token
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    path = f"{house.url}/api/v1/messages/{message_id}/html"
    async with aiohttp.ClientSession() as http, http.get(path, params=query, headers=headers) as answer:
        return answer.status, answer.headers, await answer.text()


async def offer(house: House) -> dict[str, Any]:
    conversation = await house.mail(fresh("Pictures"), html=HTML, pictures={"logo&1": PNG})
    (message,) = await house.desk.messages(conversation["id"])
    return message


async def test_it_is_a_document_in_which_nothing_runs(house: House) -> None:
    message = await offer(house)
    status, headers, body = await document(house, message["id"])
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert body.startswith("<!doctype html>")
    assert "<p>Hello <b>you</b></p>" in body
    policy = [part.strip() for part in headers["Content-Security-Policy"].split(";")]
    assert policy[0].startswith("sandbox ")
    assert "allow-scripts" not in policy[0]
    assert "allow-forms" not in policy[0]
    assert "allow-top-navigation" not in policy[0]
    assert {"default-src 'none'", "form-action 'none'", "frame-ancestors 'self'", "img-src 'self' data:"} <= set(policy)
    assert not [part for part in policy if part.startswith("script-src")]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"


async def test_pictures_of_the_message_itself_are_shown_and_those_from_elsewhere_when_asked_for(house: House) -> None:
    message = await offer(house)
    (file,) = message["attachments"]
    own = f"/api/v1/attachments/{file['id']}"
    _, headers, body = await document(house, message["id"])
    assert re.findall(r'\ssrc="([^"]*)"', body) == [own, ""]
    assert "https:" not in headers["Content-Security-Policy"]
    _, headers, body = await document(house, message["id"], images="true")
    assert re.findall(r'\ssrc="([^"]*)"', body) == [
        own,
        "",
        "https://example.org/a.png?x=1&amp;y=2",
        "http://example.org/b.png",
    ]
    (sources,) = re.findall(r"img-src ([^;]*)", headers["Content-Security-Policy"])
    assert set(sources.split()) == {"'self'", "data:", "https:", "http:"}
    async with house.desk.http.get(own) as answer:
        assert (answer.content_type, await answer.read()) == ("image/png", PNG)


async def test_a_message_without_html_shows_its_text(house: House) -> None:
    conversation = await house.mail(fresh("Plain"), "only <b>text</b> & no more")
    (message,) = await house.desk.messages(conversation["id"])
    status, headers, body = await document(house, message["id"])
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "<pre>only &lt;b&gt;text&lt;/b&gt; &amp; no more</pre>" in body
    assert (await document(house, "01a20679-4960-72b3-8bcb-96d4eca251bd"))[0] == 404
    assert (await document(house, message["id"], images="perhaps"))[0] == 400
    assert (await document(house, message["id"], more="1"))[0] == 400


async def test_it_is_for_those_who_see_the_conversation(house: House) -> None:
    message = await offer(house)
    team = await house.desk.post("/api/v1/teams", {"name": fresh("Legal")})
    other = await house.desk.post("/api/v1/teams", {"name": fresh("Sales")})
    path = f"/api/v1/conversations/{message['conversation_id']}"
    async with house.desk.http.patch(path, json={"team": team["id"]}) as answer:
        assert answer.status == 200
    tokens = {
        name: (await house.desk.post("/api/v1/tokens", {"name": name, "role": role, "teams": teams}))["token"]
        for name, role, teams in (
            ("theirs", "agent", [team["id"]]),
            ("others", "agent", [other["id"]]),
            ("nobodys", "agent", []),
            ("lead", "supervisor", []),
        )
    }
    found = {name: (await document(house, message["id"], token))[0] for name, token in tokens.items()}
    assert found == {"theirs": 200, "others": 404, "nobodys": 404, "lead": 200}
    assert (await document(house, message["id"], ""))[0] == 401
    _, _, body = await document(house, message["id"], tokens["others"])
    assert '"not-found"' in body
