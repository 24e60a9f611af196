"""Canned replies: texts that are written once and used often, with variables that are filled where they are used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import asdict

from inbox.api.at_hand import check_shared, check_team, shown
from inbox.api.names import Name
from inbox.api.problems import FieldError, not_found
from inbox.api.reading import NoQuery, as_changes, invalid_body, path_id, seen_version
from inbox.api.routing import Answer, AnyCall, Call, route
from inbox.api.seen import standing_conversation
from inbox.canned import VARIABLES, fill, to_shortcut, unknown_variables
from inbox.clock import utc_now
from inbox.model import CannedReply, Conversation, new_id
from inbox.replies import sanitized
from inbox.sight import sees_reply

SHORTCUT = r"^[\w-]{1,50}$"
MOST_NAMED = 10  # of the unknown variables that a refusal tells of

Shortcut = Annotated[str, Meta(pattern=SHORTCUT)]
Text = Annotated[str, Meta(min_length=1, max_length=20_000)]
Html = Annotated[str, Meta(max_length=100_000)]


class NewCannedReply(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A canned reply: everybody's, or a team's. `shortcut` is letters, digits, `-` and `_`, kept in lower case."""

    shortcut: Shortcut
    title: Name
    text: Text
    html: Html | None = None
    team: Name | None = None


class CannedReplyPatch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change: fields that are left out stay as they are, null empties `html` and makes it everybody's."""

    shortcut: Shortcut | UnsetType = UNSET
    title: Name | UnsetType = UNSET
    text: Text | UnsetType = UNSET
    html: Html | UnsetType | None = UNSET
    team: Name | UnsetType | None = UNSET


class Variable(Struct, frozen=True):
    """What may stand in a canned reply, in double braces."""

    name: str
    means: str


class CannedReplies(Struct, frozen=True, kw_only=True):
    """The canned replies that the caller may use, by shortcut, and the variables that there are."""

    items: list[CannedReply]
    next: None
    variables: list[Variable]


class FilledReply(Struct, frozen=True, kw_only=True):
    """A canned reply with its variables filled: what an answer can begin with."""

    id: str
    text: str
    html: str | None


@route("GET", "/api/v1/canned-replies")
async def list_canned_replies(call: Call[NoQuery, None]) -> CannedReplies:
    """All canned replies of everybody and of the caller's teams, by shortcut."""
    replies = [reply for reply in await call.store.kept.replies() if sees_reply(call.principal, reply)]
    replies.sort(key=lambda reply: reply.shortcut)
    variables = [Variable(name, means) for name, means in VARIABLES.items()]
    return CannedReplies(items=replies, next=None, variables=variables)


@route("POST", "/api/v1/canned-replies", status=201, refuses=("html-too-complex", "shortcut-taken"))
async def add_canned_reply(call: Call[NoQuery, NewCannedReply]) -> Answer[CannedReply]:
    """Makes a canned reply."""
    await _check_owner(call, call.body.team)
    now = utc_now()
    fields = _checked(asdict(call.body))
    reply = CannedReply(id=new_id(), created_at=now, updated_at=now, **fields)
    return shown(await call.services.keeping.add_reply(reply))


@route(
    "PATCH",
    "/api/v1/canned-replies/{id}",
    refuses=("html-too-complex", "invalid-header", "shortcut-taken", "version-conflict"),
)
async def change_canned_reply(call: Call[NoQuery, CannedReplyPatch]) -> Answer[CannedReply]:
    """Changes a canned reply; with `If-Match` only where it is still the version that was seen."""
    changes = as_changes(call.body)
    if not changes:
        raise invalid_body(FieldError(field="", detail="name at least one field to change"))
    await _own_reply(call)
    if "team" in changes:
        await _check_owner(call, changes["team"])
    version = seen_version(call.request)
    return shown(await call.services.keeping.change_reply(call.id, _checked(changes), version=version))


@route("DELETE", "/api/v1/canned-replies/{id}")
async def drop_canned_reply(call: Call[NoQuery, None]) -> None:
    """Forgets a canned reply. What was written with it stays."""
    await _own_reply(call)
    await call.services.keeping.drop_reply(call.id)


@route("GET", "/api/v1/conversations/{id}/canned-replies/{canned_id}", refuses=("html-too-complex", "merged"))
async def fill_canned_reply(call: Call[NoQuery, None]) -> FilledReply:
    """A canned reply as the caller would write it in this conversation."""
    conversation = await standing_conversation(call)
    reply = await _seen_reply(call, path_id(call.request, "canned_id"))
    values = await _values(call, conversation)
    # Made harmless once more, so that it does not matter where in the HTML a stranger's name comes to stand.
    html = sanitized(fill(reply.html, values, markup=True)) if reply.html else None
    return FilledReply(id=reply.id, text=fill(reply.text, values), html=html)


async def _values(call: AnyCall, conversation: Conversation) -> Mapping[str, str | None]:
    """What the variables mean here."""
    customers = await call.store.people.roots([conversation.customer_id])
    customer = customers.get(conversation.customer_id)
    return {
        "agent.name": call.principal.name,
        "conversation.subject": conversation.subject,
        "customer.name": customer.name if customer else None,
        "inbox.name": call.services.inbox_name,
    }


async def _seen_reply(call: AnyCall, id_: str) -> CannedReply:
    reply = await call.store.kept.reply(id_)
    if reply is None or not sees_reply(call.principal, reply):
        raise not_found("canned reply", id_)
    return reply


async def _own_reply(call: AnyCall) -> None:
    """The canned reply that the path names is one that the caller may change.

    Raises:
        ProblemError: 404, there is none; 403, it is everybody's.
    """
    await _check_owner(call, (await _seen_reply(call, call.id)).team)


async def _check_owner(call: AnyCall, team: str | None) -> None:
    """Whose a canned reply is: of their own teams agents change all, what is others' too is shared."""
    check_shared(call, shared=team not in call.principal.teams)
    await check_team(call, team)


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields as they are kept.

    Raises:
        ProblemError: 422, no shortcut, or variables that there are not.
        RefusedError: the HTML cannot be made harmless.
    """
    kept = dict(fields)
    if "shortcut" in kept:
        kept["shortcut"] = to_shortcut(kept["shortcut"])
        if not re.fullmatch(SHORTCUT, kept["shortcut"]):
            raise invalid_body(FieldError(field="shortcut", detail="letters, digits, - and _, 50 at the most"))
    if kept.get("html") is not None:
        kept["html"] = sanitized(kept["html"]) or None
    errors = [
        FieldError(field=name, detail=_told(unknown))
        for name in ("text", "html")
        if (unknown := unknown_variables(kept.get(name) or ""))
    ]
    if errors:
        raise invalid_body(*errors)
    return kept


def _told(unknown: list[str]) -> str:
    named = ", ".join(variable[:60] for variable in unknown[:MOST_NAMED])
    return f"no such variable: {named}; there are {', '.join(f'{{{{{name}}}}}' for name in VARIABLES)}"


ROUTES = (
    list_canned_replies,
    add_canned_reply,
    change_canned_reply,
    drop_canned_reply,
    fill_canned_reply,
)
