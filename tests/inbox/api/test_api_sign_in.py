"""Signing in: with a password, by a session, and nobody else."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any

import aiohttp
import pytest
from api_desk import PUBLIC_URL, Desk
from harness import PATIENCE
from yarl import URL

from inbox.api import live

PASSWORD = "correct horse battery"
COOKIE = "__Host-santral"

_count = iter(range(1_000_000))


async def agent(desk: Desk, **fields: Any) -> dict[str, Any]:
    """A new agent, and how they sign in."""
    email = f"agent{next(_count)}@example.com"
    made: dict[str, Any] = await desk.send(
        "POST", "/api/v1/agents", {"email": email, "password": PASSWORD, "name": "Bob", **fields}, status=201
    )
    assert "password" not in made
    return made


class Browser:
    """Keeps cookies, under http too, where a browser would refuse those that are marked as secure."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self.url = url
        self.http = http
        self.cookies: dict[str, str] = {}
        self.csrf = ""

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {**({"Cookie": cookie} if cookie else {}), **headers}
        async with self.http.request(method, URL(self.url + path), json=body, headers=sent) as answer:
            for header in answer.headers.getall("Set-Cookie", []):
                for name, morsel in SimpleCookie(header).items():
                    self.cookies[name] = morsel.value
            return answer.status, await answer.json(content_type=None) if answer.content_length else None

    async def sign_in(self, email: str, password: str = PASSWORD, **headers: str) -> tuple[int, Any]:
        status, told = await self.call("POST", "/api/v1/session", {"email": email, "password": password}, **headers)
        if status == 201:
            self.csrf = told["csrf_token"]
        return status, told


@pytest.fixture
async def browser(desk: Desk) -> AsyncIterator[Browser]:
    async with open_browser(desk) as one:
        yield one


@contextlib.asynccontextmanager
async def open_browser(desk: Desk) -> AsyncIterator[Browser]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        yield Browser(desk.url, http)


async def test_an_agent_signs_in_works_and_signs_out(desk: Desk, browser: Browser) -> None:
    bob = await agent(desk, role="supervisor")

    status, me = await browser.sign_in(bob["email"].upper())
    assert (status, me["id"], me["name"], me["role"]) == (201, bob["id"], "Bob", "supervisor")
    assert (await browser.call("GET", "/api/v1/me"))[1] == me
    assert (await browser.call("GET", "/api/v1/conversations"))[0] == 200
    assert (await browser.call("GET", "/api/v1/ingest/failed"))[0] == 200
    assert (await browser.call("POST", "/api/v1/teams", {"name": "x"}, **{"X-CSRF-Token": browser.csrf}))[0] == 403

    status, _ = await browser.call("DELETE", "/api/v1/session", **{"X-CSRF-Token": browser.csrf})
    assert status == 204
    browser.cookies[COOKIE] = "anything"
    assert (await browser.call("GET", "/api/v1/me"))[0] == 401


async def test_the_cookie_is_for_us_alone(desk: Desk) -> None:
    bob = await agent(desk)
    body = {"email": bob["email"], "password": PASSWORD}
    async with aiohttp.ClientSession() as http, http.post(f"{desk.url}/api/v1/session", json=body) as answer:
        (header,) = (one for one in answer.headers.getall("Set-Cookie") if one.startswith(f"{COOKIE}="))
        assert answer.headers["Cache-Control"] == "no-store"
    told = {part.strip().lower() for part in header.split(";")[1:]}
    assert {"httponly", "secure", "samesite=lax", "path=/"} <= told
    assert not any(part.startswith("domain") for part in told)


async def test_another_sites_page_can_do_nothing_with_the_cookie(desk: Desk, browser: Browser) -> None:
    bob = await agent(desk)
    await browser.sign_in(bob["email"])
    change = ("PATCH", "/api/v1/me", {"name": "Mallory"})

    for headers in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "0" * 64}, {"X-CSRF-Token": "\u00fc"}):
        status, problem = await browser.call(*change, **headers)
        assert (status, problem["type"]) == (403, "csrf")
    status, problem = await browser.call(*change, **{"X-CSRF-Token": browser.csrf, "Origin": "https://evil.example"})
    assert (status, problem["type"]) == (403, "foreign-origin")
    status, problem = await browser.call("GET", "/api/v1/me", Origin="null")
    assert (status, problem["type"]) == (403, "foreign-origin")
    status, problem = await browser.sign_in(bob["email"], Origin="https://evil.example")
    assert (status, problem["type"]) == (403, "foreign-origin")
    headers = {"Origin": "https://evil.example", "Cookie": f"{COOKIE}={browser.cookies[COOKIE]}"}
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await browser.http.ws_connect(f"{desk.url}/api/v1/stream", headers=headers)
    assert refused.value.status == 403

    for origin in (PUBLIC_URL, desk.url):
        assert (await browser.call(*change, **{"X-CSRF-Token": browser.csrf, "Origin": origin}))[0] == 200


async def test_no_other_site_is_ever_told_that_it_may_read(desk: Desk) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    for method in ("GET", "OPTIONS"):
        async with desk.http.request(method, "/api/v1/conversations", headers=headers) as answer:
            assert not any(name.lower().startswith("access-control") for name in answer.headers)


async def test_who_is_not_there_is_refused_like_who_guesses_wrong(desk: Desk, browser: Browser) -> None:
    bob = await agent(desk)
    wrong = await browser.sign_in(bob["email"], "wrong")
    assert (wrong[0], wrong[1]["type"]) == (401, "wrong-password")
    assert await browser.sign_in("nobody@example.com", "wrong") == wrong


async def test_guessing_ends_soon_and_locks_nobody_out_of_their_browser(desk: Desk, browser: Browser) -> None:
    bob = await agent(desk)
    assert (await browser.sign_in(bob["email"]))[0] == 201
    async with open_browser(desk) as other:
        told = [(await other.sign_in(bob["email"], "wrong"))[0] for _ in range(10)]
        assert told == [401] * 10
        status, problem = await other.sign_in(bob["email"])
        assert (status, problem["type"]) == (429, "too-many-tries")
    async with desk.http.post("/api/v1/session", json={"email": bob["email"], "password": PASSWORD}) as answer:
        assert 0 < int(answer.headers["Retry-After"]) <= 900

    assert (await browser.sign_in(bob["email"]))[0] == 201, "the device is known"
    browser.cookies[f"{COOKIE}-device"] += "x"
    assert (await browser.sign_in(bob["email"]))[0] == 429, "the device is not known"


async def test_right_passwords_are_not_counted(desk: Desk, browser: Browser) -> None:
    bob = await agent(desk)
    for _ in range(12):
        browser.cookies.clear()
        assert (await browser.sign_in(bob["email"]))[0] == 201


async def test_sessions_are_listed_and_ended(desk: Desk, browser: Browser) -> None:
    bob = await agent(desk)
    await browser.sign_in(bob["email"], **{"User-Agent": "Kiosk/1.0"})
    async with open_browser(desk) as other:
        await other.sign_in(bob["email"])
        _, page = await browser.call("GET", "/api/v1/sessions")
        kiosk, _ = page["items"]
        assert (kiosk["browser"], kiosk["address"], "secret" in kiosk) == ("Kiosk/1.0", "127.0.0.1", False)

        path = f"/api/v1/sessions/{kiosk['id']}"
        assert (await other.call("DELETE", path, **{"X-CSRF-Token": other.csrf}))[0] == 204
        assert (await browser.call("GET", "/api/v1/me"))[0] == 401
        assert (await other.call("GET", "/api/v1/me"))[0] == 200
        assert (await other.call("DELETE", path, **{"X-CSRF-Token": other.csrf}))[0] == 404


async def test_nobody_ends_anothers_session(desk: Desk, browser: Browser) -> None:
    bob, eve = await agent(desk), await agent(desk)
    _, me = await browser.sign_in(bob["email"])
    async with open_browser(desk) as other:
        await other.sign_in(eve["email"])
        path = f"/api/v1/sessions/{me['session_id']}"
        assert (await other.call("DELETE", path, **{"X-CSRF-Token": other.csrf}))[0] == 404
    assert (await browser.call("GET", "/api/v1/me"))[0] == 200


async def test_an_agent_has_a_signature(desk: Desk, browser: Browser) -> None:
    bob = await agent(desk)
    assert bob["signature"] is None
    await browser.sign_in(bob["email"])
    csrf = {"X-CSRF-Token": browser.csrf}
    status, me = await browser.call("PATCH", "/api/v1/me", {"signature": "Bob, Acme"}, **csrf)
    assert (status, me["signature"], me["name"]) == (200, "Bob, Acme", "Bob")
    assert (await browser.call("GET", "/api/v1/me"))[1] == me
    changed = await desk.send("PATCH", f"/api/v1/agents/{bob['id']}", {"signature": None})
    assert changed["signature"] is None
    status, problem = await browser.call("PATCH", "/api/v1/me", {"signature": "x" * 2001}, **csrf)
    assert (status, problem["errors"][0]["field"]) == (422, "signature")


async def test_a_new_password_needs_the_old_one_and_ends_the_other_sessions(desk: Desk, browser: Browser) -> None:
    bob = await agent(desk)
    await browser.sign_in(bob["email"])
    csrf = {"X-CSRF-Token": browser.csrf}
    async with open_browser(desk) as other:
        await other.sign_in(bob["email"])
        status, problem = await browser.call(
            "PATCH", "/api/v1/me", {"password": "another one entirely", "current_password": "wrong"}, **csrf
        )
        assert (status, problem["errors"][0]["field"]) == (422, "current_password")
        status, _ = await browser.call(
            "PATCH", "/api/v1/me", {"password": "another one entirely", "current_password": PASSWORD}, **csrf
        )
        assert status == 200
        assert (await other.call("GET", "/api/v1/me"))[0] == 401
    assert (await browser.call("GET", "/api/v1/me"))[0] == 200
    assert (await browser.sign_in(bob["email"]))[0] == 401
    assert (await browser.sign_in(bob["email"], "another one entirely"))[0] == 201


async def test_who_leaves_the_company_is_out_at_once(desk: Desk, browser: Browser) -> None:
    bob = await agent(desk)
    await browser.sign_in(bob["email"])
    await desk.send("PATCH", f"/api/v1/agents/{bob['id']}", {"role": "supervisor"})
    assert (await browser.call("GET", "/api/v1/me"))[1]["role"] == "supervisor"
    await desk.send("PATCH", f"/api/v1/agents/{bob['id']}", {"active": False})
    assert (await browser.call("GET", "/api/v1/me"))[0] == 401
    assert (await browser.sign_in(bob["email"]))[0] == 401


async def test_an_address_signs_in_one_agent(desk: Desk) -> None:
    bob = await agent(desk)
    body = {"email": bob["email"].upper(), "password": PASSWORD, "name": "Eve"}
    problem = await desk.problem("POST", "/api/v1/agents", json=body)
    assert (problem["status"], problem["type"]) == (409, "email-taken")


async def test_a_token_expires_is_seen_in_use_and_is_dropped(
    opened: Callable[..., Awaitable[Desk]], documents: Any
) -> None:
    desk = await opened()
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    made = await desk.send("POST", "/api/v1/tokens", {"name": "bot", "expires_at": soon}, status=201)
    lasting = await desk.send("POST", "/api/v1/tokens", {"name": "script", "role": "supervisor"}, status=201)

    async def status(token: str) -> int:
        async with desk.http.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}) as answer:
            return answer.status

    assert await status(made["token"]) == 200

    await documents["tokens"].update_one({"name": "bot"}, {"$set": {"expires_at": datetime.now(UTC)}})

    async def has_expired() -> bool:
        return await status(made["token"]) == 401

    await desk.eventually(has_expired)  # it is remembered for a second
    assert await status(lasting["token"]) == 200
    (shown,) = (one for one in (await desk.get("/api/v1/tokens"))["items"] if one["name"] == "script")
    assert shown["last_used_at"] is not None
    assert "secret" not in shown
    assert lasting["token"] not in str(shown)
    await desk.send("DELETE", f"/api/v1/tokens/{shown['id']}", None, status=204)
    assert await status(lasting["token"]) == 401

    past = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    problem = await desk.problem("POST", "/api/v1/tokens", json={"name": "late", "expires_at": past})
    assert problem["errors"] == [{"field": "expires_at", "detail": "lies in the past"}]


async def test_a_stream_ends_with_its_session_or_token(
    desk: Desk, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "CHECK_SECONDS", 0.05)
    bob = await agent(desk)
    await browser.sign_in(bob["email"])
    made = await desk.send("POST", "/api/v1/tokens", {"name": "watcher"}, status=201)
    (shown,) = (one for one in (await desk.get("/api/v1/tokens"))["items"] if one["name"] == "watcher")
    for headers, ended in (
        ({"Cookie": f"{COOKIE}={browser.cookies[COOKIE]}"}, f"/api/v1/agents/{bob['id']}/sessions"),
        ({"Authorization": f"Bearer {made['token']}"}, f"/api/v1/tokens/{shown['id']}"),
    ):
        async with browser.http.ws_connect(f"{desk.url}/api/v1/stream", headers=headers) as stream:
            assert (await stream.receive_json(timeout=PATIENCE))["type"] == "hello"
            await desk.send("DELETE", ended, None, status=204)
            while (frame := await stream.receive(timeout=PATIENCE)).type is aiohttp.WSMsgType.TEXT:
                pass  # what happens meanwhile
            assert frame.type is aiohttp.WSMsgType.CLOSE
            assert stream.close_code == 4401


async def test_a_program_cannot_change_itself(desk: Desk) -> None:
    problem = await desk.problem("PATCH", "/api/v1/me", json={"name": "Root"})
    assert (problem["status"], problem["type"]) == (403, "not-an-agent")


async def test_a_team_that_is_not_there_is_named(desk: Desk) -> None:
    body = {"email": "x@example.com", "password": PASSWORD, "name": "X", "teams": ["nowhere"]}
    problem = await desk.problem("POST", "/api/v1/agents", json=body)
    assert problem["errors"] == [{"field": "teams[0]", "detail": "there is no such team"}]
