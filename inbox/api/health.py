"""Liveness, readiness and metrics, for whoever runs the process."""

from __future__ import annotations

from typing import Literal

from aiohttp import web
from msgspec import Struct
from prometheus_client.exposition import choose_encoder

from inbox.api.routing import HEADERS, SERVICES
from normalizer.codec import to_json

WELL = ("running", "standby")


class IllChannel(Struct, frozen=True):
    """A channel that does not run. Why is for those who may see `/api/v1/channels`."""

    id: str
    state: str


class Readiness(Struct, frozen=True, kw_only=True):
    """Whether requests are served: the database answers, and every channel was started."""

    status: Literal["ready", "starting", "unavailable"]
    database: bool
    channels: list[IllChannel]


async def healthz(_: web.Request) -> web.Response:
    """200 while the process answers at all."""
    return web.Response(body=b'{"status":"ok"}', content_type="application/json", headers=HEADERS)


async def readyz(request: web.Request) -> web.Response:
    """200 once the database answers and every channel was started; ill channels are named."""
    services = request.app[SERVICES]
    database = await services.store.ping()
    states = services.supervisor.states()
    started = all(state.state != "starting" for state in states)
    readiness = Readiness(
        status="unavailable" if not database else "ready" if started else "starting",
        database=database,
        channels=[IllChannel(state.id, state.state) for state in states if state.state not in WELL],
    )
    status = 200 if readiness.status == "ready" else 503
    return web.Response(status=status, body=to_json(readiness), content_type="application/json", headers=HEADERS)


async def metrics(request: web.Request) -> web.Response:
    """What this process has counted, as Prometheus reads it; no secret and no customer's data is in it."""
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    body = encode(request.app[SERVICES].metrics)
    return web.Response(body=body, headers={**HEADERS, "Content-Type": content_type})
