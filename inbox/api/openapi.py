"""The API's own document: OpenAPI 3.1 made from the routes, so that there is nothing to keep in step.

What a call takes and gives are the types of its handler, who may make it stands in `rights`, what refuses it in
`refusals`, and its words are the docstrings.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from types import NoneType
from typing import Any, get_args, get_origin

import msgspec
from aiohttp import web

from inbox.api.auth import CSRF_HEADER, SAFE
from inbox.api.examples import EXAMPLES
from inbox.api.problems import CONTENT_TYPE, Problem
from inbox.api.reading import NoQuery
from inbox.api.refusals import REFUSALS
from inbox.api.routing import Answer, Redirect, Route, Streamed
from inbox.api.sheets import Sheet

Json = dict[str, Any]

IN_PATH = re.compile(r"\{(\w+)\}")
REFERENCE = "#/components/schemas/{name}"
SCHEMES: Json = {
    "token": {"type": "http", "scheme": "bearer", "description": "Made by `santral token` or `POST /api/v1/tokens`."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "santral",
        "description": "The cookie that `POST /api/v1/session` sets, `__Host-santral` under https. "
        f"Calls other than GET bear `csrf_token` of `GET /api/v1/me` in the header `{CSRF_HEADER}` beside it.",
    },
}
RETRY_AFTER = {"description": "Seconds to wait.", "schema": {"type": "integer"}}
ETAG = {"description": "The version, for `If-Match`.", "schema": {"type": "string"}}
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "The `ETag` that was seen: only where it still is that version.",
    "schema": {"type": "string"},
    "example": '"1"',
}


def document(routes: Iterable[Route], session_cookie: str) -> Json:
    """The document of these routes, where a page's session has a cookie of that name."""
    described = list(routes)
    schemas = _Schemas([kind for route in described for kind in (route.body, _given(route.answer))])
    paths: Json = {}
    for route in described:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    schemes = {**SCHEMES, "session": {**SCHEMES["session"], "name": session_cookie}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Santral",
            "version": version("santral"),
            "description": "One inbox for every channel a company answers on. Each error is a problem document "
            "(RFC 9457); the scopes of a call are the role that it needs at least.",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": schemas.components, "securitySchemes": schemes},
    }


class _Schemas:
    """The types of all bodies and answers as components that refer to each other."""

    def __init__(self, kinds: Sequence[Any]) -> None:
        wanted = [kind for kind in kinds if _is_described(kind)]
        found, components = msgspec.json.schema_components([*wanted, Problem], ref_template=REFERENCE)
        self._found = list(zip(wanted, found, strict=False))
        bodies = msgspec.json.schema_components([kind for kind in wanted if not _is_answer(kind)])[1]
        self.components = {
            _called(name): _told(name, _renamed(schema if name in bodies else _whole(schema)))
            for name, schema in sorted(components.items())
        }
        if len(self.components) != len(components):
            raise ValueError("two types of bodies or answers have one name in the document")
        for name, schema in self.components.items():
            if name in EXAMPLES:
                schema["examples"] = [EXAMPLES[name]]

    def of(self, kind: Any) -> Json:  # noqa: ANN401 (a type)
        """The schema of a body or an answer."""
        schema: Json = _renamed(next(schema for one, schema in self._found if one == kind))
        return schema


def _operation(route: Route, schemas: _Schemas) -> Json:
    """One call."""
    summary, _, more = inspect.cleandoc(route.handler.__doc__ or "").partition("\n\n")
    operation: Json = {
        "operationId": route.handler.__name__,
        "summary": " ".join(summary.split()),
        "tags": [route.path.split("/")[3]],
        "parameters": [*_parameters(route)],
        "responses": {**_answers(route, schemas), **_refused(route)},
        "security": [] if route.right.least == "anyone" else [{name: [route.right.least]} for name in SCHEMES],
        "x-conversations": route.right.scope,
    }
    if more:
        operation["description"] = more.partition("\n\nRaises:")[0]
    if route.body is Streamed:
        file: Json = {"type": "object", "required": ["file"], "properties": {"file": {"type": "string"}}}
        content = {"multipart/form-data": {"schema": file}, "application/octet-stream": {"schema": {"type": "string"}}}
        operation["requestBody"] = {"content": content}  # a file may be empty
    elif route.body is not NoneType:
        schema = schemas.of(route.body)
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return operation


def _parameters(route: Route) -> Iterable[Json]:
    for name in IN_PATH.findall(route.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    if route.query is not NoQuery:
        (_,), components = msgspec.json.schema_components([route.query])
        query = components[route.query.__name__]
        for name, schema in query["properties"].items():
            schema.pop("default", None)
            told = schema.pop("description", None)
            required = name in query.get("required", ())
            yield {
                "name": name,
                "in": "query",
                "required": required,
                **({"description": told} if told else {}),
                "schema": _given_once(schema),
            }
    if "version-conflict" in route.refuses:
        yield IF_MATCH


def _answers(route: Route, schemas: _Schemas) -> Json:
    given = _given(route.answer)
    if given is NoneType:
        return {"204": {"description": "Done."}}
    if given is Redirect:
        location = {"Location": {"description": "Where to go.", "schema": {"type": "string"}}}
        return {"302": {"description": "Goes on elsewhere.", "headers": location}}
    if given is web.WebSocketResponse:
        return {"101": {"description": "The stream, as a WebSocket."}}
    if given is web.StreamResponse:
        return {"200": {"description": "The bytes.", "content": {"*/*": {"schema": {}}}}}
    schema = schemas.of(given)
    headers = {"headers": {"ETag": ETAG}} if get_origin(route.answer) is Answer and hasattr(given, "version") else {}
    content = {"application/json": {"schema": schema}}
    if _may_be_sheet(route.answer):
        content["text/csv"] = {"schema": {"type": "string"}}
    return {str(route.status): {"description": "What was asked for.", "content": content, **headers}}


def _refused(route: Route) -> Json:
    """Each status with the types of the problems that have it."""
    by_status: dict[int, list[str]] = {}
    for code in refusals_of(route):
        by_status.setdefault(REFUSALS[code].status, []).append(code)
    return {str(status): _problems(status, codes) for status, codes in sorted(by_status.items())}


def _problems(status: int, codes: list[str]) -> Json:
    schema = {"allOf": [{"$ref": REFERENCE.format(name="Problem")}, {"properties": {"type": {"enum": codes}}}]}
    told = "\n".join(f"- `{code}`: {REFUSALS[code].when}" for code in codes)
    headers = {"headers": {"Retry-After": RETRY_AFTER}} if status in (429, 503) else {}
    example = {"type": codes[0], "title": "…", "status": status, "detail": REFUSALS[codes[0]].when}
    return {"description": told, "content": {CONTENT_TYPE: {"schema": schema, "example": example}}, **headers}


def refusals_of(route: Route) -> Sequence[str]:
    """The types of the problems by which a call may be refused."""
    codes = [*route.refuses, "invalid-query", "internal", "unavailable"]
    if route.right.least != "anyone":
        codes.append("unauthorized")
        codes += ["csrf", "foreign-origin"] if route.method not in SAFE else ["foreign-origin"]
    if route.right.least not in ("anyone", "agent") or (route.right.shared and route.method not in SAFE):
        codes.append("forbidden")
    if "{id}" in route.path:
        codes.append("not-found")
    if route.body is Streamed:
        codes += ["broken-body", "request-entity-too-large", "slow-body"]
    elif route.body is not NoneType:
        codes += ["broken-body", "invalid-json", "invalid-body", "request-entity-too-large", "slow-body"]
    return list(dict.fromkeys(codes))


def _given(answer: Any) -> Any:  # noqa: ANN401 (a type)
    """What an answer holds; one that may be a sheet too is told of by what else it is."""
    return get_args(answer)[0] if get_origin(answer) is Answer or _may_be_sheet(answer) else answer


def _may_be_sheet(answer: Any) -> bool:  # noqa: ANN401 (a type)
    return Sheet in get_args(answer)


def _is_described(kind: Any) -> bool:  # noqa: ANN401 (a type)
    raw = inspect.isclass(kind) and issubclass(kind, web.StreamResponse)
    return not raw and kind not in (NoneType, Streamed)


def _is_answer(kind: Any) -> bool:  # noqa: ANN401 (a type)
    return not (
        inspect.isclass(kind) and issubclass(kind, msgspec.Struct) and kind.__struct_config__.forbid_unknown_fields
    )


def _whole(schema: Json) -> Json:
    """An answer's fields are always there, but for those that may be unset."""
    always = schema.get("required", ())
    there = [name for name, field in schema.get("properties", {}).items() if name in always or "default" in field]
    return {**schema, "required": there} if there else schema


def _told(name: str, schema: Json) -> Json:
    """With the name that it has here, and its docstring without the indentation."""
    words = {"description": inspect.cleandoc(schema["description"])} if "description" in schema else {}
    return {**schema, "title": _called(name), **words}


def _called(name: str) -> str:
    """`Page_ConversationView_` as `ConversationPage`."""
    generic, _, inner = name.partition("_")
    return f"{_called(inner.rstrip('_'))}{generic}" if inner else name.removesuffix("View") or name


def _renamed(value: Any) -> Any:  # noqa: ANN401 (JSON)
    if isinstance(value, Mapping):
        return {
            key: REFERENCE.format(name=_called(inner.rpartition("/")[2])) if key == "$ref" else _renamed(inner)
            for key, inner in value.items()
        }
    return [_renamed(inner) for inner in value] if isinstance(value, list) else value


def _given_once(schema: Json) -> Json:
    """The schema of a parameter, which is left out rather than null."""
    choices = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    return choices[0] if len(choices) == 1 else schema
