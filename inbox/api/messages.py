"""Messages of a conversation, replies and notes, and the original of what came in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from aiohttp import web
from msgspec import Meta, Struct

from inbox.api import frame
from inbox.api.names import Addresses, Name
from inbox.api.originals import original_of
from inbox.api.paging import DEFAULT_LIMIT, Page
from inbox.api.problems import FieldError, ProblemError
from inbox.api.reading import Limit, NoQuery, Seq, future, invalid_body
from inbox.api.refusals import WRITING
from inbox.api.routing import Call, route
from inbox.api.seen import seen_message, standing_conversation
from inbox.model import Conversation
from inbox.replies import NewReply
from inbox.sight import sees
from normalizer.schema import Message, Time


class MessagesQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which messages: the first after a `seq`, the last before one, or the newest where neither is given."""

    after_seq: Annotated[Seq | None, Meta(description="Forward from here; 0 is the beginning.")] = None
    before_seq: Annotated[Seq | None, Meta(description="Back from here.")] = None
    limit: Limit = DEFAULT_LIMIT


class FrameQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the HTML is shown."""

    images: Annotated[bool, Meta(description="Loads pictures that lie elsewhere: their senders learn of it.")] = False


class NewMessageBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reply, or a note that only the staff see. Without `channel` it leaves by the one that was written on last.

    Without `cc` and `to`, those have it in copy whom the way of that channel names; an empty `cc` is nobody.
    With `unless_customer_writes`, a reply that is scheduled is held where the customer writes before it leaves.
    """

    text: str
    html: str | None = None
    attachments: Annotated[tuple[str, ...], Meta(max_length=100)] = ()
    direction: Literal["outbound", "note"] = "outbound"
    channel: Name | None = None
    to: Addresses = ()
    cc: Addresses | None = None
    bcc: Addresses = ()
    reply_to: str | None = None
    mentions: Annotated[tuple[Name, ...], Meta(max_length=100)] = ()
    send_at: Time | None = None
    unless_customer_writes: bool = False
    client_id: Name | None = None


@route("GET", "/api/v1/conversations/{id}/messages", refuses=("merged",))
async def list_messages(call: Call[MessagesQuery, None]) -> Page[Message]:
    """Messages in order of `seq`; `after_seq=0` is the beginning.

    `next` is the `seq` to go on with: as `after_seq` where that was given, else as `before_seq`.
    """
    await standing_conversation(call)
    query = call.query
    found = await call.store.queries.messages(
        call.id, after_seq=query.after_seq, before_seq=query.before_seq, limit=query.limit + 1
    )
    if len(found) <= query.limit:
        return Page(found, None)
    forward = query.after_seq is not None
    items = found[: query.limit] if forward else found[-query.limit :]
    return Page(items, str((items[-1] if forward else items[0]).seq))


@route(
    "POST",
    "/api/v1/conversations/{id}/messages",
    status=201,
    refuses=(*WRITING, "merged", "message-unknown", "no-recipients"),
)
async def write_message(call: Call[NoQuery, NewMessageBody]) -> Message:
    """Replies, or leaves a note; the same `client_id` of the same caller again gives the same message."""
    body = call.body
    if not body.text.strip() and not body.attachments:
        raise invalid_body(FieldError(field="text", detail="write something, or attach a file"))
    reply = NewReply(
        text=body.text,
        html=body.html,
        attachments=body.attachments,
        direction=body.direction,
        channel=body.channel,
        to=body.to,
        cc=body.cc,
        bcc=body.bcc,
        reply_to=body.reply_to,
        mentions=tuple(dict.fromkeys(body.mentions)),
        send_at=_due(body),
        unless_customer_writes=body.unless_customer_writes,
        client_id=body.client_id,
    )
    conversation = await standing_conversation(call)
    await _check_mentions(call, conversation)
    return await call.services.replies.reply(call.principal, conversation.id, reply)


def _due(body: NewMessageBody) -> datetime | None:
    """When a reply is to leave, where it is not now.

    Raises:
        ProblemError: 422, a time that has passed, or for a note, which nobody waits for; a condition without a time.
    """
    if body.send_at is not None and body.direction == "note":
        raise invalid_body(FieldError(field="send_at", detail="a note is there at once"))
    if body.send_at is None and body.unless_customer_writes:
        raise invalid_body(FieldError(field="unless_customer_writes", detail="say until when: send_at"))
    return future(body.send_at, "send_at")


async def _check_mentions(call: Call[NoQuery, NewMessageBody], conversation: Conversation) -> None:
    """A note calls those alone who can come.

    Raises:
        ProblemError: 422, there is no such agent, they do not see the conversation, or this is no note.
    """
    for number, mentioned in enumerate(call.body.mentions):
        field = f"mentions[{number}]"
        if call.body.direction != "note":
            raise invalid_body(FieldError(field=field, detail="only notes mention somebody"))
        principal = await call.store.staff.principal(mentioned)
        if principal is None:
            raise invalid_body(FieldError(field=field, detail="there is no agent or token with this id"))
        if not sees(principal, conversation):
            raise invalid_body(FieldError(field=field, detail=f"{principal.name} does not see this conversation"))


@route("GET", "/api/v1/messages/{id}")
async def get_message(call: Call[NoQuery, None]) -> Message:
    """One message; in which conversation it is, and where in that, is told by `conversation_id` and `seq`."""
    return await seen_message(call)


@route(
    "POST",
    "/api/v1/messages/{id}/retry",
    refuses=("channel-gone", "no-identity", "not-a-reply", "not-retryable", "unreachable"),
)
async def retry_message(call: Call[NoQuery, None]) -> Message:
    """Sends a failed, unknown or held reply again."""
    return await call.services.replies.retry((await seen_message(call)).id)


@route("POST", "/api/v1/messages/{id}/cancel", refuses=("not-a-reply", "not-cancellable"))
async def cancel_message(call: Call[NoQuery, None]) -> Message:
    """Stops a queued, scheduled, waiting or held reply."""
    return await call.services.replies.cancel((await seen_message(call)).id)


@route("GET", "/api/v1/messages/{id}/original", refuses=("no-original",))
async def get_original(call: Call[NoQuery, None]) -> web.StreamResponse:
    """What the platform sent, byte for byte; never to be shown by a browser."""
    message = await seen_message(call)
    entry = await call.store.journal.get(message.external.original_id) if message.external.original_id else None
    if entry is None:
        raise ProblemError("no-original", "this message did not come in from a platform")
    return await original_of(call, entry)


@route("GET", "/api/v1/messages/{id}/html")
async def get_html(call: Call[FrameQuery, None]) -> web.StreamResponse:
    """The message as a document for a frame: it runs nothing, and loads nothing from elsewhere unasked."""
    message, images = await seen_message(call), call.query.images
    return web.Response(body=frame.framed(message, images=images), headers=frame.headers(images=images))


ROUTES = (list_messages, write_message, get_message, retry_message, cancel_message, get_original, get_html)
