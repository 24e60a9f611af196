"""How much of this process is taken: what can wait looks at it before it takes its turn.

Whether somebody waits right now would say less: sixty-four who write at once are answered at once, and for an instant
after it nobody waits.
"""

from __future__ import annotations

import asyncio
import time
from typing import NamedTuple

LOOK_SECONDS = 0.02


class Moment(NamedTuple):
    """Seconds of one core that this loop's tasks used, and seconds that they left."""

    used: float
    free: float


async def look() -> Moment:
    """Waits for a moment, and says how it was."""
    began, before = time.monotonic(), time.thread_time()
    await asyncio.sleep(LOOK_SECONDS)
    used = time.thread_time() - before
    return Moment(used, max(time.monotonic() - began - used, 0.0))


async def eased(longest: float) -> None:
    """Returns once others leave half of the core, and after so many seconds at the latest."""
    ends = time.monotonic() + longest
    while time.monotonic() < ends:
        moment = await look()
        if moment.free > moment.used:
            return
