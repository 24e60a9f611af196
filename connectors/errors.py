"""What can go wrong between Santral and a platform.

    ConnectorError
    ├── TemporaryError      try again, after `retry_after` seconds where the platform said so
    │   ├── UnavailableError  Santral itself cannot take more now: tell the platform *try again*
    │   └── LeaseLostError    another process is the owner by now
    ├── PermanentError      trying again is of no use; `reason` is read by an agent
    │   └── UnreachableError  nor is writing to that person at all, until they write or let us in again
    └── UncertainError      nobody knows whether the platform did it

Anything else that a connector raises counts as temporary, with a cap on the tries.
"""

from __future__ import annotations

from normalizer.schema import Recipient


class ConnectorError(Exception):
    """The root: never raised itself."""

    def __init__(self, reason: str, *, code: str | None = None, recipients: tuple[Recipient, ...] = ()) -> None:
        """`reason` is shown to agents; `code` is the platform's own; `recipients` says who is affected and how."""
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.recipients = recipients


class TemporaryError(ConnectorError):
    """It may work later."""

    def __init__(
        self,
        reason: str,
        *,
        retry_after: float | None = None,
        code: str | None = None,
        recipients: tuple[Recipient, ...] = (),
    ) -> None:
        """`retry_after`: seconds that the platform asks for; None leaves the pause to the outbox."""
        super().__init__(reason, code=code, recipients=recipients)
        self.retry_after = retry_after


class UnavailableError(TemporaryError):
    """Santral cannot store the event now (the database is away, or the queue is full): nothing may be acknowledged."""


class LeaseLostError(TemporaryError):
    """Another process may hold the lease by now: whatever only its holder may do must stop."""


class PermanentError(ConnectorError):
    """It will never work as it is."""


class UnreachableError(PermanentError):
    """The person cannot be written to by this channel any more: they blocked us, or are gone."""


class UncertainError(ConnectorError):
    """The platform may have done it: it is not tried again by itself where that could double it."""
