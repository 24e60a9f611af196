"""Every error of the API is a problem document (RFC 9457), and every exception that may get here has its own."""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from aiohttp import web

from connectors.context import CursorExpiredError
from connectors.errors import UnavailableError
from inbox.api.refusals import REFUSALS
from inbox.errors import NotFoundError, RefusedError, VersionConflictError
from inbox.model import new_id

CONTENT_TYPE = "application/problem+json"
RETRY_SECONDS = 2
REQUEST_ID = "X-Request-ID"
SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_log: Any = structlog.get_logger("santral.api")


class FieldError(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one field of the query or the body."""

    field: str
    detail: str


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong (RFC 9457). Programs look at `type`, people read `detail`; `errors` names fields."""

    type: str
    title: str
    status: int
    detail: str
    errors: Sequence[FieldError] | msgspec.UnsetType = msgspec.UNSET


class ProblemError(Exception):
    """Ends a request with a problem document.

    `type` is a relative reference such as `cursor-expired`, and what a program should look at.
    """

    def __init__(
        self,
        type_: str,
        detail: str,
        *,
        status: int | None = None,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        """`type_` is one of `REFUSALS`, or `status` says which it has.

        `members` are further members of the document (RFC 9457, section 3.2).
        """
        super().__init__(detail)
        self.status = status or REFUSALS[type_].status
        self.headers = dict(headers or {})
        self.document: dict[str, Any] = {
            "type": type_,
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": detail,
            **({"errors": errors} if errors else {}),
            **(members or {}),
        }

    def response(self) -> web.Response:
        """The answer."""
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **self.headers}
        body = msgspec.json.encode(self.document)
        return web.Response(status=self.status, body=body, content_type=CONTENT_TYPE, headers=headers)


def not_found(what: str, id_: str) -> ProblemError:
    """404: there is no `what` with that id."""
    return ProblemError("not-found", f"there is no {what} {id_!r}")


def cursor_expired() -> ProblemError:
    """410: events after the cursor are forgotten, so the reader must load what stands now."""
    return ProblemError("cursor-expired", "events after this cursor are not kept any more: load everything again")


@web.middleware
async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns what a handler raises into an answer, and logs one line for each 5xx."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _from_http(error).response()
    except Exception as error:  # noqa: BLE001 (whatever it is, the client gets an answer and the log a line)
        problem = _problem(error)
        if problem.status >= 500 and not _has_left(request, error):
            problem.headers[REQUEST_ID] = _report(request, problem, error)
        return problem.response()


def _problem(error: Exception) -> ProblemError:
    match error:
        case ProblemError():
            problem = error
        case web.RequestPayloadError():
            problem = ProblemError("broken-body", "the body broke off, or its encoding cannot be read")
        case UnavailableError():
            wait = str(math.ceil(error.retry_after or RETRY_SECONDS))
            problem = ProblemError("unavailable", error.reason, headers={"Retry-After": wait})
        case NotFoundError():
            problem = ProblemError("not-found", str(error))
        case VersionConflictError():
            problem = ProblemError("version-conflict", "it was changed meanwhile: read it again")
        case CursorExpiredError():
            problem = cursor_expired()
        case RefusedError():
            problem = ProblemError(error.code, error.detail, members=error.members)
        case _:
            problem = ProblemError("internal", "something went wrong here; the log says what")
    return problem


def _from_http(error: web.HTTPException) -> ProblemError:
    """What aiohttp and connectors refuse: no such path, method not allowed, body too large."""
    phrase = HTTPStatus(error.status).phrase
    headers = {name: value for name, value in error.headers.items() if not name.lower().startswith("content-")}
    type_ = phrase.lower().replace(" ", "-")
    return ProblemError(type_, error.text or phrase, status=error.status, headers=headers)


def _has_left(request: web.Request, error: Exception) -> bool:
    """Whether writing failed because the client went away, which is no fault of ours."""
    return isinstance(error, ConnectionError) and (request.transport is None or request.transport.is_closing())


def _report(request: web.Request, problem: ProblemError, error: Exception) -> str:
    """Logs a request that failed; returns the id by which the caller can name it, the caller's own if that is sane."""
    given = request.headers.get(REQUEST_ID, "")
    request_id = given if SANE_ID.fullmatch(given) else new_id()
    # Only what is known to be ours is told: a connector's path may be a secret, an unforeseen error may quote a body.
    known = isinstance(error, ProblemError | UnavailableError)
    _log.error(
        "request failed",
        request=request_id,
        method=request.method,
        path=request.path.removesuffix(request.match_info.get("tail", "")),
        status=problem.status,
        **({"reason": str(error)} if known else {"exc_info": error}),
    )
    return request_id
