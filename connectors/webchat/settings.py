"""What a page that shows the chat must know before a visitor says anything."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from connectors.context import Channel
from connectors.hours import Opening
from connectors.webchat.options import WebChatOptions


class FieldShown(Struct, frozen=True, kw_only=True):
    """A field of the form; without a `label` the client has words of its own for its name."""

    name: str
    label: str | None
    type: Literal["text", "email", "tel"]
    required: bool


class FormShown(Struct, frozen=True, kw_only=True):
    """The form before the first message. `consent` is what must be agreed to."""

    fields: tuple[FieldShown, ...]
    consent: str | None


class ThemeShown(Struct, frozen=True, kw_only=True):
    """How it looks."""

    accent: str | None
    side: Literal["right", "left"]


class Settings(Struct, frozen=True, kw_only=True):
    """The answer of `GET /chat/{channel}/settings`.

    Attributes:
        hours: whether somebody is there, and when that changes; null: always.
        rating: visitors are asked how it was.
        call_back: they may ask to be called.
        identifies: a website can vouch for its users here.
    """

    name: str
    locale: str
    greeting: str
    theme: ThemeShown
    prechat: FormShown | None
    hours: Opening | None
    rating: bool
    call_back: bool
    identifies: bool


def settings(channel: Channel, options: WebChatOptions, now: datetime) -> Settings:
    """What the options say of it at `now`."""
    asked = options.prechat
    fields = [
        FieldShown(name=field.name, label=field.label, type=field.type, required=field.required)
        for field in (asked.fields if asked else ())
    ]
    return Settings(
        name=channel.inbox_name,
        locale=channel.locale,
        greeting=options.greeting,
        theme=ThemeShown(accent=options.theme.accent, side=options.theme.side),
        prechat=FormShown(fields=tuple(fields), consent=asked.consent or None) if asked else None,
        hours=channel.hours.at(now) if channel.hours else None,
        rating=options.rating,
        call_back=options.call_back,
        identifies=bool(options.identity_secret),
    )
