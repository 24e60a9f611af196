"""The inbox API, version 1: JSON over HTTP, and WebSockets.

Each module holds one kind of thing; `create_app` puts their routes together.
"""

from __future__ import annotations

from typing import Literal

from aiohttp import web

from inbox.api import (
    amendments,
    attachments,
    canned_replies,
    conversations,
    counts,
    customer_notes,
    customers,
    drafts,
    events,
    health,
    live,
    messages,
    oidc,
    operations,
    pictures,
    privacy,
    problems,
    reference,
    reports,
    saved_views,
    session,
    staff,
    tags,
    ways,
    webhooks,
)
from inbox.api.agent_page import AgentPage
from inbox.api.auth import session_cookie
from inbox.api.openapi import document
from inbox.api.reading import JSON_BYTES
from inbox.api.routing import SERVICES, Route
from inbox.api.streams import STREAMS, Streams, close_streams
from inbox.services import Services

__all__ = ["ROUTES", "create_app", "create_worker_app"]

ROUTES: tuple[Route, ...] = (
    *conversations.ROUTES,
    *messages.ROUTES,
    *amendments.ROUTES,
    *ways.ROUTES,
    *counts.ROUTES,
    *tags.ROUTES,
    *customers.ROUTES,
    *customer_notes.ROUTES,
    *privacy.ROUTES,
    *drafts.ROUTES,
    *canned_replies.ROUTES,
    *saved_views.ROUTES,
    *attachments.ROUTES,
    *reports.ROUTES,
    *operations.ROUTES,
    *events.ROUTES,
    *live.ROUTES,
    *session.ROUTES,
    *oidc.ROUTES,
    *staff.ROUTES,
    *pictures.ROUTES,
    *webhooks.ROUTES,
    *reference.ROUTES,
)


def create_worker_app(services: Services) -> web.Application:
    """How a process fares, for whoever runs it."""
    app = web.Application(middlewares=[problems.middleware], client_max_size=JSON_BYTES)
    app[SERVICES] = services
    app.router.add_get("/healthz", health.healthz)
    app.router.add_get("/readyz", health.readyz)
    app.router.add_get("/metrics", health.metrics)
    return app


def create_app(services: Services) -> web.Application:
    """The web application: that, the agents' page, the API, and what the channels serve under `/hooks` and `/chat`."""
    app = create_worker_app(services)
    app[STREAMS] = Streams()
    app[reference.DOCUMENT] = document(ROUTES, session_cookie(services.public_url))
    app.on_shutdown.append(close_streams)
    for route in ROUTES:
        app.router.add_route(route.method, route.path, route.serve)
    page = AgentPage()
    app.router.add_get("/", page.show)
    app.router.add_get("/page/{name:.+}", page.file)
    app.router.add_get("/pictures/{id}", pictures.show)
    app.router.add_get("/api/docs", reference.show)
    app.router.add_get("/api/docs/{name}", reference.asset)
    app.router.add_route("*", "/hooks/{channel}{tail:(/.*)?}", _hooks)
    app.router.add_route("*", "/chat/{channel}{tail:(/.*)?}", _chat)
    return app


async def _hooks(request: web.Request) -> web.StreamResponse:
    return await _handled("hooks", request)


async def _chat(request: web.Request) -> web.StreamResponse:
    return await _handled("chat", request)


async def _handled(prefix: Literal["hooks", "chat"], request: web.Request) -> web.StreamResponse:
    tail = request.match_info["tail"].removeprefix("/")
    supervisor = request.app[SERVICES].supervisor
    return await supervisor.handle(prefix, request.match_info["channel"], tail, request)
