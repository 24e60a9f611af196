"""Signing in and out, who the caller is, and where else they are signed in."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Annotated

from aiohttp import hdrs, web
from msgspec import UNSET, Meta, Struct, UnsetType

from inbox.api.auth import Caller, check_origin, device_cookie, session_cookie, set_cookies
from inbox.api.names import Name, Signature
from inbox.api.paging import Page
from inbox.api.problems import FieldError, ProblemError, not_found
from inbox.api.reading import NoQuery, as_changes, invalid_body
from inbox.api.routing import Answer, Call, route
from inbox.passwords import LONGEST, SHORTEST
from inbox.sign_in import TooManyTriesError, WrongPasswordError, csrf_token
from inbox.staff import Agent, Role, Session
from inbox.store.staff import principal_of

NewPassword = Annotated[str, Meta(min_length=SHORTEST, max_length=LONGEST)]


class Credentials(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whoever signs in, and their proof."""

    email: Annotated[str, Meta(min_length=3, max_length=320)]
    password: Annotated[str, Meta(max_length=LONGEST)]


class Me(Struct, frozen=True, kw_only=True):
    """Who the caller is. `csrf_token` goes with each unsafe call of a page; a program by its token has none."""

    id: str
    name: str
    email: str | None
    role: Role
    teams: tuple[str, ...]
    signature: str | None
    picture: str | None
    session_id: str | None
    csrf_token: str | None


class MyChanges(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What agents change about themselves; a new password needs the present one, and ends all other sessions."""

    name: Name | UnsetType = UNSET
    signature: Signature | UnsetType | None = UNSET
    password: NewPassword | UnsetType = UNSET
    current_password: Annotated[str, Meta(max_length=LONGEST)] | UnsetType = UNSET


@route("POST", "/api/v1/session", status=201, refuses=("foreign-origin", "too-many-tries", "wrong-password"))
async def sign_in(call: Call[NoQuery, Credentials]) -> Answer[Me]:
    """Signs an agent in: the answer sets the session's cookie."""
    request, services = call.request, call.services
    check_origin(request, services.public_url)
    try:
        signed_in = await services.sign_in.sign_in(
            call.body.email,
            call.body.password,
            address=request.remote or "",
            browser=request.headers.get(hdrs.USER_AGENT, ""),
            device=request.cookies.get(device_cookie(services.public_url)),
        )
    except WrongPasswordError as error:
        raise ProblemError("wrong-password", "nobody signs in with that address and password") from error
    except TooManyTriesError as error:
        headers = {"Retry-After": str(math.ceil(error.seconds))}
        detail = "too many wrong passwords: try again later, or in a browser in which you have signed in before"
        raise ProblemError("too-many-tries", detail, headers=headers) from error
    caller = Caller(principal_of(signed_in.agent), signed_in.session, csrf_token(signed_in.secret))
    carrier = web.Response()
    set_cookies(carrier, signed_in, services.public_url)
    return Answer(_me(caller, signed_in.agent), cookies=carrier.cookies)


@route("DELETE", "/api/v1/session")
async def sign_out(call: Call[NoQuery, None]) -> Answer[None]:
    """Ends the caller's session; a token stays what it is."""
    carrier = web.Response()
    if call.session is not None:
        await call.store.staff.end_session(call.principal.id, call.session.id)
        carrier.del_cookie(session_cookie(call.services.public_url), path="/")
    return Answer(None, cookies=carrier.cookies)


@route("GET", "/api/v1/me")
async def get_me(call: Call[NoQuery, None]) -> Me:
    """Who the caller is."""
    return _me(call.caller, await call.store.staff.agent(call.principal.id) if call.session else None)


@route("PATCH", "/api/v1/me", refuses=("not-an-agent",))
async def change_me(call: Call[NoQuery, MyChanges]) -> Me:
    """Changes the caller's own name, signature or password."""
    if call.session is None:
        raise ProblemError("not-an-agent", "only an agent who has signed in can change themselves")
    agent = await call.store.staff.agent(call.principal.id)
    if agent is None:
        raise not_found("agent", call.principal.id)
    changes = as_changes(call.body)
    password, current = changes.pop("password", None), changes.pop("current_password", "")
    if password is not None:
        login = await call.store.staff.login(agent.email)
        if not await call.services.sign_in.passwords.fits(current, login[1] if login else None):
            raise invalid_body(FieldError(field="current_password", detail="this is not your password"))
        kept = await call.services.sign_in.passwords.hash(password)
        await call.store.staff.set_password(agent.email, kept, but=call.session.id)
    if changes:
        agent = await call.store.staff.change_agent(agent.id, changes) or agent
    return _me(Caller(principal_of(agent), call.session, call.caller.csrf), agent)


@route("GET", "/api/v1/sessions")
async def list_sessions(call: Call[NoQuery, None]) -> Page[Session]:
    """Where the caller is signed in."""
    return Page(await call.store.staff.sessions(call.principal.id, datetime.now(UTC)), None)


@route("DELETE", "/api/v1/sessions/{id}")
async def end_session(call: Call[NoQuery, None]) -> None:
    """Signs the caller out somewhere."""
    if not await call.store.staff.end_session(call.principal.id, call.id):
        raise not_found("session", call.id)


def _me(caller: Caller, agent: Agent | None) -> Me:
    who = caller.principal
    return Me(
        id=who.id,
        name=who.name,
        email=agent.email if agent else None,
        role=who.role,
        teams=who.teams,
        signature=agent.signature if agent else None,
        picture=agent.picture if agent else None,
        session_id=caller.session.id if caller.session else None,
        csrf_token=caller.csrf,
    )


ROUTES = (sign_in, sign_out, get_me, change_me, list_sessions, end_session)
