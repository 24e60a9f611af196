"""What an admin can set for a web chat."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal
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


def _named(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("a duration is written such as 10m, 2h or 1d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


Origin = Annotated[str, AfterValidator(_origin)]
SigningSecrets = Annotated[Secrets, AfterValidator(_long_enough)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rate(_Section):
    """So many frames a second for good, and so many at once before that counts."""

    per_second: float = Field(gt=0, description="frames a second, for good")
    burst: int = Field(ge=1, description="frames at once before that counts")


class Rates(_Section):
    """What one visitor may send, and what one address may: behind a proxy or a company's router sit many visitors."""

    session: Rate = Field(default=Rate(per_second=50, burst=2000), description="what one visitor may send")
    address: Rate = Field(default=Rate(per_second=5000, burst=50_000), description="what one address may send")


class FormField(_Section):
    """A field of the form before the first message. `name` and `email` are known by, and written to."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$", description="`name`, `email`, `phone`, or a name of your own")
    label: str | None = Field(
        default=None, max_length=100, description="what stands beside it; the three of them have words of their own"
    )
    required: bool = Field(default=False, description="whether it must be filled in")

    @property
    def type(self) -> Literal["text", "email", "tel"]:
        """How a browser helps to fill it in."""
        return "email" if self.name == "email" else "tel" if self.name == "phone" else "text"


class PreChat(_Section):
    """The form before the first message."""

    fields: tuple[Annotated[FormField, BeforeValidator(_named)], ...] = Field(
        default=(), max_length=20, description="what is asked: names, or names with a label"
    )
    consent: str = Field(
        default="",
        max_length=10_000,
        description="what must be agreed to; `[words](https://…)` is a link",
    )


class Theme(_Section):
    """How the widget looks, where the page that shows it does not say otherwise."""

    accent: str | None = Field(
        default=None, pattern=r"^#[0-9a-fA-F]{6}$", description="the colour of buttons and of the visitor's messages"
    )
    side: Literal["right", "left"] = Field(default="right", description="in which corner of the page it stands")


class AnswerByMail(_Section):
    """Replies that a visitor has not fetched leave by mail, where an address of theirs is verified."""

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
    prechat: PreChat | None = Field(default=None, description="a form before the first message")
    theme: Theme = Field(default=Theme(), description="how the widget looks")
    rating: bool = Field(default=True, description="whether visitors are asked how it was, once it is resolved")
    call_back: bool = Field(default=False, description="whether visitors may ask to be called")
    answer_by_mail: AnswerByMail | None = Field(
        default=None, description="replies to visitors who have left go by mail, to an address that is verified"
    )
    rate: Rates = Field(default=Rates(), description="how much may be sent")

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
