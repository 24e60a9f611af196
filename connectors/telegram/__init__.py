"""Telegram, by the Bot API: https://core.telegram.org/bots/api."""

from __future__ import annotations

from connectors.telegram.connector import TelegramConnector

__all__ = ["TelegramConnector"]
