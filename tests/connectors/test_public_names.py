"""What the author of a connector may import is a short list, and is kept."""

from __future__ import annotations

import re
from pathlib import Path

import connectors
import connectors.testing

DOCS = Path(__file__).parents[2] / "docs"

CONTRACT = [
    "Amendment", "Capabilities", "Channel", "Connector", "ConnectorError", "Context", "CursorExpiredError", "Faces",
    "Feed", "FeedPage", "Files", "FollowUp", "Handler", "Keys", "Lease", "LeaseLostError", "OfficeHours", "Opening",
    "Options", "PermanentError", "Picture", "Rate", "Receipt", "Received", "Reply", "Rewriting", "Secrets",
    "TemporaryError", "UnavailableError", "UncertainError", "UnreachableError", "calling", "rewriting",
]  # fmt: skip
KIT = [
    "BotApiServer", "Call", "Door", "Finding", "MemoryContext", "MemoryFaces", "MemoryFeed", "MemoryFiles",
    "MemoryKeys", "MemoryLease", "MemoryLeases", "MemoryLog", "MemorySite", "Misbehaviour", "Mistake", "NotMadeError",
    "Platform", "PlatformServer", "Proof", "RefusedCallError", "Sent", "SlackServer", "Told", "Trouble", "check",
    "check_installed", "prove", "serving", "serving_site",
]  # fmt: skip


def test_the_public_names_are_these() -> None:
    assert connectors.__all__ == CONTRACT
    assert connectors.testing.__all__ == KIT


def test_each_is_there_and_documented() -> None:
    for module, page in ((connectors, "connectors.md"), (connectors.testing, "connector-kit.md")):
        text = (DOCS / page).read_text("utf-8")
        for name in module.__all__:
            assert getattr(module, name).__doc__ or name in ("Handler", "Misbehaviour", "Secrets", "Told", "Trouble")
            assert re.search(rf"\b{name}\b", text), f"{page} does not name {name}"
