"""The trail of a message in the log: where it came to stand, under the id that it had since it was journaled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog

from inbox.model import Event


class Trail:
    """Writes a line for each message that this process stored."""

    def __init__(self) -> None:
        self._logger: Any = structlog.get_logger("santral.trail").bind()  # a lazy one looks its method up for each line

    def committed(self, events: Sequence[Event]) -> None:
        """A transaction of this process was committed and tells this."""
        for event in events:
            if event.type == "message.created":
                self._logger.info(
                    "message stored",
                    message=event.message_id,
                    channel=event.channel,
                    direction=event.data["message"]["direction"],
                    conversation=event.conversation_id,
                )
