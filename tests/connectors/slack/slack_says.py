"""What people do in a workspace."""

from __future__ import annotations

from typing import Any

from connectors.testing.slack_server import DIRECT, SlackServer


async def said(slack: SlackServer, text: str, *, channel: str = DIRECT, **fields: Any) -> dict[str, Any]:
    """Somebody writes, and the app is told."""
    message = slack.message(text, channel=channel, **fields)
    assert await slack.push(slack.event(message, channel=channel))
    return message


def texts(messages: list[dict[str, Any]]) -> list[str]:
    return [message["text"] for message in messages]
