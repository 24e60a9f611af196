"""Leases in memory, over all contexts that share them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from connectors.context import Lease
from connectors.errors import LeaseLostError


class MemoryLease:
    """What the holder of a lease has. An earlier holder's cursor is refused."""

    def __init__(self, leases: MemoryLeases, name: str, token: int) -> None:
        self.token = token
        self._leases = leases
        self._name = name

    async def load_cursor(self) -> bytes | None:
        """What was saved last."""
        await asyncio.sleep(0)
        return self._leases.cursors.get(self._name)

    async def save_cursor(self, cursor: bytes) -> None:
        """Keeps it.

        Raises:
            LeaseLostError: somebody else holds the lease by now.
        """
        await asyncio.sleep(0)
        if self._leases.tokens.get(self._name) != self.token:
            raise LeaseLostError(f"the lease {self._name} has another owner")
        self._leases.cursors[self._name] = cursor


class MemoryLeases:
    """Leases over all contexts that share this. `cursors` and `tokens` are by name."""

    def __init__(self) -> None:
        self.cursors: dict[str, bytes] = {}
        self.tokens: dict[str, int] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._held: dict[str, asyncio.Timeout] = {}

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[Lease]:
        """Waits to become the holder, while the block lasts."""
        async with self._locks.setdefault(name, asyncio.Lock()):
            self.tokens[name] = token = self.tokens.get(name, 0) + 1
            try:
                async with asyncio.timeout(None) as held:
                    self._held[name] = held
                    yield MemoryLease(self, name, token)
            except TimeoutError:
                if not held.expired():
                    raise
                raise LeaseLostError(f"the lease {name} could not be renewed in time") from None
            finally:
                self._held.pop(name, None)

    def lose(self) -> int:
        """Takes every lease from its holder, as when another process is the owner by now; says how many that were."""
        now = asyncio.get_running_loop().time()
        for name, held in self._held.items():
            self.tokens[name] += 1
            held.reschedule(now)
        return len(self._held)
