"""Leases: one owner over all processes, while its `async with` lasts, and never longer than it surely is the owner.

The database's clock says when a lease ends; this process's says when it must have ended, counted from before the
database was asked. So a holder whose renewals do not come through, or that stood still, stops before another begins.
What it does in the very moment in which it wakes is fenced: a cursor is saved under the lease's token alone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from connectors.context import Lease
from connectors.errors import LeaseLostError, UnavailableError
from connectors.tasks import end
from inbox.store import Store
from inbox.store.leases import LEASE_SECONDS
from inbox.store.processes import BEAT_SECONDS


class HeldLease:
    """Implements `connectors.context.Lease`."""

    def __init__(self, store: Store, name: str, token: int) -> None:
        self.token = token
        self._leases = store.leases
        self._name = name

    async def load_cursor(self) -> bytes | None:
        """What the last owner that saved a cursor had read."""
        return await self._leases.load_cursor(self._name)

    async def save_cursor(self, cursor: bytes) -> None:
        """Keeps how far the platform has been read.

        Raises:
            LeaseLostError: another process is the owner by now.
            UnavailableError: the database is away.
        """
        if not await self._leases.save_cursor(self._name, self.token, cursor):
            raise LeaseLostError(f"the lease {self._name} has another owner")


@asynccontextmanager
async def hold(store: Store, owner: str, name: str) -> AsyncIterator[Lease]:
    """Waits to become the holder of `name`, and renews it until the block ends.

    Raises:
        LeaseLostError: it could not be renewed in time; the block was cancelled.
    """
    loop = asyncio.get_running_loop()
    asked_at = loop.time()
    while (token := await _acquire(store, owner, name)) is None:
        await asyncio.sleep(BEAT_SECONDS)
        asked_at = loop.time()
    try:
        async with asyncio.timeout_at(asked_at + LEASE_SECONDS) as held:
            renewing = asyncio.create_task(_renew(store, owner, name, token, held))
            try:
                yield HeldLease(store, name, token)
            finally:
                await end(renewing)
    except TimeoutError:
        if not held.expired():
            raise
        raise LeaseLostError(f"the lease {name} could not be renewed in time") from None
    finally:
        with contextlib.suppress(UnavailableError):  # it ends by itself, soon
            await store.leases.release(name, owner)


async def _acquire(store: Store, owner: str, name: str) -> int | None:
    try:
        return await store.leases.acquire(name, owner)
    except UnavailableError:
        return None


async def _renew(store: Store, owner: str, name: str, token: int, held: asyncio.Timeout) -> None:
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        asked_at = loop.time()
        if await _acquire(store, owner, name) == token and not held.expired():
            held.reschedule(asked_at + LEASE_SECONDS)
