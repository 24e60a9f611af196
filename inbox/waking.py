"""Opening snoozed conversations again when their time has come."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime

from msgspec.structs import replace

from connectors.errors import UnavailableError
from inbox.model import Conversation
from inbox.store import Store, Unit

LOOK_SECONDS = 1.0
AT_ONCE = 100  # conversations in one transaction


class Waker:
    """Looks every second; several of them wake each conversation once."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def run(self) -> None:
        """Goes on until cancelled. A database that is away is waited for."""
        while True:
            woken = 0
            with contextlib.suppress(UnavailableError):
                woken = await self._wake()
            if woken < AT_ONCE:
                await asyncio.sleep(LOOK_SECONDS)

    async def _wake(self) -> int:
        due = await self._store.queries.asleep_until(datetime.now(UTC), AT_ONCE)
        return await self._store.write(lambda unit: _woken(unit, due), weight=len(due)) if due else 0


async def _woken(unit: Unit, due: list[str]) -> int:
    found = await unit.get(Conversation, due)
    for conversation in found.values():
        until = conversation.snoozed_until
        # An agent may have opened it meanwhile, or put it off again.
        if conversation.status == "snoozed" and until is not None and until <= unit.now:
            unit.put(replace(conversation, status="open", snoozed_until=None, updated_at=unit.now))
    return len(found)
