"""Keeping to the rates that a platform bears, over all processes, before it has to say so."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from connectors.base import Rate
from connectors.errors import UnavailableError
from inbox.store import Store

RETRY_SECONDS = 0.5


class Pacer:
    """Waits for a channel's turn."""

    def __init__(self, store: Store) -> None:
        self._budgets = store.budgets

    async def wait(self, channel: str, thread_key: str | None, rates: Sequence[Rate]) -> None:
        """Returns when the platform bears one more piece of that channel in that thread."""
        for rate in rates:
            of = f"{channel}|{thread_key}" if rate.per == "thread" else channel
            await self._take(f"{of}|{rate.count}/{rate.seconds:g}", rate)

    async def _take(self, key: str, rate: Rate) -> None:
        while True:
            try:
                seconds = await self._budgets.take(key, rate.count, rate.seconds)
            except UnavailableError:  # it is waited for: nothing has been sent yet, so nothing is in doubt
                seconds = RETRY_SECONDS
            if not seconds:
                return
            await asyncio.sleep(seconds)
