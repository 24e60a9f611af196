"""Changing what was said: a reply's text, its deletion, a reaction."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from inbox.api.problems import FieldError
from inbox.api.reading import NoQuery, invalid_body
from inbox.api.routing import Call, route
from inbox.api.seen import seen_message
from normalizer.schema import Message

REFUSES = ("channel-gone", "not-amendable", "refused-there")

Emoji = Annotated[str, Meta(min_length=1, max_length=64, description="An emoji, as it is shown.")]


class EditBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The reply's new text; without `html` it has none."""

    text: Annotated[str, Meta(min_length=1)]
    html: str | None = None


class ReactionBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reaction: put under the message, or with `on: false` taken away."""

    emoji: Emoji
    on: bool = True


@route("PATCH", "/api/v1/messages/{id}", refuses=(*REFUSES, "html-too-complex", "not-a-reply"))
async def edit_message(call: Call[NoQuery, EditBody]) -> Message:
    """Gives a reply another text, here and where it was sent; what it said before is a revision."""
    if not call.body.text.strip():
        raise invalid_body(FieldError(field="text", detail="write something; or delete the reply"))
    message = await seen_message(call)
    return await call.services.amendments.edit(message.id, call.body.text, call.body.html)


@route("DELETE", "/api/v1/messages/{id}", refuses=(*REFUSES, "not-a-reply"))
async def delete_message(call: Call[NoQuery, None]) -> Message:
    """Takes a reply back, where it was sent; here it stays, marked."""
    return await call.services.amendments.delete((await seen_message(call)).id)


@route("POST", "/api/v1/messages/{id}/reactions", refuses=REFUSES)
async def react_to_message(call: Call[NoQuery, ReactionBody]) -> Message:
    """Puts an emoji under a message, here and on its platform, or takes it away."""
    message = await seen_message(call)
    return await call.services.amendments.react(call.principal, message.id, call.body.emoji, on=call.body.on)


ROUTES = (edit_message, delete_message, react_to_message)
