"""What Slack's events, commands and pressed buttons mean (https://docs.slack.dev/reference/events)."""

from __future__ import annotations

from normalizer.slack.channel import SlackChannel
from normalizer.slack.request import normalize

__all__ = ["SlackChannel", "normalize"]
