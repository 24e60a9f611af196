"""What both ways in share: a request is journaled, then it is acted on."""

from __future__ import annotations

from connectors.context import Context
from connectors.slack.arrival import arrival
from connectors.slack.lifecycle import Lifecycle
from connectors.slack.names import Names
from normalizer.fields import Fields


class Inbound:
    """Takes requests for one channel."""

    def __init__(self, context: Context, names: Names, lifecycle: Lifecycle) -> None:
        """`lifecycle` is told of what is journaled."""
        self._context = context
        self._names = names
        self._lifecycle = lifecycle

    async def take(self, body: bytes, content_type: str, told: Fields | None = None) -> None:
        """Journals a request.

        Raises:
            UnavailableError: it could not be: Slack must send it again.
        """
        names = await self._names.of(body.decode("utf-8", "replace"))
        came = arrival(body, content_type, self._context.now(), names, told)
        await self._context.receive(came.raw)
        if came.told is not None:
            self._lifecycle.tell(came.told)
