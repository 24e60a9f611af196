"""From the configuration's channels to connectors: found, their options validated, or refused with a reason."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from pydantic import ValidationError

from config import Config, Problem, Source
from connectors.base import Connector, FollowUp
from connectors.context import Channel
from connectors.hours import OfficeHours
from connectors.registry import NoConnectorError, Registry
from inbox.addressing import outside
from inbox.ingest import Policy
from inbox.ingest.patience import Normalize


class Channels(Struct, frozen=True, kw_only=True):
    """The connectors by channel, and (connector's name, reason) of those channels that have none.

    `order` names all of them as the configuration does.
    """

    order: tuple[str, ...]
    connectors: dict[str, Connector[Any]]
    policies: dict[str, Policy]
    refused: dict[str, tuple[str, str]]


class ChannelChecker:
    """Checks each channel's connector and options while the configuration is read.

    Args:
        strict: a connector that cannot be used is a mistake of the configuration; else the channel is refused later
            and the others run.
    """

    def __init__(self, registry: Registry, *, strict: bool) -> None:
        self._registry = registry
        self._strict = strict

    def __call__(self, source: Source, index: int, name: str, options: Mapping[str, Any]) -> Sequence[Problem]:
        """The mistakes of one channel."""
        try:
            model = self._registry.load(name).options_model
        except NoConnectorError as error:
            path = ("channels", index, "connector")
            return (source.problem(path, str(error), self._advice(name)),) if self._strict else ()
        try:
            made = model.model_validate(options)
        except ValidationError as error:
            return source.problems(error, ("channels", index), model)
        return self._follow_up(source, index, made.follow_up) if made.follow_up else ()

    def _follow_up(self, source: Source, index: int, wanted: FollowUp) -> Sequence[Problem]:
        """What is wrong with the channel by which replies leave that nobody fetched."""
        where: tuple[str | int, ...] = ("channels", index, *wanted.option)
        name = source.connectors.get(wanted.channel)
        if name is None:
            near = difflib.get_close_matches(wanted.channel, source.connectors, 1)
            todo = f'did you mean "{near[0]}"?' if near else "name one of `channels` by its id"
            return (source.problem(where, "there is no such channel", todo),)
        try:
            begins = self._registry.load(name).capabilities.begins
        except NoConnectorError:
            return ()  # which is told where that channel stands
        if begins:
            return ()
        return (
            source.problem(where, f"on a channel of {name} only the customer can write first", "name a mail channel"),
        )

    def _advice(self, name: str) -> str:
        near = difflib.get_close_matches(name, self._registry.names(), 1)
        if near:
            return f'did you mean "{near[0]}"?'
        return f"install it, or choose one of {', '.join(self._registry.names())}"


def build(config: Config, registry: Registry) -> Channels:
    """Makes the connectors of a configuration that was checked."""
    hours = _office_hours(config)
    channels = Channels(order=tuple(item.id for item in config.channels), connectors={}, policies={}, refused={})
    for item in config.channels:
        try:
            kind = registry.load(item.connector)
        except NoConnectorError as error:
            channels.refused[item.id] = (item.connector, str(error))
            continue
        channel = Channel(
            id=item.id,
            public_url=config.inbox.public_url,
            inbox_name=config.inbox.name,
            locale=config.inbox.locale,
            hours=hours,
        )
        channels.connectors[item.id] = kind(kind.options_model.model_validate(item.options), channel)
        reopen_within = item.reopen_within or kind.capabilities.reopen_within
        channels.policies[item.id] = Policy(
            reopen_within=reopen_within,
            edits=kind.capabilities.edits,
            profiles=kind.capabilities.profiles,
            address=functools.partial(outside, channels.connectors),
        )
    return channels


def _office_hours(config: Config) -> OfficeHours | None:
    hours = config.hours
    if hours is None:
        return None
    return OfficeHours(zone=hours.zone(config.inbox), week=hours.week, closed=frozenset(hours.closed))


def normalizers(config: Config, registry: Registry) -> dict[str, Normalize]:
    """What understands each channel's events; for a process that does nothing else."""
    return {channel: connector.normalize for channel, connector in build(config, registry).connectors.items()}
