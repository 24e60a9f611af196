"""What an admin can set for a web chat."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from connectors.base import FollowUp, Options, Secrets

SECRET_BYTES = 32
_DURATION = re.compile(r"([0-9]{1,4})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def _origin(value: str) -> str:
    parts = urlsplit(value.rstrip("/"))
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path or parts.query or parts.username:
        raise ValueError('an origin is a scheme and a host, such as "https://www.example.com"')
    return f"{parts.scheme}://{parts.netloc}".lower()


def _long_enough(secrets: Secrets) -> Secrets:
    if any(len(secret.get_secret_value().encode()) < SECRET_BYTES for secret in secrets):
        raise ValueError(f"too short: HS256 wants {SECRET_BYTES} bytes or more (try `openssl rand -hex 32`)")
    return secrets


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("a duration is written such as 10m, 2h or 1d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


Origin = Annotated[str, AfterValidator(_origin)]
SigningSecrets = Annotated[Secrets, AfterValidator(_long_enough)]


class Rate(BaseModel):
    """So many frames a second for good, and so many at once before that counts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    per_second: float = Field(gt=0, description="frames a second, for good")
    burst: int = Field(ge=1, description="frames at once before that counts")


class Rates(BaseModel):
    """What one visitor may send, and what one address may: behind a proxy or a company's router sit many visitors."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    session: Rate = Field(default=Rate(per_second=50, burst=2000), description="what one visitor may send")
    address: Rate = Field(default=Rate(per_second=5000, burst=50_000), description="what one address may send")


class AnswerByMail(BaseModel):
    """Replies that a visitor has not fetched leave by mail, where an address of theirs is verified."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channel: str = Field(description="the mail channel by which they leave")
    after: Annotated[timedelta, BeforeValidator(_duration)] = Field(
        default=timedelta(minutes=10), description="how long after the last of them: 10m, 2h, 1d"
    )


class WebChatOptions(Options):
    """Options of `connector: webchat`."""

    origins: tuple[Origin, ...] = Field(
        default=(),
        description="pages that may talk to this chat, beside the inbox's own, such as https://www.example.com",
    )
    identity_secret: SigningSecrets = Field(
        default=(), description="signs `identify` tokens (HS256), 32 bytes or more; a list (new, old) while it changes"
    )
    greeting: str = Field(default="", description="what a visitor reads before the first message")
    rate: Rates = Field(default=Rates(), description="how much may be sent")

    answer_by_mail: AnswerByMail | None = Field(
        default=None, description="replies to visitors who have left go by mail, to an address that is verified"
    )

    @property
    def follow_up(self) -> FollowUp | None:
        """The mail that brings what a visitor has not fetched."""
        wanted = self.answer_by_mail
        if wanted is None:
            return None
        return FollowUp(channel=wanted.channel, after=wanted.after, option=("answer_by_mail", "channel"))

    @property
    def identity_secrets(self) -> tuple[str, ...]:
        """The secrets in the clear, new ones first."""
        return tuple(secret.get_secret_value() for secret in self.identity_secret)
