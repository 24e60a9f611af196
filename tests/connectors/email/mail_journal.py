"""What a mail channel is given in these tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from harness import PATIENCE

from connectors.context import Channel
from connectors.testing import MemoryContext

ADDRESS = "support@example.com"
CHANNEL = Channel(id="mail", public_url="http://127.0.0.1")


class Journal(MemoryContext):
    """A context that can be waited for."""

    @property
    def bodies(self) -> list[bytes]:
        return [raw.body for raw in self.received]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0.005)
