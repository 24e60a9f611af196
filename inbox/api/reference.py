"""The API described by itself: its OpenAPI document, and a page that shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aiohttp import web

from inbox.api.reading import NoQuery
from inbox.api.routing import HEADERS, Call, route

DOCUMENT = web.AppKey("document", dict[str, Any])
PAGE = Path(__file__).parent / "page"
FILES = ("show.js", "swagger-ui-bundle.js", "swagger-ui.css")
# The library writes styles into elements; scripts are files of ours alone.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@route("GET", "/api/v1/openapi.json")
async def get_document(call: Call[NoQuery, None]) -> dict[str, Any]:
    """This document: OpenAPI 3.1."""
    return call.request.app[DOCUMENT]


async def show(_: web.Request) -> web.StreamResponse:
    """The page."""
    return _file("index.html")


async def asset(request: web.Request) -> web.StreamResponse:
    """What the page is made of."""
    name = request.match_info["name"]
    if name not in FILES:
        raise web.HTTPNotFound
    return _file(name)


def _file(name: str) -> web.FileResponse:
    return web.FileResponse(
        PAGE / name, headers={**HEADERS, "Cache-Control": "no-cache", "Content-Security-Policy": POLICY}
    )


ROUTES = (get_document,)
