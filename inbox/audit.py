"""The audit log: who read, changed, exported or erased what.

What changes something is written down before its answer leaves. What only reads is written a little later, many at a
time: a process that is killed loses what was read in its last second.
"""

from __future__ import annotations

import asyncio

from connectors.errors import UnavailableError
from inbox.clock import utc_now
from inbox.model import new_id
from inbox.staff import AuditEntry, Principal
from inbox.store import Store

FLUSH_SECONDS = 1.0
MOST_WAITING = 10_000  # reads that wait while the database is away; it answers no more of them then anyway


class Audit:
    """Takes entries, and writes them while `run` runs."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[AuditEntry] = []

    def read(self, entry: AuditEntry) -> None:
        """Notes that somebody read something."""
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(entry)

    async def changed(self, entry: AuditEntry) -> None:
        """Writes down that somebody changed something."""
        await self._store.audit.add([entry])

    async def run(self) -> None:
        """Goes on until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Writes what waits; where the database is away, it goes on waiting."""
        entries, self._waiting = self._waiting, []
        if entries:
            try:
                await self._store.audit.add(entries)
            except UnavailableError:
                self._waiting = entries + self._waiting


def entry(
    principal: Principal, call: str, *, subject_id: str | None = None, customer_id: str | None = None, address: str = ""
) -> AuditEntry:
    """An entry of now."""
    return AuditEntry(
        id=new_id(),
        at=utc_now(),
        principal_id=principal.id,
        principal=principal.name,
        call=call,
        subject_id=subject_id,
        customer_id=customer_id,
        address=address,
    )
