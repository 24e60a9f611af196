"""What stands at this moment: asked of the rooms at each scrape of `/metrics`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import get_args

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from connectors.supervisor import State, Supervisor
from inbox.activity import Activity
from inbox.events import Hub
from inbox.housekeeping import Housekeeping
from inbox.ingest import Ingest


class Gauges(Collector):
    """A collector for the registry of `inbox.metrics`."""

    def __init__(
        self, *, ingest: Ingest, hub: Hub, supervisor: Supervisor, activity: Activity, housekeeping: Housekeeping
    ) -> None:
        self._ingest = ingest
        self._hub = hub
        self._supervisor = supervisor
        self._activity = activity
        self._housekeeping = housekeeping

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All of them, as they stand."""
        yield GaugeMetricFamily(
            "santral_events_waiting", "Journaled events in memory that are not applied yet.", self._ingest.waiting
        )
        yield GaugeMetricFamily(
            "santral_journal_behind",
            "1 while the journal may hold events of this process that are not in memory.",
            self._ingest.behind,
        )
        yield GaugeMetricFamily(
            "santral_stream_followers", "Agents' streams and visitors' sockets that are served.", self._hub.followers
        )
        yield GaugeMetricFamily(
            "santral_heartbeat_timestamp_seconds",
            "When this process last showed the others that it lives.",
            self._housekeeping.beaten_at.timestamp(),
        )
        yield self._states()
        yield from self._times()

    def _states(self) -> GaugeMetricFamily:
        states = GaugeMetricFamily(
            "santral_channel_state",
            "1 for the state that the channel is in, 0 for the others.",
            labels=("channel", "connector", "state"),
        )
        for channel in self._supervisor.states():
            for state in get_args(State):
                states.add_metric((channel.id, channel.connector, state), channel.state == state)
        return states

    def _times(self) -> Iterator[GaugeMetricFamily]:
        last_in = _by_channel(
            "santral_channel_last_in_timestamp_seconds", "When the channel last heard of its platform, in any process."
        )
        last_out = _by_channel(
            "santral_channel_last_out_timestamp_seconds", "When a reply last left by the channel, in any process."
        )
        for channel in self._supervisor.states():
            _add(last_in, channel.id, self._activity.last_in(channel.id))
            _add(last_out, channel.id, self._activity.last_out(channel.id))
        yield last_in
        yield last_out


def _by_channel(name: str, text: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=("channel",))


def _add(family: GaugeMetricFamily, channel: str, at: datetime | None) -> None:
    if at is not None:
        family.add_metric((channel,), at.timestamp())
