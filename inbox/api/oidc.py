"""Signing in by another house's word, where that is configured."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from aiohttp import hdrs
from msgspec import Meta, Struct

from inbox.api.auth import session_cookie, set_cookies
from inbox.api.problems import ProblemError
from inbox.api.reading import NoQuery
from inbox.api.routing import AnyCall, Call, Redirect, route
from inbox.oidc import FlowError, Oidc, ProviderError
from inbox.sign_in import StrangerError

PATH = "/api/v1/session/oidc"


class WayIn(Struct, frozen=True, kw_only=True):
    """Another way to sign in than a password: what to write on its button, and where that leads."""

    name: str
    url: str


class WaysIn(Struct, frozen=True, kw_only=True):
    """How agents sign in here beside their password."""

    oidc: WayIn | None


class BeginQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to go afterwards."""

    next: Annotated[str, Meta(description="A path of this site, to which the browser is sent afterwards.")] = "/"


class CallbackQuery(Struct, frozen=True, kw_only=True):
    """What a provider says by the browser (RFC 6749, section 4.1.2); it may say more."""

    state: Annotated[str, Meta(description="As it was given to the provider.")] = ""
    code: Annotated[str, Meta(description="What an ID token is given for, once.")] = ""
    error: Annotated[str | None, Meta(description="Why the provider refuses.")] = None


@route("GET", "/api/v1/sign-in")
async def get_ways_in(call: Call[NoQuery, None]) -> WaysIn:
    """How agents sign in here beside their password."""
    oidc = call.services.oidc
    return WaysIn(oidc=WayIn(name=oidc.name, url=PATH) if oidc else None)


@route("GET", PATH, refuses=("not-found", "provider-unavailable"))
async def begin_oidc(call: Call[BeginQuery, None]) -> Redirect:
    """Sends the browser to the provider."""
    oidc = _configured(call)
    try:
        url, cookie = await oidc.begin(_local(call.query.next))
    except ProviderError as error:
        raise ProblemError("provider-unavailable", f"{oidc.name}: {error}") from error
    response = Redirect(url)
    public_url = call.services.public_url
    response.set_cookie(
        _flow_cookie(public_url),
        cookie,
        max_age=600,
        path="/",
        secure=public_url.startswith("https:"),
        httponly=True,
        samesite="Lax",
    )
    return response


@route(
    "GET",
    f"{PATH}/callback",
    refuses=("not-found", "provider-refused", "provider-unavailable", "sign-in-expired", "stranger"),
)
async def finish_oidc(call: Call[CallbackQuery, None]) -> Redirect:
    """Begins the session of whom the provider vouches for."""
    oidc, public_url, request = _configured(call), call.services.public_url, call.request
    if call.query.error is not None:
        raise ProblemError("provider-refused", f"{oidc.name} refuses: {call.query.error[:200]}")
    try:
        vouched, next_ = await oidc.finish(
            request.cookies.get(_flow_cookie(public_url)), call.query.state, call.query.code
        )
        signed_in = await call.services.sign_in.vouched(
            vouched, address=request.remote or "", browser=request.headers.get(hdrs.USER_AGENT, "")
        )
    except FlowError as error:
        raise ProblemError("sign-in-expired", str(error)) from error
    except ProviderError as error:
        raise ProblemError("provider-unavailable", f"{oidc.name}: {error}") from error
    except StrangerError as error:
        raise ProblemError("stranger", str(error)) from error
    response = Redirect(next_)
    set_cookies(response, signed_in, public_url)
    response.del_cookie(_flow_cookie(public_url), path="/")
    return response


def _configured(call: AnyCall) -> Oidc:
    if call.services.oidc is None:
        raise ProblemError("not-found", "nobody but agents with a password signs in here")
    return call.services.oidc


def _local(path: str) -> str:
    """A path of this site; whatever a browser could take for another site's address becomes the front page."""
    parts = urlsplit(path)
    bad = parts.scheme or parts.netloc or not path.startswith("/") or path.startswith("//") or not path.isprintable()
    return "/" if bad or "\\" in path else path


def _flow_cookie(public_url: str) -> str:
    return f"{session_cookie(public_url)}-oidc"


ROUTES = (get_ways_in, begin_oidc, finish_oidc)
