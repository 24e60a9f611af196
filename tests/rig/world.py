"""What everybody in a run shares."""

from __future__ import annotations

import asyncio
import random

import aiohttp
from harness import Santral

from rig.chronicle import Chronicle
from rig.ledger import Ledger

BROKEN = (aiohttp.ClientError, OSError, TimeoutError)
PATIENCE = aiohttp.ClientTimeout(total=12.0)


class World:
    """The Santrals, the memory of what was said, and whether it is over.

    Attributes:
        http: one client for all calls; each says for itself whom it calls.
        over: nobody says anything new once this is set.
    """

    def __init__(self, chronicle: Chronicle, santrals: list[Santral], http: aiohttp.ClientSession) -> None:
        self.chronicle = chronicle
        self.ledger = Ledger()
        self.santrals = santrals
        self.http = http
        self.over = asyncio.Event()

    def random(self, name: str) -> random.Random:
        """Chances of its own for everybody, so that nobody's depend on who was quicker."""
        return random.Random(f"{self.chronicle.seed}/{name}")

    @property
    def headers(self) -> dict[str, str]:
        """The agents' token."""
        return {"Authorization": f"Bearer {self.santrals[0].token}"}

    async def rest(self, seconds: float) -> None:
        """Sleeps, but not past the end."""
        try:
            async with asyncio.timeout(seconds):
                await self.over.wait()
        except TimeoutError:
            return
