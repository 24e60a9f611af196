"""The time as everything of the inbox bears it."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def utc_now() -> datetime:
    """The time, in UTC, in the milliseconds that BSON keeps."""
    return datetime.fromtimestamp(time.time_ns() // 1_000_000 / 1000, UTC)
