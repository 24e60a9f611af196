"""Agents' pictures: their own, and by admins those of others."""

from __future__ import annotations

from aiohttp import web

from connectors.errors import PermanentError
from inbox.api import untrusted
from inbox.api.attachments import uploaded
from inbox.api.problems import ProblemError, not_found
from inbox.api.reading import NoQuery
from inbox.api.routing import SERVICES, AnyCall, Call, Streamed, route
from inbox.services import Services
from inbox.staff import Agent

REFUSES = ("invalid-form", "not-a-picture", "too-large")


@route("PUT", "/api/v1/me/picture", refuses=(*REFUSES, "not-an-agent"))
async def set_my_picture(call: Call[NoQuery, Streamed]) -> Agent:
    """Gives the caller a picture: the bare body, or the first file of a form; PNG, JPEG, WebP or GIF, up to 1 MiB."""
    return await _changed(call, _myself(call))


@route("DELETE", "/api/v1/me/picture", refuses=("not-an-agent",))
async def drop_my_picture(call: Call[NoQuery, None]) -> None:
    """Takes the caller's picture away."""
    await call.services.faces.remove(_myself(call))


@route("PUT", "/api/v1/agents/{id}/picture", refuses=REFUSES)
async def set_picture(call: Call[NoQuery, Streamed]) -> Agent:
    """Gives an agent a picture, as agents give themselves theirs."""
    return await _changed(call, call.id)


@route("DELETE", "/api/v1/agents/{id}/picture")
async def drop_picture(call: Call[NoQuery, None]) -> None:
    """Takes an agent's picture away."""
    if await call.services.faces.remove(call.id) is None:
        raise not_found("agent", call.id)


@route("GET", "/api/v1/pictures/{id}")
async def get_picture(call: Call[NoQuery, None]) -> web.StreamResponse:
    """An agent's picture, by the id that the agent names. Another picture has another id, so browsers may keep it."""
    return await _shown(call.services, call.id)


async def show(request: web.Request) -> web.StreamResponse:
    """The same for whoever was answered by that agent: platforms fetch it by its address, and it is no secret."""
    return await _shown(request.app[SERVICES], request.match_info["id"])


async def _shown(services: Services, picture_id: str) -> web.StreamResponse:
    found = await services.faces.open(picture_id)
    if found is None:
        raise not_found("picture", picture_id)
    headers = untrusted.headers(found.content_type, "picture")
    return web.Response(body=found.content, headers=headers | {"Cache-Control": "private, max-age=31536000, immutable"})


def _myself(call: AnyCall) -> str:
    if call.session is None:
        raise ProblemError("not-an-agent", "only an agent who has signed in has a picture")
    return call.principal.id


async def _changed(call: AnyCall, agent_id: str) -> Agent:
    if await call.store.staff.agent(agent_id) is None:
        raise not_found("agent", agent_id)
    _, content = await uploaded(call.request)
    try:
        agent = await call.services.faces.change(agent_id, content)
    except PermanentError as error:
        raise ProblemError("too-large" if error.code == "too_large" else "not-a-picture", error.reason) from error
    if agent is None:
        raise not_found("agent", agent_id)
    return agent


ROUTES = (set_my_picture, drop_my_picture, set_picture, drop_picture, get_picture)
