"""Who calls: a program by its bearer token (RFC 6750), or a page by its session's cookie."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from msgspec import Struct

from inbox.api.problems import ProblemError
from inbox.services import Services
from inbox.sign_in import SignedIn, csrf_token
from inbox.staff import Principal, Session
from inbox.store import Store
from inbox.store.staff import SESSION_LONGEST, principal_of

CSRF_HEADER = "X-CSRF-Token"
SAFE = frozenset({hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS})
NOBODY = Principal(id="", name="", role="agent")


class Caller(Struct, frozen=True):
    """Who calls, and by which session where a page does."""

    principal: Principal
    session: Session | None = None
    csrf: str | None = None


async def authenticate(request: web.Request, services: Services) -> Caller:
    """Who the request is from.

    Raises:
        ProblemError: 401, nobody we know; 403, a page that may be another site's.
    """
    bearer = bearer_token(request)
    if bearer is not None:
        found = await _by_token(services.store, bearer)
        if found is None:
            raise _unauthorized("this token is not valid here", 'Bearer error="invalid_token"')
        return found
    secret = request.cookies.get(session_cookie(services.public_url))
    found = await _by_session(services.store, secret) if secret else None
    if found is None:
        raise _unauthorized("sign in, or send a token: Authorization: Bearer <token>", "Bearer")
    check_origin(request, services.public_url)
    if request.method not in SAFE and not _same(request.headers.get(CSRF_HEADER, ""), found.csrf or ""):
        raise ProblemError("csrf", f"with a session's cookie this call needs {CSRF_HEADER}: GET /api/v1/me has it")
    return found


async def again(request: web.Request, services: Services) -> Caller | None:
    """Who a request that still lasts is from by now; None where they may not come in any more."""
    bearer = bearer_token(request)
    if bearer is not None:
        return await _by_token(services.store, bearer)
    secret = request.cookies.get(session_cookie(services.public_url))
    return await _by_session(services.store, secret) if secret else None


def bearer_token(request: web.Request) -> str | None:
    """The token that the request bears; None where it bears none."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def check_origin(request: web.Request, public_url: str) -> None:
    """A browser says from which site a call comes, and keeps no other site from making it: we must.

    Raises:
        ProblemError: 403, another site's page.
    """
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is None:
        return
    ours = {_origin_of(public_url), _origin_of(f"{request.scheme}://{request.host}")}
    if origin.lower() not in ours:
        raise ProblemError("foreign-origin", "this is not for pages of other sites")


def session_cookie(public_url: str) -> str:
    """What the session's cookie is called: under https so that no other host can set it (RFC 6265bis, 4.1.3.2)."""
    return "__Host-santral" if public_url.startswith("https:") else "santral"


def device_cookie(public_url: str) -> str:
    """What the cookie is called by which a browser is known that has signed in before."""
    return f"{session_cookie(public_url)}-device"


def set_cookies(response: web.StreamResponse, signed_in: SignedIn, public_url: str) -> None:
    """Gives a browser its session."""
    lasting = {
        session_cookie(public_url): signed_in.secret,
        device_cookie(public_url): signed_in.device,
    }
    for name, value in lasting.items():
        response.set_cookie(
            name,
            value,
            max_age=int(SESSION_LONGEST.total_seconds()),
            path="/",
            secure=public_url.startswith("https:"),
            httponly=True,
            samesite="Lax",
        )


async def _by_token(store: Store, secret: str) -> Caller | None:
    token = await store.staff.token(secret, datetime.now(UTC))
    return Caller(principal_of(token)) if token else None


async def _by_session(store: Store, secret: str) -> Caller | None:
    found = await store.staff.session(secret, datetime.now(UTC))
    return Caller(principal_of(found[1]), found[0], csrf_token(secret)) if found else None


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _same(given: str, good: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), good.encode())


def _unauthorized(detail: str, challenge: str) -> ProblemError:
    return ProblemError("unauthorized", detail, headers={"WWW-Authenticate": challenge})
