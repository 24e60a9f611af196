"""What the examples of the API's document are about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

AT = "2026-11-23T03:35:41.661000Z"
LATER = "2026-11-30T08:00:00Z"
MESSAGE_ID = "01a20679-4954-720e-8799-f2f9c5b4402d"
CONVERSATION_ID = "01a20679-4960-72b3-8bcb-96d4eca251bd"
CUSTOMER_ID = "01a20679-4960-72b3-8bcb-96d3975820f1"
AGENT_ID = "01a20680-11c2-7f6e-a8a3-0f9c1a5b7e10"
TEAM_ID = "01a20681-22d3-7a1f-b8b4-1fad2b6c8f21"


def page(item: Mapping[str, Any]) -> dict[str, Any]:
    """A list with that alone."""
    return {"items": [item], "next": None}
