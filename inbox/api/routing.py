"""What a handler is: a function from a typed call to a typed answer, and a line that says where it is found.

    @route("GET", "/api/v1/conversations")
    async def list_conversations(call: Call[ConversationsQuery, None]) -> Page[ConversationView]:

The annotations are the whole declaration: query and body are read as the types that `Call` names, and the answer is
written as JSON. So an API description needs no second source.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from types import NoneType
from typing import Any, Generic, TypeVar, get_args, get_type_hints

from aiohttp import web

from inbox.api.auth import NOBODY, SAFE, Caller, authenticate
from inbox.api.problems import ProblemError
from inbox.api.reading import path_id, read_body, read_query
from inbox.api.rights import MATRIX, Right, has
from inbox.audit import entry
from inbox.services import Services
from inbox.staff import Principal, Session
from inbox.store import Store
from normalizer.codec import to_json

SERVICES = web.AppKey("services", Services)
SUBJECT = web.RequestKey("subject", str)  # the id of the customer whose data the call is about
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

QueryT = TypeVar("QueryT")
BodyT = TypeVar("BodyT")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[QueryT, BodyT]):
    """One request of somebody we know, read and checked."""

    request: web.Request
    services: Services
    caller: Caller
    right: Right
    query: QueryT
    body: BodyT

    @property
    def principal(self) -> Principal:
        """As whom they call."""
        return self.caller.principal

    @property
    def session(self) -> Session | None:
        """The session by which a page calls."""
        return self.caller.session

    @property
    def store(self) -> Store:
        """The database."""
        return self.services.store

    @property
    def id(self) -> str:
        """The `{id}` of the path."""
        return path_id(self.request)


AnyCall = Call[Any, Any]


class Redirect(web.Response):
    """An answer that sends a browser elsewhere."""

    def __init__(self, location: str) -> None:
        """`location` is a path of ours, or an address that an admin configured."""
        super().__init__(status=302, headers={"Location": location, "Cache-Control": "no-store"})


class Streamed:
    """A body that its handler reads itself, as it comes."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """An answer that has headers or cookies of its own."""

    value: T
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: SimpleCookie = field(default_factory=SimpleCookie)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A handler and where it is found.

    Attributes:
        status: of the answer, where all goes well.
        right: who may call.
        refuses: the types of the problems that this call alone has.
        query: what the query is read as.
        body: what the body is read as; `NoneType` where there is none, `Streamed` where the handler reads it.
        answer: what the handler returns.
    """

    method: str
    path: str
    status: int
    right: Right
    refuses: tuple[str, ...]
    query: type[Any]
    body: type[Any]
    answer: Any
    handler: Callable[[AnyCall], Awaitable[Any]]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Knows the caller, reads the call, handles it, writes the answer."""
        services = request.app[SERVICES]
        caller = await self._admitted(request, services)
        call: AnyCall = Call(
            request=request,
            services=services,
            caller=caller,
            right=self.right,
            query=read_query(request, self.query),
            body=None if self.body in (NoneType, Streamed) else await read_body(request, self.body),
        )
        response = self._written(await self.handler(call))
        if self.right.audited:
            await self._note(call)
        return response

    async def _note(self, call: AnyCall) -> None:
        """Writes down who made the call, and whose data it was about."""
        noted = entry(
            call.principal,
            f"{self.method} {self.path}",
            subject_id=call.id if "{id}" in self.path else None,
            customer_id=call.request.get(SUBJECT),
            address=call.request.remote or "",
        )
        if self.method in SAFE:
            call.services.audit.read(noted)
        else:
            await call.services.audit.changed(noted)

    async def _admitted(self, request: web.Request, services: Services) -> Caller:
        least = self.right.least
        if least == "anyone":
            return Caller(NOBODY)
        caller = await authenticate(request, services)
        if not has(caller.principal.role, least):
            raise ProblemError("forbidden", f"this needs the role {least}; yours is {caller.principal.role}")
        return caller

    def _written(self, result: Any) -> web.StreamResponse:  # noqa: ANN401 (what the handler returns)
        if isinstance(result, web.StreamResponse):
            return result
        answer: Answer[Any] = result if isinstance(result, Answer) else Answer(result)
        headers = {**HEADERS, **answer.headers}
        if answer.value is None:
            response = web.Response(status=204, headers=headers)
        else:
            headers["Content-Type"] = "application/json; charset=utf-8"
            response = web.Response(status=self.status, body=to_json(answer.value), headers=headers)
        response.cookies.update(answer.cookies)
        return response


def route(
    method: str, path: str, *, status: int = 200, refuses: tuple[str, ...] = ()
) -> Callable[[Callable[[Call[QueryT, BodyT]], Awaitable[Any]]], Route]:
    """Declares a handler; what it takes and gives is read from its annotations."""

    def declare(handler: Callable[[Call[QueryT, BodyT]], Awaitable[Any]]) -> Route:
        hints = get_type_hints(handler)
        query, body = get_args(hints["call"])
        return Route(
            method=method,
            path=path,
            status=status,
            right=MATRIX[f"{method} {path}"],
            refuses=refuses,
            query=query,
            body=body,
            answer=hints["return"],
            handler=handler,
        )

    return declare
