"""Who calls: bearer tokens (RFC 6750)."""

from __future__ import annotations

from aiohttp import web

from inbox.api.problems import ProblemError
from inbox.model import Principal
from inbox.store import Store


async def authenticate(request: web.Request, store: Store) -> Principal:
    """Whose token the request bears.

    Raises:
        ProblemError: 401, none or a wrong one.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise _unauthorized("a token is needed: Authorization: Bearer <token>", "Bearer")
    principal = await store.settings.principal(token.strip())
    if principal is None:
        raise _unauthorized("this token is not valid here", 'Bearer error="invalid_token"')
    return principal


def _unauthorized(detail: str, challenge: str) -> ProblemError:
    return ProblemError(401, "unauthorized", detail, headers={"WWW-Authenticate": challenge})
