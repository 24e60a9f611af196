"""Signing in by a provider's word, and what comes of one that lies."""

from __future__ import annotations

import time
import uuid
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from api_desk import PUBLIC_URL, Desk
from joserfc.jwk import RSAKey
from provider import Provider

SIGN_IN = "/api/v1/session/oidc"
NOBODY = {"Authorization": ""}


def someone(provider: Provider, **claims: Any) -> str:
    """Makes the provider's person somebody new; their address."""
    name = uuid.uuid4().hex[:8]
    provider.person = {**provider.person, "sub": name, "email": f"{name}@example.com", **claims}
    return str(provider.person["email"])


async def begun(desk: Desk, **query: str) -> tuple[dict[str, str], str]:
    """What the provider is asked, and the browser's cookies."""
    async with desk.http.get(SIGN_IN, params=query, headers=NOBODY, allow_redirects=False) as answer:
        assert answer.status == 302, await answer.text()
        cookie = answer.cookies["__Host-santral-oidc"]
        assert (cookie["httponly"], cookie["samesite"], cookie["secure"]) == (True, "Lax", True)
        return dict(parse_qsl(urlsplit(answer.headers["Location"]).query)), f"{cookie.key}={cookie.value}"


async def finished(desk: Desk, cookie: str, **query: str) -> tuple[int, Any, dict[str, str]]:
    headers = {**NOBODY, "Cookie": cookie}
    async with desk.http.get(f"{SIGN_IN}/callback", params=query, headers=headers, allow_redirects=False) as answer:
        told = answer.headers["Location"] if answer.status == 302 else await answer.json(content_type=None)
        return answer.status, told, {name: morsel.value for name, morsel in answer.cookies.items() if morsel.value}


async def signed_in(desk: Desk, provider: Provider, **query: str) -> tuple[int, Any, dict[str, str]]:
    asked, cookie = await begun(desk, **query)
    return await finished(desk, cookie, state=asked["state"], code=provider.authorize(asked))


async def who(desk: Desk, cookies: dict[str, str]) -> dict[str, Any]:
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    async with desk.http.get("/api/v1/me", headers={**NOBODY, "Cookie": cookie}) as answer:
        assert answer.status == 200
        me: dict[str, Any] = await answer.json()
        return me


async def test_whom_the_provider_vouches_for_comes_in(vouching: tuple[Desk, Provider]) -> None:
    desk, provider = vouching
    email = someone(provider)
    body = {"email": email, "password": "correct horse", "name": "Grace", "role": "supervisor"}
    agent = await desk.send("POST", "/api/v1/agents", body, status=201)
    ways = await desk.get("/api/v1/sign-in")
    assert ways == {"oidc": {"name": "Acme", "url": SIGN_IN}}

    asked, cookie = await begun(desk, next="/conversations/1?a=b")
    assert asked["redirect_uri"] == f"{PUBLIC_URL}{SIGN_IN}/callback"
    status, location, cookies = await finished(desk, cookie, state=asked["state"], code=provider.authorize(asked))

    assert (status, location) == (302, "/conversations/1?a=b")
    me = await who(desk, cookies)
    assert (me["id"], me["role"], me["email"]) == (agent["id"], "supervisor", email)
    assert me["csrf_token"]
    # From now on they are who the provider says, whatever address they have; who has theirs then is somebody else.
    provider.person["email"] = f"new-{email}"
    assert (await who(desk, (await signed_in(desk, provider))[2]))["id"] == agent["id"]
    provider.person |= {"sub": "somebody else", "email": email}
    assert (await signed_in(desk, provider))[:1] == (403,)


async def test_who_is_new_becomes_an_agent_where_that_is_configured(vouching: tuple[Desk, Provider]) -> None:
    desk, provider = vouching
    email = someone(provider)
    me = await who(desk, (await signed_in(desk, provider))[2])
    assert (me["email"], me["role"], me["name"]) == (email, "agent", "Grace")
    again = await who(desk, (await signed_in(desk, provider))[2])
    assert again["id"] == me["id"]
    await desk.send("PATCH", f"/api/v1/agents/{me['id']}", {"active": False})
    status, problem, cookies = await signed_in(desk, provider)
    assert (status, problem["type"], cookies) == (403, "stranger", {})


@pytest.mark.parametrize(
    ("claims", "header", "type_"),
    [
        ({"email_verified": False}, {}, "stranger"),
        ({"email_verified": "true"}, {}, "stranger"),
        ({"email": None}, {}, "stranger"),
        ({"nonce": "another"}, {}, "provider-unavailable"),
        ({"nonce": None}, {}, "provider-unavailable"),
        ({"aud": "another"}, {}, "provider-unavailable"),
        ({"aud": ["santral", "another"]}, {}, "provider-unavailable"),
        ({"azp": "another"}, {}, "provider-unavailable"),
        ({"iss": "https://another.example.com"}, {}, "provider-unavailable"),
        ({"exp": int(time.time()) - 3600}, {}, "provider-unavailable"),
        ({"exp": None}, {}, "provider-unavailable"),
        ({"iat": int(time.time()) + 3600}, {}, "provider-unavailable"),
        ({"at_hash": "AAAA"}, {}, "provider-unavailable"),
        ({}, {"alg": "none"}, "provider-unavailable"),
        ({}, {"alg": "HS256"}, "provider-unavailable"),
    ],
)
async def test_a_word_that_is_not_good_lets_nobody_in(
    vouching: tuple[Desk, Provider], claims: dict[str, Any], header: dict[str, str], type_: str
) -> None:
    desk, provider = vouching
    someone(provider)
    provider.claims, provider.header = claims, header
    status, problem, cookies = await signed_in(desk, provider)
    assert (problem["type"], status, cookies) == (type_, 403 if type_ == "stranger" else 502, {})
    assert "Traceback" not in str(problem)


async def test_a_key_of_somebody_else_signs_nothing_and_a_new_one_of_theirs_does(
    vouching: tuple[Desk, Provider],
) -> None:
    desk, provider = vouching
    someone(provider)
    provider.signing = RSAKey.generate_key(2048, {"kid": provider.key.kid})
    assert (await signed_in(desk, provider))[0] == 502
    provider.signing = None
    assert (await signed_in(desk, provider))[0] == 302
    provider.key = RSAKey.generate_key(2048, {"kid": "rotated"})
    assert (await signed_in(desk, provider))[0] == 302


async def test_only_the_browser_that_began_comes_in(vouching: tuple[Desk, Provider]) -> None:
    desk, provider = vouching
    someone(provider)
    asked, cookie = await begun(desk)
    other, _ = await begun(desk)
    code = provider.authorize(asked)
    for state, theirs in ((asked["state"], ""), (other["state"], cookie), ("", cookie), (asked["state"], cookie[:-3])):
        status, problem, _ = await finished(desk, theirs, state=state, code=code)
        assert (status, problem["type"]) == (400, "sign-in-expired")
    assert (await finished(desk, cookie, state=asked["state"], code=code))[0] == 302
    assert (await finished(desk, cookie, state=asked["state"], code=code))[0] == 502  # a code is good once
    denied = await finished(desk, cookie, state=asked["state"], error="access_denied")
    assert (denied[0], denied[1]["type"]) == (403, "provider-refused")


@pytest.mark.parametrize(
    "path", ["https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\tevil", "evil", ""]
)
async def test_the_way_back_is_a_path_of_this_site(vouching: tuple[Desk, Provider], path: str) -> None:
    desk, provider = vouching
    someone(provider)
    assert (await signed_in(desk, provider, next=path))[:2] == (302, "/")


async def test_a_provider_that_is_away_leaves_passwords_alone(vouching: tuple[Desk, Provider]) -> None:
    desk, provider = vouching
    provider.down = True
    problem = await desk.problem("GET", SIGN_IN, headers=NOBODY)
    assert (problem["status"], problem["type"]) == (502, "provider-unavailable")
    body = {"email": "grace@pass.example", "password": "correct horse", "name": "Grace"}
    await desk.send("POST", "/api/v1/agents", body, status=201)
    credentials = {name: body[name] for name in ("email", "password")}
    async with desk.http.post("/api/v1/session", json=credentials, headers=NOBODY) as answer:
        assert answer.status == 201


async def test_without_a_provider_there_is_no_such_way_in(desk: Desk) -> None:
    assert await desk.get("/api/v1/sign-in") == {"oidc": None}
    for path in (SIGN_IN, f"{SIGN_IN}/callback"):
        assert (await desk.problem("GET", path, headers=NOBODY))["type"] == "not-found"
