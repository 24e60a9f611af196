"""What an admin can set for a Slack app."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from connectors.base import Options, Secrets


def _starting(prefix: str, where: str) -> AfterValidator:
    def check(value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(prefix):
            raise ValueError(f"begins with {prefix}: {where}")
        return value

    return AfterValidator(check)


def _root(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ValueError('the root of a Web API, such as "https://slack.com/api/"')
    return value.rstrip("/") + "/"


BotToken = Annotated[SecretStr, _starting("xoxb-", "the app's page, OAuth & Permissions, Bot User OAuth Token")]
AppToken = Annotated[SecretStr, _starting("xapp-", "the app's page, Basic Information, App-Level Tokens")]


class SlackOptions(Options):
    """Options of `connector: slack`."""

    bot_token: BotToken = Field(description="the app's bot token")
    app_token: AppToken | None = Field(
        default=None, description="connects by Socket Mode, which needs no address of ours; else `signing_secret`"
    )
    signing_secret: Secrets = Field(
        default=(),
        description="proves what Slack posts to the hook under public_url; a list (new, old) while it changes",
    )
    agent_names: bool = Field(
        default=False,
        description="replies bear the answering agent's name and picture; needs the scope chat:write.customize",
    )
    notice: str = Field(
        default="", max_length=1000, description="what the writer of a slash command reads at once, and nobody else"
    )
    silence_hours: float | None = Field(
        default=None,
        gt=0,
        le=24 * 366,
        description="a direct message after so many hours of silence begins a new conversation; by default never",
    )
    api_url: Annotated[str, AfterValidator(_root)] = Field(
        default="https://slack.com/api/", description="another Web API root"
    )

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if (self.app_token is None) == (not self.signing_secret):
            raise ValueError("give app_token (Socket Mode) or signing_secret (a hook), one of the two")
        return self

    @property
    def silence(self) -> timedelta | None:
        """After how much silence a direct conversation ends."""
        return None if self.silence_hours is None else timedelta(hours=self.silence_hours)

    @property
    def signing_secrets(self) -> tuple[str, ...]:
        """The signing secrets in the clear."""
        return tuple(secret.get_secret_value() for secret in self.signing_secret)
