"""Connectors, and the contract that they keep: what the author of one may import is what is named here.

What a connector is stands in `connectors.base`, what it is given in `connectors.context`, how a send fails in
`connectors.errors`, how a platform is called over HTTP in `connectors.calling`, what an edit comes to in
`connectors.rewriting`; what an event may mean is `normalizer.outcomes`, and what a message holds `normalizer.schema`.
"""

from __future__ import annotations

from connectors.base import Amendment, Capabilities, Connector, FollowUp, Options, Rate, Receipt, Reply, Secrets
from connectors.calling import calling
from connectors.context import (
    Channel,
    Context,
    CursorExpiredError,
    Faces,
    Feed,
    FeedPage,
    Files,
    Handler,
    Keys,
    Lease,
    Picture,
    Received,
)
from connectors.errors import (
    ConnectorError,
    LeaseLostError,
    PermanentError,
    TemporaryError,
    UnavailableError,
    UncertainError,
    UnreachableError,
)
from connectors.hours import OfficeHours, Opening
from connectors.rewriting import Rewriting, rewriting

__all__ = [
    "Amendment",
    "Capabilities",
    "Channel",
    "Connector",
    "ConnectorError",
    "Context",
    "CursorExpiredError",
    "Faces",
    "Feed",
    "FeedPage",
    "Files",
    "FollowUp",
    "Handler",
    "Keys",
    "Lease",
    "LeaseLostError",
    "OfficeHours",
    "Opening",
    "Options",
    "PermanentError",
    "Picture",
    "Rate",
    "Receipt",
    "Received",
    "Reply",
    "Rewriting",
    "Secrets",
    "TemporaryError",
    "UnavailableError",
    "UncertainError",
    "UnreachableError",
    "calling",
    "rewriting",
]
