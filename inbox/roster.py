"""Who does what: which parts this process runs, and how each channel fares over all processes."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from connectors.base import Capabilities
from connectors.supervisor import ChannelState, State, Supervisor
from inbox.activity import Activity
from inbox.channels import Channels
from inbox.silence import Silence
from inbox.store import Store
from normalizer.codec import from_builtins, to_builtins

Part = Literal["web", "channels", "outbox"]
PARTS: tuple[Part, ...] = ("web", "channels", "outbox")

# Where processes differ, what is shown of a channel is the first of these: an alarm before good news, and that before
# the troubles of those that could not get in beside it.
SHOWN_FIRST: tuple[State, ...] = ("silent", "running", "starting", "backing_off", "failed", "standby", "stopped")


class Workplace(Struct, frozen=True, kw_only=True):
    """One process: where it runs, which parts, and how its channels fare."""

    host: str
    pid: int
    parts: tuple[Part, ...]
    channels: tuple[ChannelState, ...]


class ChannelAtWork(Struct, frozen=True, kw_only=True):
    """How a channel fares in one process."""

    host: str
    pid: int
    state: State
    reason: str | None
    since: datetime


class ChannelFare(Struct, frozen=True, kw_only=True):
    """How a channel fares over all processes, and what its platform can do."""

    id: str
    connector: str
    state: State
    reason: str | None
    since: datetime | None
    capabilities: Capabilities | None
    processes: list[ChannelAtWork]


class Roster:
    """Knows the channels of the configuration, and asks the database who runs them.

    Args:
        store: where processes tell of themselves.
        owner: this process.
        parts: what it runs.
        channels: those of the configuration, whichever part they belong to.
        supervisor: runs those of this process.
    """

    def __init__(
        self, store: Store, owner: str, parts: Iterable[Part], channels: Channels, supervisor: Supervisor
    ) -> None:
        self._store = store
        self._owner = owner
        self._parts = tuple(parts)
        self._channels = channels
        self._supervisor = supervisor

    def workplace(self) -> Mapping[str, Any]:
        """What this process tells the others, with each beat."""
        return dict(to_builtins(self._workplace()))

    async def listen_for_silence(self, activity: Activity, now: datetime) -> None:
        """Raises an alarm for each channel of this process that is silent when it never used to be."""
        for state in self._supervisor.states():
            found = await activity.silence(self._store, state.id, now)
            self._supervisor.alarm(state.id, _told(found) if found else None)

    async def channels(self) -> list[ChannelFare]:
        """How each channel fares, in the order of the configuration."""
        told = await self._store.processes.workplaces()
        others = [from_builtins(facts, Workplace) for owner, facts in told.items() if owner != self._owner]
        places = [self._workplace(), *others]
        return [self._fare(channel, places) for channel in self._channels.order]

    def _workplace(self) -> Workplace:
        return Workplace(
            host=socket.gethostname(),
            pid=os.getpid(),
            parts=self._parts,
            channels=tuple(self._supervisor.states()),
        )

    def _fare(self, channel: str, places: Iterable[Workplace]) -> ChannelFare:
        connector = self._channels.connectors.get(channel)
        at_work = [
            ChannelAtWork(host=place.host, pid=place.pid, state=one.state, reason=one.reason, since=one.since)
            for place in places
            for one in place.channels
            if one.id == channel
        ]
        at_work.sort(key=lambda one: SHOWN_FIRST.index(one.state))
        shown = at_work[0] if at_work else None
        nobody = f"no process runs it: start one with the part {connector.part}" if connector else None
        return ChannelFare(
            id=channel,
            connector=connector.name if connector else self._channels.refused[channel][0],
            state=shown.state if shown else "stopped",
            reason=shown.reason if shown else nobody,
            since=shown.since if shown else None,
            capabilities=connector.capabilities if connector else None,
            processes=at_work,
        )


def _told(silence: Silence) -> str:
    hours = silence.lasting.total_seconds() / 3600
    weeks = "week" if silence.weeks == 1 else f"{silence.weeks} weeks"
    return f"no message for {hours:.0f} h; in the same hours of the last {weeks} at least {silence.missed} came"
