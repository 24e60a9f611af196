"""Which connectors are installed: entry points of the group `santral.connectors`.

A connector is imported only when a channel uses it, so that nobody pays for a platform that is switched off.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from connectors.base import Connector

GROUP = "santral.connectors"


class NoConnectorError(Exception):
    """There is no connector of that name that can be used; the text says why."""


class Registry:
    """The installed connectors, by name."""

    def __init__(self, found: Sequence[EntryPoint] | None = None) -> None:
        """`found` are the entry points to use; None for those installed."""
        self._found: dict[str, list[EntryPoint]] = {}
        for entry in entry_points(group=GROUP) if found is None else found:
            self._found.setdefault(entry.name, []).append(entry)

    def names(self) -> list[str]:
        """All names, in order."""
        return sorted(self._found)

    def load(self, name: str) -> type[Connector[Any]]:
        """The connector of that name.

        Raises:
            NoConnectorError: it is not installed, installed twice, or broken.
        """
        entries = self._found.get(name, [])
        if not entries:
            raise NoConnectorError(f'no connector "{name}" is installed')
        if len({entry.value for entry in entries}) > 1:
            places = " and ".join(sorted(entry.value for entry in entries))
            raise NoConnectorError(f'two connectors are called "{name}": {places}; uninstall one')
        try:
            found = entries[0].load()
        except (Exception, SystemExit) as error:
            raise NoConnectorError(f'connector "{name}" cannot be imported: {error!r}') from error
        if not (isinstance(found, type) and issubclass(found, Connector)):
            raise NoConnectorError(f'connector "{name}" is no connectors.base.Connector: {entries[0].value}')
        return found
