"""Showing customers on their platform that somebody types. It is true for a moment only, and nothing waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog

from connectors.base import Connector
from connectors.errors import ConnectorError, UnavailableError
from connectors.tasks import end
from inbox.store import Store

AGAIN_SECONDS = 4.0  # Telegram shows it for five
PATIENCE_SECONDS = 5.0
AT_ONCE = 20


class TypingShown:
    """Tells platforms that somebody types."""

    def __init__(self, store: Store, connectors: Mapping[str, Connector[Any]]) -> None:
        """`connectors` are those of the configuration, by channel."""
        self._store = store
        self._connectors = connectors
        self._shown: dict[str, float] = {}
        self._telling: set[asyncio.Task[None]] = set()
        self._logger: Any = structlog.get_logger("santral.typing")

    def show(self, conversation_id: str) -> None:
        """Somebody types in a conversation, again and again."""
        now = asyncio.get_running_loop().time()
        if self._shown.get(conversation_id, 0.0) > now or len(self._telling) >= AT_ONCE:
            return
        self._shown = {one: until for one, until in self._shown.items() if until > now}
        self._shown[conversation_id] = now + AGAIN_SECONDS
        task = asyncio.create_task(self._tell(conversation_id))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def close(self) -> None:
        """Tells nobody any more."""
        await end(*self._telling)

    async def _tell(self, conversation_id: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                last = await self._store.queries.last_of(conversation_id, None, None)
                connector = self._connectors.get(last.channel) if last else None
                if last is None or connector is None or not connector.capabilities.shows_typing:
                    return
                await connector.show_typing(last.external.thread_key or "")
        except (ConnectorError, UnavailableError, TimeoutError):
            pass
        except Exception:
            self._logger.exception("connector raised", conversation=conversation_id)
