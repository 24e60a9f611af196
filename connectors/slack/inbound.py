"""What both ways in share: a request is journaled, then it is acted on."""

from __future__ import annotations

import asyncio

from connectors.context import Context, Received
from connectors.slack.arrival import Arrival
from connectors.slack.lifecycle import Lifecycle
from connectors.slack.names import Names


class Inbound:
    """Takes requests for one channel."""

    def __init__(self, context: Context, names: Names, lifecycle: Lifecycle) -> None:
        """`lifecycle` is told of what is journaled."""
        self.dropped = asyncio.Event()  # Slack has said that it did not tell of everything
        self._context = context
        self._names = names
        self._lifecycle = lifecycle

    async def take(self, came: Arrival) -> Received:
        """Journals a request.

        Raises:
            UnavailableError: it could not be: Slack must send it again.
        """
        names = await self._names.of(came.mentions)
        received = await self._context.receive(came.raw(self._context.now(), names))
        self._lifecycle.tell(came)
        if came.event == "app_rate_limited":
            self.dropped.set()
        return received
