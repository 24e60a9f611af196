"""What an admin can set for a Telegram bot."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from connectors.base import Options, Secrets

TOKEN = re.compile(r"([0-9]{1,20}):[A-Za-z0-9_-]{10,}")
SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")


def _token(value: SecretStr) -> SecretStr:
    if not TOKEN.fullmatch(value.get_secret_value()):
        raise ValueError("no bot token: BotFather gives one such as 123456789:AAE-kQ…")
    return value


def _secret_token(secrets: Secrets) -> Secrets:
    if not all(SECRET.fullmatch(secret.get_secret_value()) for secret in secrets):
        raise ValueError("1 to 256 letters, digits, _ and - (try `openssl rand -hex 32`)")
    return secrets


def _root(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ValueError('the root of a Bot API server, such as "https://api.telegram.org"')
    return value.rstrip("/")


class TelegramOptions(Options):
    """Options of `connector: telegram`."""

    token: Annotated[SecretStr, AfterValidator(_token)] = Field(description="the bot's token, from BotFather")
    mode: Literal["polling", "hook"] = Field(
        default="polling",
        description="`polling` asks Telegram for what is new; `hook` is called by it under public_url",
    )
    secret_token: Annotated[Secrets, AfterValidator(_secret_token)] = Field(
        default=(),
        description="what Telegram shows with each call of the hook; required with `mode: hook`; a list (new, old) "
        "while it changes",
    )
    groups: Literal["conversation", "ignore"] = Field(
        default="conversation", description="what becomes of groups that the bot is in: a conversation each, or nothing"
    )
    api_url: Annotated[str, AfterValidator(_root)] = Field(
        default="https://api.telegram.org", description="another Bot API server"
    )

    @model_validator(mode="after")
    def _hook_is_guarded(self) -> Self:
        if self.mode == "hook" and not self.secret_token:
            raise ValueError("mode: hook needs a secret_token, or anybody could call it (try `openssl rand -hex 32`)")
        return self

    @property
    def bot(self) -> int:
        """The bot's user id, which its token begins with."""
        return int(self.token.get_secret_value().partition(":")[0])

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secrets of the hook in the clear, the new one first."""
        return tuple(secret.get_secret_value() for secret in self.secret_token)
