"""Asking Slack what is missing for an app to be heard."""

from __future__ import annotations

from collections.abc import AsyncIterator

from connectors.errors import PermanentError
from connectors.slack.api import UNKNOWN_APP, SlackApi
from connectors.slack.options import SlackOptions

# What each is for stands in docs/slack.md, beside the manifest that asks for all of them.
SCOPES = frozenset(
    (
        "app_mentions:read",
        "channels:history",
        "channels:read",
        "chat:write",
        "files:read",
        "files:write",
        "groups:history",
        "groups:read",
        "im:history",
        "im:read",
        "im:write",
        "mpim:history",
        "mpim:read",
        "reactions:read",
        "reactions:write",
        "users:read",
        "users:read.email",
    )
)
CUSTOMIZE = "chat:write.customize"


async def examine(api: SlackApi, options: SlackOptions) -> AsyncIterator[str]:
    """What is missing, a sentence each.

    Raises:
        ConnectorError: Slack cannot be asked.
    """
    try:
        scopes = await api.scopes()
    except PermanentError as error:
        if error.code != UNKNOWN_APP:
            raise
        yield "bot_token: Slack does not accept it; take it from the app's page, OAuth & Permissions"
        return
    wanted = SCOPES | {CUSTOMIZE} if options.agent_names else SCOPES
    missing = sorted(wanted - scopes)
    if missing:
        yield f"scopes are missing: {', '.join(missing)}; add them under OAuth & Permissions, and install the app again"
    if options.app_token is not None:
        try:
            await api.socket_url()
        except PermanentError as error:
            yield f"app_token: {error.reason}; it needs connections:write, and Socket Mode must be on"
