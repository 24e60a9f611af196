"""Drafts: what its writer goes on with later, or in another browser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import asdict

from inbox.api.names import Addresses, Name
from inbox.api.paging import Page
from inbox.api.problems import not_found
from inbox.api.reading import NoQuery
from inbox.api.routing import AnyCall, Call, route
from inbox.api.seen import seen_conversation, standing_conversation
from inbox.clock import utc_now
from inbox.model import Draft
from normalizer.codec import clean_structure
from normalizer.schema import Attachment


class DraftBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is written so far; the fields mean what they mean in a reply."""

    text: Annotated[str, Meta(max_length=200_000)]
    html: Annotated[str, Meta(max_length=200_000)] | None = None
    attachments: Annotated[tuple[str, ...], Meta(max_length=100)] = ()
    direction: Literal["outbound", "note"] = "outbound"
    channel: Name | None = None
    to: Addresses = ()
    cc: Addresses = ()
    bcc: Addresses = ()
    reply_to: str | None = None


class DraftsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All drafts, or the one in a conversation."""

    conversation: Annotated[Name | None, Meta(description="Only the draft in this conversation.")] = None


class DraftView(Draft, frozen=True, kw_only=True):
    """A draft; `files` are those of its `attachments` that are there still."""

    files: tuple[Attachment, ...] = ()


@route("GET", "/api/v1/drafts")
async def list_drafts(call: Call[DraftsQuery, None]) -> Page[DraftView]:
    """The caller's own drafts in the conversations that they see, the oldest first."""
    drafts = await call.store.drafts.of(call.principal.id, conversation_id=call.query.conversation)
    seen = await call.store.queries.seen(call.principal, {draft.conversation_id for draft in drafts})
    return Page(await _views(call, [draft for draft in drafts if draft.conversation_id in seen]), None)


@route("GET", "/api/v1/conversations/{id}/draft", refuses=("merged",))
async def get_draft(call: Call[NoQuery, None]) -> DraftView:
    """The caller's draft in a conversation."""
    await standing_conversation(call)
    draft = await call.store.drafts.get(_id(call))
    if draft is None:
        raise not_found("draft in conversation", call.id)
    (view,) = await _views(call, [draft])
    return view


@route("PUT", "/api/v1/conversations/{id}/draft", refuses=("merged",))
async def put_draft(call: Call[NoQuery, DraftBody]) -> DraftView:
    """Keeps the caller's draft in a conversation, in place of the one before."""
    await standing_conversation(call)
    draft = clean_structure(
        Draft(
            id=_id(call),
            conversation_id=call.id,
            principal_id=call.principal.id,
            updated_at=utc_now(),
            **asdict(call.body),
        )
    )
    await call.store.drafts.put(draft)
    (view,) = await _views(call, [draft])
    return view


@route("DELETE", "/api/v1/conversations/{id}/draft")
async def drop_draft(call: Call[NoQuery, None]) -> None:
    """Throws the caller's draft away, where there is one."""
    await seen_conversation(call)
    await call.store.drafts.drop(_id(call))


async def _views(call: AnyCall, drafts: Sequence[Draft]) -> list[DraftView]:
    """The drafts with their files, for which is asked once."""
    wanted = {id_ for draft in drafts for id_ in draft.attachments}
    found = await call.services.files.uploaded(wanted, owner=call.principal.id) if wanted else {}
    return [
        DraftView(**asdict(draft), files=tuple(found[id_] for id_ in draft.attachments if id_ in found))
        for draft in drafts
    ]


def _id(call: AnyCall) -> str:
    return f"{call.id}|{call.principal.id}"


ROUTES = (list_drafts, get_draft, put_draft, drop_draft)
