"""What can go wrong with the database, in words for an admin."""

from __future__ import annotations

from connectors.errors import UnavailableError


class StoreUnavailableError(UnavailableError):
    """The database does not answer, or not in time. Nothing was promised, so nothing is lost: try again."""


class UnfitDatabaseError(Exception):
    """The database at `storage.url` cannot be used: standalone, too old, or out of reach at the start."""


class NotOwnerError(Exception):
    """Another process has taken the work over: what this one was about to write must not be written."""
