"""Leases: one owner over all processes, kept while its `async with` lasts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from connectors.base import Lease
from connectors.errors import UnavailableError
from connectors.tasks import end
from inbox.store import Store
from inbox.store.processes import BEAT_SECONDS, DEAD_AFTER_SECONDS


class HeldLease:
    """Implements `connectors.base.Lease`."""

    def __init__(self, token: int, asked_at: float) -> None:
        self.token = token
        self._asked_at = asked_at

    def renewed(self, asked_at: float) -> None:
        """Says that the lease was renewed, as it was asked at that time of the loop."""
        self._asked_at = asked_at

    def lost(self) -> bool:
        """Whether another may hold it by now: true as well when this process was paused too long."""
        return asyncio.get_running_loop().time() - self._asked_at > DEAD_AFTER_SECONDS


@asynccontextmanager
async def hold(store: Store, owner: str, name: str) -> AsyncIterator[Lease]:
    """Waits to become the holder of `name`, and renews it until the block ends."""
    loop = asyncio.get_running_loop()
    asked_at = loop.time()
    while (token := await _acquire(store, owner, name)) is None:
        await asyncio.sleep(BEAT_SECONDS)
        asked_at = loop.time()
    lease = HeldLease(token, asked_at)
    renewing = asyncio.create_task(_renew(store, owner, name, lease))
    try:
        yield lease
    finally:
        await end(renewing)
        with contextlib.suppress(UnavailableError):  # it ends by itself, soon
            await store.processes.release(name, owner)


async def _acquire(store: Store, owner: str, name: str) -> int | None:
    try:
        return await store.processes.acquire(name, owner)
    except UnavailableError:
        return None


async def _renew(store: Store, owner: str, name: str, lease: HeldLease) -> None:
    loop = asyncio.get_running_loop()
    while not lease.lost():
        await asyncio.sleep(BEAT_SECONDS)
        asked_at = loop.time()
        if await _acquire(store, owner, name) == lease.token:
            lease.renewed(asked_at)
