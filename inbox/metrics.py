"""What happens to messages in this process, counted: the rooms tell it as it happens, `/metrics` shows it.

What stands at a moment, rather than happens, is asked at each scrape instead: `inbox.gauges`. Labels are bounded:
channels, states, names of leases; never an id, an address, or anybody's word. docs/operations.md explains each name.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Literal, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from connectors.context import Lease
from inbox.activity import Activity
from inbox.model import Event
from normalizer.schema import DeliveryState, Direction

QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)  # seconds
PATIENT = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0)  # seconds
SIZES = (1, 4, 16, 64, 256, 1024, 4096)  # events
REASONS = 50  # different ones of a channel that are counted apart: a plugin may write what it likes

EVENTS = {
    "received": "Events that connectors handed in.",
    "journaled": "Events that were kept for the first time; after this they cannot be lost.",
    "duplicates": "Events that were kept already.",
    "refused": "Events that could not be kept; the platform was told to try again.",
    "applied": "Events whose meaning stands in the inbox.",
    "failed": "Events that could not be understood or applied, and wait for a replay.",
}
REPLIES = {
    "sent": "Replies that left.",
    "failed": "Replies that could not leave, and wait for an agent's retry.",
    "unknown": "Replies of which nobody knows whether they left.",
    "retried": "Tries of a reply that failed for now and will be made again.",
}


class _Bound:
    """One channel's children of the families below; looking up labels costs more than counting does."""

    def __init__(self, families: _Families, channel: str) -> None:
        self.events = {name: family.labels(channel) for name, family in families.events.items()}
        self.ignored: dict[str, Counter] = {}
        self.replies = {name: family.labels(channel) for name, family in families.replies.items()}
        self.stored = {direction: families.stored.labels(channel, direction) for direction in get_args(Direction)}
        self.journal_seconds = families.journal_seconds.labels(channel)
        self.apply_seconds = families.apply_seconds.labels(channel)
        self.reply_seconds = families.reply_seconds.labels(channel)


class _Families:
    """The metrics that are counted by channel."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.events = {name: _counter(registry, f"santral_events_{name}_total", text) for name, text in EVENTS.items()}
        self.ignored = _counter(
            registry, "santral_events_ignored_total", "Applied events that mean nothing to the inbox.", "reason"
        )
        self.replies = {
            name: _counter(registry, f"santral_replies_{name}_total", text) for name, text in REPLIES.items()
        }
        self.stored = _counter(
            registry, "santral_messages_stored_total", "Messages that stand in a conversation.", "direction"
        )
        self.journal_seconds = _histogram(
            registry, "santral_event_journal_seconds", "From an event's being handed in to its being kept.", QUICK
        )
        self.apply_seconds = _histogram(
            registry, "santral_event_apply_seconds", "From an event's reception to its standing in the inbox.", PATIENT
        )
        self.reply_seconds = _histogram(
            registry, "santral_reply_send_seconds", "From a reply's creation, or its hour, to its having left.", PATIENT
        )


class Metrics:
    """Counts in a registry of its own.

    Args:
        registry: where the metrics are found.
        activity: is told when a channel last heard and sent.
        channels: begin at zero, before anything happens on them.
    """

    def __init__(self, registry: CollectorRegistry, activity: Activity, channels: Iterable[str] = ()) -> None:
        self.registry = registry
        self._activity = activity
        self._families = _Families(registry)
        self._bound = {channel: _Bound(self._families, channel) for channel in channels}
        self._reports = _counter(
            registry, "santral_delivery_reports_total", "What platforms and visitors reported of replies.", "state"
        )
        self._transaction_seconds = Histogram(
            "santral_transaction_seconds",
            "From the first try of a transaction to its commit.",
            registry=registry,
            buckets=QUICK,
        )
        self._transaction_events = Histogram(
            "santral_transaction_events", "What one transaction tells.", registry=registry, buckets=SIZES
        )
        self._lag = Histogram(
            "santral_stream_lag_seconds",
            "From a transaction's time to the handing out of its events.",
            registry=registry,
            buckets=QUICK,
        )
        self._webhooks = Counter(
            "santral_webhook_calls_total", "Calls of webhooks, by what came of them.", ("outcome",), registry=registry
        )
        self._turned_away = _counter(
            registry, "santral_requests_turned_away_total", "Requests to hooks that were not the platform's.", "reason"
        )
        self._lease_held = Gauge(
            "santral_lease_held", "1 while this process surely holds the lease.", ("lease",), registry=registry
        )
        self._lease_token = Gauge(
            "santral_lease_token", "The fencing token of a lease of this process.", ("lease",), registry=registry
        )

    def received(self, channel: str) -> None:
        """A connector handed an event in."""
        self._of(channel).events["received"].inc()

    def kept(self, channel: str, seconds: float) -> None:
        """An event that was handed in that long ago is kept, for the first time or again."""
        self._of(channel).journal_seconds.observe(seconds)

    def refused(self, channel: str) -> None:
        """An event could not be kept."""
        self._of(channel).events["refused"].inc()

    def journaled(self, channel: str, events: int, at: datetime) -> None:
        """Events, the last of them received at that time, are kept for the first time."""
        self._of(channel).events["journaled"].inc(events)
        self._activity.came(channel, events, at)

    def duplicate(self, channel: str) -> None:
        """An event was kept already."""
        self._of(channel).events["duplicates"].inc()

    def applied(self, channel: str, seconds: float | None) -> None:
        """An event's meaning stands in the inbox, that long after its reception; None does not count (a replay)."""
        bound = self._of(channel)
        bound.events["applied"].inc()
        if seconds is not None:
            bound.apply_seconds.observe(seconds)

    def ignored(self, channel: str, reason: str) -> None:
        """An event that was applied means nothing to the inbox; what the reason says after a colon is not counted."""
        counted = self._of(channel).ignored
        name = reason.partition(":")[0]
        if name not in counted:
            name = name if len(counted) < REASONS else "other"
            counted[name] = self._families.ignored.labels(channel, name)
        counted[name].inc()

    def event_failed(self, channel: str) -> None:
        """An event was set aside."""
        self._of(channel).events["failed"].inc()

    def reported(self, channel: str, state: DeliveryState) -> None:
        """A platform reported what became of a reply."""
        self._reports.labels(channel, state).inc()

    def sent(self, channel: str, at: datetime, since: datetime) -> None:
        """A reply left at that time, which could have left since then."""
        bound = self._of(channel)
        bound.replies["sent"].inc()
        bound.reply_seconds.observe((at - since).total_seconds())
        self._activity.left(channel, at)

    def not_sent(self, channel: str, state: DeliveryState) -> None:
        """A try did not send a reply; it is now `queued` again, `failed` or `unknown`."""
        self._of(channel).replies["retried" if state == "queued" else state].inc()

    def committed(self, seconds: float, events: Sequence[Event]) -> None:
        """A transaction of this process was committed after that long, and tells this."""
        self._transaction_seconds.observe(seconds)
        self._transaction_events.observe(len(events))
        for event in events:
            if event.type == "message.created" and event.channel is not None:
                self._of(event.channel).stored[event.data["message"]["direction"]].inc()

    def handed_out(self, at: datetime) -> None:
        """The hub hands out the events of a transaction of that time."""
        self._lag.observe((datetime.now(UTC) - at).total_seconds())

    def webhook_called(self, outcome: Literal["delivered", "later", "failed"]) -> None:
        """A subscriber was called: it came through, is tried again later, or was given up."""
        self._webhooks.labels(outcome).inc()

    def turned_away(self, channel: str, reason: str) -> None:
        """A request to a hook was not the platform's."""
        self._turned_away.labels(channel, reason).inc()

    def wants(self, name: str) -> None:
        """A lease is waited for, and shown from now on."""
        self._lease_held.labels(name)

    @contextlib.contextmanager
    def holding(self, name: str, lease: Lease) -> Iterator[None]:
        """A lease is held while the block lasts."""
        self._lease_held.labels(name).set(1)
        self._lease_token.labels(name).set(lease.token)
        try:
            yield
        finally:
            self._lease_held.labels(name).set(0)
            self._lease_token.remove(name)

    def _of(self, channel: str) -> _Bound:
        bound = self._bound.get(channel)
        if bound is None:  # one that has gone from the configuration, and left events or replies behind
            bound = self._bound[channel] = _Bound(self._families, channel)
        return bound


def _counter(registry: CollectorRegistry, name: str, text: str, *labels: str) -> Counter:
    return Counter(name, text, ("channel", *labels), registry=registry)


def _histogram(registry: CollectorRegistry, name: str, text: str, buckets: Sequence[float]) -> Histogram:
    return Histogram(name, text, ("channel",), registry=registry, buckets=buckets)
