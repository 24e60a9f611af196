"""Slack, by its Events API or Socket Mode: https://docs.slack.dev/apis/events-api."""

from __future__ import annotations

from connectors.slack.connector import SlackConnector

__all__ = ["SlackConnector"]
