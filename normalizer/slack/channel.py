"""What understanding a request of Slack asks of its channel."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct


class SlackChannel(Struct, frozen=True, kw_only=True):
    """What an event's meaning depends on.

    Attributes:
        silence: a direct message after so much silence begins a new conversation; None: never.
    """

    silence: timedelta | None = None
