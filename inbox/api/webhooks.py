"""Webhooks: who is told of events by HTTP, and what became of that."""

from __future__ import annotations

import time
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from inbox.api.events import position_of
from inbox.api.names import Name
from inbox.api.paging import Page, PageQuery, page, place
from inbox.api.problems import FieldError, not_found
from inbox.api.reading import NoQuery, as_changes, invalid_body
from inbox.api.routing import AnyCall, Call, route
from inbox.clock import utc_now
from inbox.events import to_cursor
from inbox.model import EventType, new_id
from inbox.subscribers import Webhook, WebhookDelivery
from inbox.webhooks import Caller, new_secret, ping, rotated
from normalizer.codec import to_builtins
from normalizer.schema import Time

NEWEST = "-created_at"

Url = Annotated[str, Meta(min_length=8, max_length=2000)]
EventTypes = Annotated[tuple[EventType, ...], Meta(max_length=50)]


class NewWebhook(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A subscriber. Without `events` they are told of all; they begin with what happens next, or after a cursor."""

    url: Url
    name: Name = "webhook"
    events: EventTypes = ()
    after: str | None = None


class WebhookPatch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change. One who was switched off goes on where they were when they are `active` again."""

    url: Url | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    events: EventTypes | UnsetType = UNSET
    active: bool | UnsetType = UNSET


class ReplayBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From where to tell everything once more."""

    after: str


class RetryBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which delivery to try again from the beginning."""

    delivery_id: Annotated[str, Meta(min_length=1, max_length=200)]


class WebhookView(Struct, frozen=True, kw_only=True):
    """A subscriber. `cursor` is where they are; `reason` says why they were switched off, where Santral did that."""

    id: str
    name: str
    url: str
    events: tuple[EventType, ...]
    active: bool
    cursor: str
    failing_since: Time | None
    reason: str | None
    created_at: Time


class MadeWebhook(WebhookView, frozen=True, kw_only=True):
    """A new subscriber, or a new secret. `secret` is shown this once."""

    secret: str


class WebhookDeliveryView(Struct, frozen=True, kw_only=True):
    """An event on its way to a subscriber; `due_at` is the next try while it is `pending`."""

    id: str
    event_id: str
    type: str
    state: str
    attempts: int
    due_at: Time
    status: int | None
    error: str | None
    created_at: Time


class Tested(Struct, frozen=True, kw_only=True):
    """What a subscriber answered to a ping: a `status`, or why there was none."""

    status: int | None
    error: str | None
    seconds: float


@route("GET", "/api/v1/webhooks")
async def list_webhooks(call: Call[NoQuery, None]) -> Page[WebhookView]:
    """All subscribers."""
    return Page([_view(one) for one in await call.store.webhooks.all()], None)


@route("POST", "/api/v1/webhooks", status=201, refuses=("cursor-expired",))
async def add_webhook(call: Call[NoQuery, NewWebhook]) -> MadeWebhook:
    """Makes a subscriber; the answer has the secret by which they know our calls."""
    body = call.body
    _check(call, body.url)
    secret = new_secret()
    webhook = Webhook(
        id=new_id(),
        name=body.name,
        url=body.url,
        events=tuple(dict.fromkeys(body.events)),
        position=await _position(call, body.after) if body.after else await call.store.events.newest(),
        secrets=(secret,),
        created_at=utc_now(),
    )
    await call.store.webhooks.add(webhook)
    return _made(webhook)


@route("GET", "/api/v1/webhooks/{id}")
async def get_webhook(call: Call[NoQuery, None]) -> WebhookView:
    """One subscriber."""
    return _view(await _webhook(call))


@route("PATCH", "/api/v1/webhooks/{id}")
async def change_webhook(call: Call[NoQuery, WebhookPatch]) -> WebhookView:
    """Changes a subscriber."""
    changes = as_changes(call.body)
    if not changes:
        raise invalid_body(FieldError(field="", detail="name at least one field to change"))
    if "url" in changes:
        _check(call, changes["url"])
    if "events" in changes:
        changes["events"] = list(dict.fromkeys(changes["events"]))
    if changes.get("active"):
        changes |= {"reason": None, "failing_since": None}
    return _view(await _changed(call, changes))


@route("DELETE", "/api/v1/webhooks/{id}")
async def drop_webhook(call: Call[NoQuery, None]) -> None:
    """Forgets a subscriber, with all that is on its way to them."""
    if not await call.store.webhooks.drop(call.id):
        raise not_found("webhook", call.id)


@route("POST", "/api/v1/webhooks/{id}/secret")
async def rotate_secret(call: Call[NoQuery, None]) -> MadeWebhook:
    """Makes a new secret; for 24 hours the last one signs beside it."""
    known = (await _webhook(call)).secrets
    return _made(await _changed(call, {"secrets": to_builtins(rotated(known, utc_now()))}))


@route("POST", "/api/v1/webhooks/{id}/test")
async def test_webhook(call: Call[NoQuery, None]) -> Tested:
    """Calls a subscriber now, with an event of the type `ping`, and says what they answered."""
    webhook = await _webhook(call)
    caller = Caller(call.services.public)
    began = time.perf_counter()
    try:
        outcome = await caller.call(webhook, *ping())
    finally:
        await caller.close()
    return Tested(status=outcome.status, error=outcome.error, seconds=round(time.perf_counter() - began, 3))


@route("POST", "/api/v1/webhooks/{id}/replay", refuses=("cursor-expired",))
async def replay_webhook(call: Call[NoQuery, ReplayBody]) -> WebhookView:
    """Tells a subscriber everything after a cursor once more, also what had come through."""
    await _webhook(call)
    await call.store.webhooks.again(call.id, await _position(call, call.body.after))
    return _view(await _webhook(call))


@route("GET", "/api/v1/webhooks/{id}/deliveries")
async def list_deliveries(call: Call[PageQuery, None]) -> Page[WebhookDeliveryView]:
    """What went, or is to go, to a subscriber in the last 8 days, the newest first."""
    await _webhook(call)
    after = place(call.query.cursor, NEWEST)
    found = await call.store.webhooks.deliveries(call.id, after=after, limit=call.query.limit)
    return page(found, NEWEST, _delivery)


@route("POST", "/api/v1/webhooks/{id}/retry")
async def retry_delivery(call: Call[NoQuery, RetryBody]) -> WebhookDeliveryView:
    """Tries one delivery again from the beginning."""
    delivery = await call.store.webhooks.retry(call.id, call.body.delivery_id, utc_now())
    if delivery is None:
        raise not_found("delivery", call.body.delivery_id)
    return _delivery(delivery)


async def _webhook(call: AnyCall) -> Webhook:
    webhook = await call.store.webhooks.get(call.id)
    if webhook is None:
        raise not_found("webhook", call.id)
    return webhook


async def _changed(call: AnyCall, changes: dict[str, Any]) -> Webhook:
    webhook = await call.store.webhooks.change(call.id, changes)
    if webhook is None:
        raise not_found("webhook", call.id)
    return webhook


async def _position(call: AnyCall, cursor: str) -> int:
    position = position_of(cursor)
    await call.services.hub.backlog(position, 1)
    return position


def _check(call: AnyCall, url: str) -> None:
    try:
        call.services.public.check(url)
    except (OSError, ValueError) as error:
        raise invalid_body(FieldError(field="url", detail=str(error))) from error


def _view(webhook: Webhook) -> WebhookView:
    return msgspec.convert(_shown(webhook), WebhookView)


def _made(webhook: Webhook) -> MadeWebhook:
    return msgspec.convert({**_shown(webhook), "secret": webhook.secrets[0].value}, MadeWebhook)


def _shown(webhook: Webhook) -> dict[str, Any]:
    return {**msgspec.structs.asdict(webhook), "cursor": to_cursor(webhook.position)}


def _delivery(delivery: WebhookDelivery) -> WebhookDeliveryView:
    return msgspec.convert(delivery, WebhookDeliveryView, from_attributes=True)


ROUTES = (
    list_webhooks,
    add_webhook,
    get_webhook,
    change_webhook,
    drop_webhook,
    rotate_secret,
    test_webhook,
    replay_webhook,
    list_deliveries,
    retry_delivery,
)
