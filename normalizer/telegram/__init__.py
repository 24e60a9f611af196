"""What Telegram's updates mean (Bot API 9.6: https://core.telegram.org/bots/api#update)."""

from __future__ import annotations

from normalizer.telegram.channel import TelegramChannel
from normalizer.telegram.update import normalize

__all__ = ["TelegramChannel", "normalize"]
