"""Conversations: the inbox page, one of them, what agents change in it, and those that the company begins."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace

from inbox.api.at_hand import check_team
from inbox.api.names import IdentityBody, MergeBody, Name
from inbox.api.paging import Page, PageQuery, page, place
from inbox.api.problems import FieldError, not_found
from inbox.api.reading import NoQuery, Seq, as_changes, future, invalid_body, invalid_query, seen_version
from inbox.api.refusals import WRITING
from inbox.api.routing import Answer, AnyCall, Call, route
from inbox.api.saved_views import asked_by, seen_view
from inbox.api.searching import NEWEST, SEARCH, Query, looked_for
from inbox.api.seen import seen_conversation, standing_conversation
from inbox.api.views import ConversationView, conversation_views
from inbox.filters import Filter, Sort
from inbox.model import Conversation, Priority, Status
from inbox.replies import NewConversation, NewReply
from inbox.sight import sees
from inbox.store.queries import UNNAMED, Matching, Unnamed
from normalizer.folding import Term
from normalizer.outcomes import Person
from normalizer.schema import Time

LATEST: Sort = "-updated_at"

MOST_IDS = 100

Subject = Annotated[str, Meta(max_length=998)]


class ConversationsQuery(PageQuery, frozen=True, kw_only=True):
    """Filters of the inbox page; each that is given must hold. `customer` and `assignee` are ids."""

    status: Annotated[Status | None, Meta(description="All unless one is asked.")] = None
    channel: Annotated[str | None, Meta(description="Those with a message on this channel.")] = None
    assignee: Annotated[str | None, Meta(description="The id of an agent or a token; `me`, or `none`.")] = None
    team: Annotated[str | None, Meta(description="The id of a team, or `none`.")] = None
    customer: Annotated[str | None, Meta(description="The id of a customer.")] = None
    tag: Annotated[str | None, Meta(description="Those with this tag.")] = None
    follower: Annotated[str | None, Meta(description="The id of an agent or a token who follows.")] = None
    ids: Annotated[str | None, Meta(description="Which of these are in it: up to 100, commas between.")] = None
    view: Annotated[str | None, Meta(description="The id of a view: what it asks for must hold too.")] = None
    q: Query = None
    sort: Annotated[
        Sort | None,
        Meta(
            description="`waiting`: who waits longest first, and those alone who wait. Without it the order is that of "
            "the view, else `-updated_at`; with `q` it is `-created_at`, and another only where little is found."
        ),
    ] = None


class ConversationPatch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change: fields that are left out stay as they are, null empties (RFC 7396)."""

    status: Status | UnsetType = UNSET
    assignee: Name | UnsetType | None = UNSET
    team: Name | UnsetType | None = UNSET
    tags: Annotated[tuple[Name, ...], Meta(max_length=100)] | UnsetType = UNSET
    priority: Priority | UnsetType = UNSET
    followers: Annotated[tuple[Name, ...], Meta(max_length=100)] | UnsetType = UNSET
    snoozed_until: Time | UnsetType | None = UNSET
    subject: Subject | UnsetType | None = UNSET


class NewConversationBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A conversation that the company begins: with a customer, or with an address."""

    channel: Name
    text: Annotated[str, Meta(min_length=1)]
    customer_id: Name | None = None
    identity: IdentityBody | None = None
    subject: Subject | None = None
    html: str | None = None
    attachments: tuple[str, ...] = ()
    client_id: Name | None = None


class ReadBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Up to which message the caller has read."""

    seq: Seq


@route("GET", "/api/v1/conversations", refuses=("not-found", "search-too-broad", "too-many-to-sort"))
async def list_conversations(call: Call[ConversationsQuery, None]) -> Page[ConversationView]:
    """A page of the inbox: all statuses unless one is asked.

    With `q`, a search: `found` says where the words are. A page of it may hold fewer than `limit`, or none, and have a
    `next` all the same: so far it came in the time that a call has.
    """
    query = call.query
    view = await seen_view(call, query.view) if query.view is not None else None
    within = await asked_by(call, view) if view else None
    matching: Matching = {
        "status": query.status,
        "channels": query.channel,
        "assignee": call.principal.id if query.assignee == "me" else _named(query.assignee),
        "team": _named(query.team),
        "customer_id": await _family(call, query.customer),
        "tags": query.tag,
        "followers": query.follower,
        "_id": _these(query.ids),
    }
    if query.q is not None:
        return await _searched(call, looked_for(query.q), matching, within)
    sort = query.sort or (view.sort if view else LATEST)
    found = await call.store.queries.conversations(
        matching, within=within, reader=call.principal, sort=sort, after=place(query.cursor, sort), limit=query.limit
    )
    views = await conversation_views(call.store, call.principal, found.items)
    return page(found, sort, lambda item: views[item.id])


@route(
    "POST",
    "/api/v1/conversations",
    status=201,
    refuses=(*WRITING, "cannot-begin", "not-found"),
)
async def begin_conversation(call: Call[NoQuery, NewConversationBody]) -> Answer[ConversationView]:
    """Begins a conversation with a first message; the same `client_id` again gives the same one."""
    body = call.body
    if (body.customer_id is None) == (body.identity is None):
        raise invalid_body(FieldError(field="customer_id", detail="give either customer_id or identity"))
    person = (
        Person(kind=body.identity.kind, value=body.identity.value, name=body.identity.name) if body.identity else None
    )
    reply = NewReply(
        text=body.text,
        html=body.html,
        attachments=body.attachments,
        channel=body.channel,
        client_id=body.client_id,
        subject=body.subject,
    )
    new = NewConversation(customer_id=body.customer_id, identity=person, channel=body.channel, reply=reply)
    conversation, _ = await call.services.replies.begin(call.principal, new)
    if not sees(call.principal, conversation):  # begun before, and given to another team since
        raise not_found("conversation", conversation.id)
    return await _shown(call, conversation)


@route("GET", "/api/v1/conversations/{id}")
async def get_conversation(call: Call[NoQuery, None]) -> Answer[ConversationView]:
    """One conversation, also one that was joined to another: then `merged_into` names that."""
    return await _shown(call, await seen_conversation(call))


@route("PATCH", "/api/v1/conversations/{id}", refuses=("invalid-header", "merged", "version-conflict"))
async def change_conversation(call: Call[NoQuery, ConversationPatch]) -> Answer[ConversationView]:
    """Changes a conversation; with `If-Match` only where it is still the version that was seen."""
    changes = as_changes(call.body)
    if not changes:
        raise invalid_body(FieldError(field="", detail="name at least one field to change"))
    _settle_snooze(changes)
    for name in {"tags", "followers"} & changes.keys():
        changes[name] = tuple(dict.fromkeys(changes[name]))
    await _check_owners(call, changes)
    await standing_conversation(call)
    changed = await call.services.conversations.change(call.id, changes, version=seen_version(call.request))
    if {"assignee", "status"} & changes.keys():
        await call.services.recipients.changed(changed)
    return await _shown(call, changed)


@route("POST", "/api/v1/conversations/{id}/merge", refuses=("merged", "merges-itself"))
async def merge_conversation(call: Call[NoQuery, MergeBody]) -> Answer[ConversationView]:
    """Moves all messages behind those of another conversation, which is the answer; this cannot be undone."""
    emptied = await standing_conversation(call)
    into = await standing_conversation(call, call.body.into)
    return await _shown(call, await call.services.conversations.merge(emptied.id, into.id))


@route("POST", "/api/v1/conversations/{id}/read", refuses=("merged",))
async def mark_read(call: Call[NoQuery, ReadBody]) -> None:
    """Says that the caller has read up to a message, which `unread` then counts from."""
    conversation = await standing_conversation(call)
    await call.store.queries.mark_read(call.principal.id, call.id, call.body.seq)
    await call.services.recipients.seen(conversation, call.body.seq)


async def _check_owners(call: AnyCall, changes: Mapping[str, Any]) -> None:
    """Work can be given to those alone who exist.

    Raises:
        ProblemError: 422, no such agent or token, or no such team.
    """
    named = {"assignee": changes.get("assignee")}
    named |= {f"followers[{number}]": one for number, one in enumerate(changes.get("followers", ()))}
    for field, principal in named.items():
        if principal is not None and await call.store.staff.principal(principal) is None:
            raise invalid_body(FieldError(field=field, detail="there is no agent or token with this id"))
    await check_team(call, changes.get("team"))


async def _searched(
    call: Call[ConversationsQuery, None], words: Sequence[Term], matching: Matching, within: Filter | None
) -> Page[ConversationView]:
    query, search, reader = call.query, call.store.search, call.principal
    if query.sort in (None, NEWEST):
        order = SEARCH
        after = place(query.cursor, order, timed=False)
        found = await search.conversations(
            words, matching, within=within, reader=reader, after=after, limit=query.limit
        )
    else:
        order = f"{SEARCH}|{query.sort}"
        after = place(query.cursor, order)
        found = await search.ordered(
            words, matching, within=within, reader=reader, sort=query.sort, after=after, limit=query.limit
        )
    views, where = await asyncio.gather(
        conversation_views(call.store, call.principal, found.items), search.found(words, found.items)
    )
    return page(found, order, lambda item: replace(views[item.id], found=where.get(item.id)))


async def _family(call: AnyCall, customer_id: str | None) -> Sequence[str] | None:
    """The customer and all who were merged into them."""
    if customer_id is None:
        return None
    return [one.id for one in await call.store.people.family(customer_id)]


def _these(ids: str | None) -> list[str] | None:
    """Raises ProblemError: 400, more than a page could show at once."""
    found = None if ids is None else ids.split(",")
    if found is not None and len(found) > MOST_IDS:
        raise invalid_query(FieldError(field="ids", detail=f"names {len(found)}; give {MOST_IDS} at the most"))
    return found


def _named(value: str | None) -> str | Unnamed | None:
    return UNNAMED if value == "none" else value


def _settle_snooze(changes: dict[str, Any]) -> None:
    """Who names a time snoozes; without one, what is snoozed is so until the customer's next message.

    Raises:
        ProblemError: 422, a time that has passed, or for what is not snoozed.
    """
    if changes.get("snoozed_until") is None:
        return
    if changes.setdefault("status", "snoozed") != "snoozed":
        told = f"only what is snoozed has one, not {changes['status']}"
        raise invalid_body(FieldError(field="snoozed_until", detail=told))
    changes["snoozed_until"] = future(changes["snoozed_until"], "snoozed_until")


async def _shown(call: AnyCall, conversation: Conversation) -> Answer[ConversationView]:
    views = await conversation_views(call.store, call.principal, [conversation])
    return Answer(views[conversation.id], {"ETag": f'"{conversation.version}"'})


ROUTES = (
    list_conversations,
    begin_conversation,
    get_conversation,
    change_conversation,
    merge_conversation,
    mark_read,
)
