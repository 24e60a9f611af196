"""What an admin can set for a web chat."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from connectors.base import Options, Secrets

SECRET_BYTES = 32


def _origin(value: str) -> str:
    parts = urlsplit(value.rstrip("/"))
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path or parts.query or parts.username:
        raise ValueError('an origin is a scheme and a host, such as "https://www.example.com"')
    return f"{parts.scheme}://{parts.netloc}".lower()


def _long_enough(secrets: Secrets) -> Secrets:
    if any(len(secret.get_secret_value().encode()) < SECRET_BYTES for secret in secrets):
        raise ValueError(f"too short: HS256 wants {SECRET_BYTES} bytes or more (try `openssl rand -hex 32`)")
    return secrets


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

    @property
    def identity_secrets(self) -> tuple[str, ...]:
        """The secrets in the clear, new ones first."""
        return tuple(secret.get_secret_value() for secret in self.identity_secret)
