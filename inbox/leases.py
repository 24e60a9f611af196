"""Leases: one owner over all processes, kept while its `async with` lasts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from connectors.base import Lease
from connectors.errors import UnavailableError
from inbox.store import Store
from inbox.store.processes import BEAT_SECONDS, DEAD_AFTER_SECONDS


class HeldLease:
    """Implements `connectors.base.Lease`."""

    def __init__(self, token: int) -> None:
        self.token = token
        self._renewed = asyncio.get_running_loop().time()

    def renewed(self) -> None:
        """Says that the lease was renewed now."""
        self._renewed = asyncio.get_running_loop().time()

    def lost(self) -> bool:
        """Whether another may hold it by now: true as well when this process was paused too long."""
        return asyncio.get_running_loop().time() - self._renewed > DEAD_AFTER_SECONDS


@asynccontextmanager
async def hold(store: Store, owner: str, name: str) -> AsyncIterator[Lease]:
    """Waits to become the holder of `name`, and renews it until the block ends."""
    while (token := await _acquire(store, owner, name)) is None:  # noqa: ASYNC110 (the holder may be another process)
        await asyncio.sleep(BEAT_SECONDS)
    lease = HeldLease(token)
    renewing = asyncio.create_task(_renew(store, owner, name, lease))
    try:
        yield lease
    finally:
        renewing.cancel()
        await store.processes.release(name, owner)


async def _acquire(store: Store, owner: str, name: str) -> int | None:
    try:
        return await store.processes.acquire(name, owner)
    except UnavailableError:
        return None


async def _renew(store: Store, owner: str, name: str, lease: HeldLease) -> None:
    while await _acquire(store, owner, name) == lease.token:
        lease.renewed()
        await asyncio.sleep(BEAT_SECONDS)
