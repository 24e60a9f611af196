"""The kit that proves a connector without its platform and without an inbox: docs/connector-kit.md.

A connector's author writes a `Proof`; `check` makes every check of it. `MemoryContext` is the context that the kit
gives a connector, for an author's own tests.
"""

from __future__ import annotations

from connectors.testing.bot_api import BotApiServer
from connectors.testing.feed import MemoryFeed
from connectors.testing.finding import Finding
from connectors.testing.installed import check_installed
from connectors.testing.kit import check, prove
from connectors.testing.leases import MemoryLease, MemoryLeases
from connectors.testing.memory import (
    MemoryContext,
    MemoryFaces,
    MemoryFiles,
    MemoryKeys,
    MemoryLog,
)
from connectors.testing.proof import Door, Mistake, NotMadeError, Platform, Proof, Sent, Told, Trouble
from connectors.testing.server import Call, Misbehaviour, PlatformServer, RefusedCallError, serving
from connectors.testing.site import MemorySite, serving_site
from connectors.testing.slack_server import SlackServer

__all__ = [
    "BotApiServer",
    "Call",
    "Door",
    "Finding",
    "MemoryContext",
    "MemoryFaces",
    "MemoryFeed",
    "MemoryFiles",
    "MemoryKeys",
    "MemoryLease",
    "MemoryLeases",
    "MemoryLog",
    "MemorySite",
    "Misbehaviour",
    "Mistake",
    "NotMadeError",
    "Platform",
    "PlatformServer",
    "Proof",
    "RefusedCallError",
    "Sent",
    "SlackServer",
    "Told",
    "Trouble",
    "check",
    "check_installed",
    "prove",
    "serving",
    "serving_site",
]
