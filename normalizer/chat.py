"""What a web chat event means: the frames of a visitor's browser that are journaled, and their outcomes.

The body of a raw event is one of `Event`, as JSON. What the connector knows and the frame does not say stands in the
envelope: `visitor` (the visitor's id, which is also the thread key), `attachments` (the uploaded files that a message
names), `label` (of the choice that was taken) and `identity` (the claims of a signed token that proved right).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from normalizer.outcomes import ConversationEvent, DeliveryUpdate, Draft, Ignored, Outcome, Person, Raw
from normalizer.schema import Attachment, Author, External, Message, Part, Relations

CLIENT_ID = r"^[A-Za-z0-9._:-]{1,64}\Z"

Short = Annotated[str, Meta(max_length=1000)]
ClientId = Annotated[str, Meta(pattern=CLIENT_ID)]

# What could be a mail address (RFC 5321, section 4.5.3.1: 254 characters); that it is theirs, nobody has proved.
ADDRESS = re.compile(r"[^\s@<>\"(),:;\\[\]]{1,64}@[^\s@<>\"(),:;\\[\]]+\.[^\s@<>\"(),:;\\[\].]+")
ADDRESS_LIMIT = 254


class Details(Struct, frozen=True, kw_only=True):
    """What a visitor typed into the form before the first message: fields by their names, and what they agreed to."""

    fields: Annotated[dict[Annotated[str, Meta(max_length=64)], Short], Meta(max_length=20)] = {}
    consent: Annotated[str, Meta(max_length=10_000)] | None = None


class Said(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="message"):
    """A message of the visitor.

    Attributes:
        client_id: the browser's own name for it, the same on every try.
        page: the address of the page that it was written on.
        details: the form that was filled in before it.
    """

    client_id: ClientId
    text: str = ""
    attachments: Annotated[tuple[Short, ...], Meta(max_length=10)] = ()
    page: Annotated[str, Meta(max_length=2000)] | None = None
    details: Details | None = None


class Choose(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="choose"):
    """The visitor took one of the choices that a message offers."""

    message_id: Short
    value: Short
    client_id: ClientId | None = None


class Rate(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="rate"):
    """The visitor's verdict on the conversation."""

    score: Annotated[int, Meta(ge=0, le=10)]
    comment: Annotated[str, Meta(max_length=10_000)] = ""
    client_id: ClientId | None = None


class CallBack(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="call_back"):
    """The visitor asks to be called; `when` is what they typed."""

    phone: Short
    when: Short = ""
    client_id: ClientId | None = None


class Read(Struct, frozen=True, kw_only=True, tag="read"):
    """A reply was on the visitor's screen."""

    message_id: Short


class Delivered(Struct, frozen=True, kw_only=True, tag="delivered"):
    """A reply was handed to the visitor's browser: the connector's own event."""

    message_id: Short


class Identified(Struct, frozen=True, kw_only=True, tag="identified"):
    """The visitor proved who they are: the connector's own event; the claims stand in the envelope."""


Event = Said | Choose | Rate | CallBack | Read | Delivered | Identified

_decoder = msgspec.json.Decoder(Event)


def normalize(raw: Raw) -> list[Outcome]:
    """What a web chat event means. One that cannot be read is ignored: the connector journals none."""
    visitor = raw.envelope.get("visitor")
    try:
        event = _decoder.decode(raw.body)
    except (ValueError, RecursionError):
        return [Ignored(reason="not a web chat event")]
    if not isinstance(visitor, str):
        return [Ignored(reason="a web chat event without its visitor")]
    return [_outcome(event, raw, Person(kind="visitor", value=visitor))]


def _outcome(event: Event, raw: Raw, visitor: Person) -> Outcome:
    match event:
        case Said():
            return _message(event, raw, visitor)
        case Choose():
            return _choice(event, raw, visitor)
        case Rate(score=score, comment=comment):
            text = f"Rated {score}: {comment}" if comment else f"Rated {score}"
            return _event(raw, visitor, Part(type="rating", text=text, data={"score": score, "comment": comment}))
        case CallBack(phone=phone, when=when):
            text = f"Asks to be called at {phone}, {when}" if when else f"Asks to be called at {phone}"
            return _event(raw, visitor, Part(type="call_back", text=text, data={"phone": phone, "when": when}))
        case Read() | Delivered():
            state: Literal["read", "delivered"] = "read" if isinstance(event, Read) else "delivered"
            return DeliveryUpdate(state=state, at=raw.received_at, message_id=event.message_id)
        case Identified():
            return _identified(raw, visitor)


def _message(said: Said, raw: Raw, visitor: Person) -> Draft:
    files = raw.envelope.get("attachments", ())
    return _draft(
        _introduced(visitor, said.details) if said.details else visitor,
        Message(
            author=Author(type="customer"),
            external=External(id=said.client_id, thread_key=visitor.value),
            text=said.text,
            parts=(_form(said.details),) if said.details else (),
            attachments=msgspec.convert(files, tuple[Attachment, ...]),
            sent_at=raw.received_at,
            channel_data={"webchat.page": said.page} if said.page else {},
        ),
    )


def _introduced(visitor: Person, details: Details) -> Person:
    """The visitor by the name and the address that they typed, which proves nothing."""
    fields = {name: " ".join(value.split()) for name, value in details.fields.items()}
    email = fields.get("email", "").lower()
    is_address = len(email) <= ADDRESS_LIMIT and ADDRESS.fullmatch(email)
    return replace(visitor, name=fields.get("name") or None, email=email if is_address else None)


def _form(details: Details) -> Part:
    lines = [f"{name}: {value}" for name, value in details.fields.items() if value]
    if details.consent:
        lines.append(f"Agreed to: {details.consent}")
    return Part(type="details", text="\n".join(lines), data=msgspec.to_builtins(details))


def _choice(choice: Choose, raw: Raw, visitor: Person) -> Draft:
    label = str(raw.envelope.get("label") or choice.value)
    return _draft(
        visitor,
        Message(
            author=Author(type="customer"),
            external=External(thread_key=visitor.value),
            text=label,
            parts=(Part(type="choice", text=label, data={"message_id": choice.message_id, "value": choice.value}),),
            relations=Relations(reply_to=choice.message_id),
            sent_at=raw.received_at,
        ),
    )


def _draft(visitor: Person, message: Message) -> Draft:
    return Draft(message=message, customer=visitor, keys=(visitor.value,))


def _event(raw: Raw, visitor: Person, part: Part) -> ConversationEvent:
    return ConversationEvent(thread_key=visitor.value, part=part, customer=visitor, at=raw.received_at)


def _identified(raw: Raw, visitor: Person) -> ConversationEvent:
    claims: Mapping[str, Any] = raw.envelope.get("identity", {})
    person = Person(
        kind="visitor",
        value=visitor.value,
        name=claims.get("name"),
        email=claims.get("email"),
        verified=True,
    )
    known_as = " ".join(filter(None, (person.name, f"<{person.email}>" if person.email else None, claims.get("sub"))))
    return _event(raw, person, Part(type="identified", text=f"Signed in as {known_as}", data=dict(claims)))
