"""What understanding an update asks of its channel."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class TelegramChannel(Struct, frozen=True, kw_only=True):
    """What an update's meaning depends on.

    Attributes:
        bot: the bot's user id.
        groups: what becomes of groups: a conversation each, or nothing.
    """

    bot: int
    groups: Literal["conversation", "ignore"] = "conversation"
