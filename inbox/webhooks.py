"""Telling subscribers of events by HTTP, as the Standard Webhooks specification (version 1.0.0) has it.

One process at a time reads the event log for every subscriber and puts what they want on its way, up to a position that
is saved after it: a subscriber who was down, or a Santral that was killed, misses nothing. Any process of the part
`outbox` then calls them. An event may come twice and under the same `webhook-id`, which is how a receiver knows.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import random
import secrets
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import structlog
from msgspec import Struct

from connectors.errors import LeaseLostError, UnavailableError
from connectors.tasks import end, together
from inbox.clock import utc_now
from inbox.events import to_cursor
from inbox.leases import hold
from inbox.metrics import Metrics
from inbox.model import Event, EventType, new_id
from inbox.public_only import PublicOnly
from inbox.sight import Listener
from inbox.staff import Principal
from inbox.store import Store
from inbox.store.webhooks import delivery_id
from inbox.subscribers import Webhook, WebhookDelivery, WebhookSecret
from inbox.told import event_view
from normalizer.codec import to_json

LOOK_SECONDS = 1.0
PAGE = 200
AT_ONCE = 64  # calls of this process
AT_ONCE_EACH = 8  # of these to one subscriber, so that a slow one does not take all
CALL_SECONDS = 15.0
CLAIM_SECONDS = 20.0  # after that another process may try what one has claimed; longer than a call
ANSWER_BYTES = 2048
PAUSES = tuple(
    timedelta(**one)
    for one in (
        {"seconds": 5},
        {"minutes": 5},
        {"minutes": 30},
        {"hours": 2},
        {"hours": 5},
        {"hours": 10},
        {"hours": 14},
        {"hours": 20},
        {"hours": 24},
    )
)
GIVEN_UP_AFTER = timedelta(days=5)  # without one call that came through
OLD_SECRET_LASTS = timedelta(hours=24)
EVERYTHING = Principal(id="webhooks", name="webhooks", role="admin")


class Outcome(Struct, frozen=True, kw_only=True):
    """What a call came to: the subscriber's answer, or what kept it from coming."""

    status: int | None = None
    error: str | None = None


class Caller:
    """Calls subscribers. To be closed."""

    def __init__(self, allowed: PublicOnly) -> None:
        self._allowed = allowed
        self._clients = {name: allowed.client(encrypted=name == "https") for name in ("https", "http")}

    async def call(self, webhook: Webhook, id_: str, body: bytes) -> Outcome:
        """Calls a subscriber; never raises for what they do."""
        try:
            self._allowed.check(webhook.url)
            headers = signed(webhook.secrets, id_, datetime.now(UTC), body)
            client = self._clients[urlsplit(webhook.url).scheme]
            async with (
                asyncio.timeout(CALL_SECONDS),
                client.post(webhook.url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                told = await answer.content.read(ANSWER_BYTES)
        except TimeoutError:
            return Outcome(error=f"no answer within {CALL_SECONDS:.0f} seconds")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Outcome(error=_words(error))
        if 200 <= answer.status < 300:
            return Outcome(status=answer.status)
        return Outcome(status=answer.status, error=told.decode("utf-8", "replace")[:200] or answer.reason or "refused")

    async def close(self) -> None:
        """Closes what is open."""
        await asyncio.gather(*[client.close() for client in self._clients.values()])


class WebhookWorker:
    """Tells all subscribers, while `run` runs."""

    def __init__(self, store: Store, owner: str, allowed: PublicOnly, metrics: Metrics) -> None:
        self._store = store
        self._owner = owner
        self._allowed = allowed
        self._metrics = metrics
        self._calling: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._some = asyncio.Event()
        self._logger: Any = structlog.get_logger("santral.webhooks")

    async def run(self) -> None:
        """Goes on until cancelled. What is cut off then is tried again by whoever lives."""
        caller = Caller(self._allowed)
        try:
            await together(self._serve(), self._send(caller))
        finally:
            await end(*self._tasks)
            await caller.close()

    async def _serve(self) -> None:
        """Reads the log for the subscribers, in one process at a time."""
        news = self._store.events.listen()
        while True:
            try:
                async with hold(self._store, self._owner, "webhooks"):
                    while True:
                        news.some.clear()
                        news.take_own()
                        if not await self._serve_all():
                            try:
                                async with asyncio.timeout(LOOK_SECONDS):
                                    await news.some.wait()
                            except TimeoutError:
                                pass
            except (UnavailableError, LeaseLostError) as error:
                self._logger.warning("webhooks are not served", reason=str(error))
                await asyncio.sleep(LOOK_SECONDS)

    async def _serve_all(self) -> bool:
        """Puts a page of events on their way to each; whether there may be more."""
        more = False
        for webhook in await self._store.webhooks.all():
            if webhook.active:
                newest = await self._store.events.newest()
                wanted = Listener(reader=EVERYTHING, types=frozenset(webhook.events) or None)
                events = await self._store.events.after(webhook.position, PAGE, listener=wanted)
                full = len(events) == PAGE
                position = events[-1].id if full else max(newest, webhook.position, *(event.id for event in events))
                if position != webhook.position:
                    made = [_delivery(webhook, event) for event in events]
                    await self._store.webhooks.serve(webhook, made, position)
                    self._some.set()
                more = more or full
        return more

    async def _send(self, caller: Caller) -> None:
        while True:
            self._some.clear()
            claimed = None
            try:
                if len(self._tasks) < AT_ONCE:
                    busy = [id_ for id_, calls in self._calling.items() if calls >= AT_ONCE_EACH]
                    now = datetime.now(UTC)
                    claimed = await self._store.webhooks.claim(now, now + timedelta(seconds=CLAIM_SECONDS), busy)
            except UnavailableError as error:
                self._logger.warning("database away", reason=error.reason)
            if claimed is not None:
                self._calling[claimed.webhook_id] += 1
                task = asyncio.create_task(self._try(caller, claimed))
                self._tasks.add(task)
                task.add_done_callback(self._done)
                continue
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._some.wait()
            except TimeoutError:
                pass

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._some.set()

    async def _try(self, caller: Caller, delivery: WebhookDelivery) -> None:
        try:
            webhook = await self._store.webhooks.get(delivery.webhook_id)
            if webhook is None or not webhook.active:
                changes = {"state": "failed", "error": "the webhook is switched off"}
                await self._store.webhooks.tried(delivery, changes)
                return
            outcome = await caller.call(webhook, f"evt_{delivery.event_id}", delivery.body)
            await self._note(webhook, delivery, outcome)
        except UnavailableError as error:  # it is tried again when the claim is over
            self._logger.warning("database away", reason=error.reason)
        finally:
            self._calling[delivery.webhook_id] -= 1
            self._calling = +self._calling  # without those at zero

    async def _note(self, webhook: Webhook, delivery: WebhookDelivery, outcome: Outcome) -> None:
        """Notes what became of a call: of the webhook first, so that whoever sees the delivery's fate sees that too."""
        now = utc_now()
        changes: dict[str, Any] = {"status": outcome.status, "error": outcome.error}
        if outcome.error is None:
            if webhook.failing_since is not None:
                await self._store.webhooks.change(webhook.id, {"failing_since": None})
            await self._store.webhooks.tried(delivery, {**changes, "state": "delivered"})
            self._metrics.webhook_called("delivered")
            return
        await self._switch_off(webhook, outcome, now)
        over = delivery.attempts > len(PAUSES)
        pause = PAUSES[min(delivery.attempts, len(PAUSES)) - 1] * random.uniform(0.9, 1.1)  # noqa: S311 (no secret)
        await self._store.webhooks.tried(
            delivery, {**changes, "state": "failed"} if over else {**changes, "due_at": now + pause}
        )
        self._metrics.webhook_called("failed" if over else "later")

    async def _switch_off(self, webhook: Webhook, outcome: Outcome, now: datetime) -> None:
        since = webhook.failing_since or now
        changes: dict[str, Any] = {"failing_since": since}
        if outcome.status == 410:
            changes |= {"active": False, "reason": "the receiver answered 410: it wants no more"}
        elif now - since > GIVEN_UP_AFTER:
            changes |= {"active": False, "reason": f"nothing came through since {since:%Y-%m-%d %H:%M} UTC"}
        if changes.get("active") is False or webhook.failing_since is None:
            await self._store.webhooks.change(webhook.id, changes)


def new_secret() -> WebhookSecret:
    """A secret as the specification writes them: 24 to 64 random bytes in base64, after `whsec_`."""
    return WebhookSecret(value="whsec_" + base64.b64encode(secrets.token_bytes(32)).decode())


def rotated(known: Sequence[WebhookSecret], now: datetime) -> tuple[WebhookSecret, ...]:
    """A new secret, and before it is known everywhere the last one beside it."""
    old = [WebhookSecret(value=one.value, until=now + OLD_SECRET_LASTS) for one in known if one.until is None]
    return (new_secret(), *old)


def signed(known: Sequence[WebhookSecret], id_: str, now: datetime, body: bytes) -> dict[str, str]:
    """The headers of a call: one signature for each secret that holds."""
    timestamp = str(int(now.timestamp()))
    content = f"{id_}.{timestamp}.".encode() + body
    signatures = [
        "v1," + base64.b64encode(hmac.new(_key(one), content, hashlib.sha256).digest()).decode()
        for one in known
        if one.until is None or one.until > now
    ]
    return {
        "Content-Type": "application/json",
        "User-Agent": "Santral",
        "webhook-id": id_,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }


def ping() -> tuple[str, bytes]:
    """The id and the body of a call that only asks whether the subscriber is there."""
    id_ = new_id()
    return f"ping_{id_}", to_json({"id": id_, "type": "ping", "at": datetime.now(UTC), "data": {}})


def _key(secret: WebhookSecret) -> bytes:
    return base64.b64decode(secret.value.removeprefix("whsec_"))


def _delivery(webhook: Webhook, event: Event) -> WebhookDelivery:
    now = utc_now()
    customer = event.data.get("customer")
    kind: EventType = event.type
    return WebhookDelivery(
        id=delivery_id(webhook.id, event.id),
        webhook_id=webhook.id,
        event_id=to_cursor(event.id),
        type=kind,
        due_at=now,
        body=to_json(event_view(event)),
        conversation_id=event.conversation_id,
        customer_id=customer["id"] if customer else None,
        created_at=now,
    )


def _words(error: Exception) -> str:
    """Why a call did not come through; without what a stranger's server says of itself."""
    inner = error.__cause__ if isinstance(error, aiohttp.ClientConnectorError) and error.__cause__ else error
    return f"{type(inner).__name__}: {inner}"[:300]
