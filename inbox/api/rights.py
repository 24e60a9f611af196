"""Who may make which call: the whole matrix. A call that does not stand here cannot be declared.

Each role may do what those before it may. Of conversations an agent sees those of no team, those of their own teams and
those assigned to them (`inbox.sight`); `scope` says what that means for a call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from inbox.staff import ROLES, Role

Scope = Literal["any", "one", "list"]
"""What a call is about: no conversation (`any`); one of them or what is in it, and who does not see it gets 404
(`one`); many, and an agent gets those that they see (`list`).
"""


class Right(NamedTuple):
    """Who may make a call: a role or a higher one, or anyone, also who is not known.

    `audited`: it is about somebody's data, or about who may see it, so who makes it stands in the audit log.
    `shared`: it is about what agents have at hand (canned replies, views). Below that role they see what is theirs and
    what is shared with them, and change what is theirs alone.
    """

    least: Role | Literal["anyone"]
    scope: Scope = "any"
    audited: bool = False
    shared: Role | None = None


def has(role: Role, least: Role) -> bool:
    """Whether a role may do what another may."""
    return ROLES.index(role) >= ROLES.index(least)


ANYONE = Right("anyone")
AGENT = Right("agent")
ONE = Right("agent", "one", audited=True)
LIST = Right("agent", "list")
PERSON = Right("agent", audited=True)
AT_HAND = Right("agent", shared="supervisor")
SUPERVISOR = Right("supervisor", audited=True)
OVERVIEW = Right("supervisor")
ADMIN = Right("admin", audited=True)

MATRIX: Mapping[str, Right] = {
    "GET /api/v1/conversations": LIST,
    "GET /api/v1/counts": LIST,
    "GET /api/v1/tags": LIST,
    "POST /api/v1/tags": SUPERVISOR,
    "PATCH /api/v1/tags/{id}": SUPERVISOR,
    "POST /api/v1/tags/{id}/merge": SUPERVISOR,
    "DELETE /api/v1/tags/{id}": SUPERVISOR,
    "POST /api/v1/conversations": PERSON,
    "GET /api/v1/conversations/{id}": ONE,
    "PATCH /api/v1/conversations/{id}": ONE,
    "POST /api/v1/conversations/{id}/merge": ONE,
    "POST /api/v1/conversations/{id}/read": ONE,
    "GET /api/v1/conversations/{id}/messages": ONE,
    "POST /api/v1/conversations/{id}/messages": ONE,
    "GET /api/v1/conversations/{id}/ways": ONE,
    "GET /api/v1/conversations/{id}/draft": ONE,
    "PUT /api/v1/conversations/{id}/draft": ONE,
    "DELETE /api/v1/conversations/{id}/draft": ONE,
    "GET /api/v1/conversations/{id}/canned-replies/{canned_id}": ONE,
    "GET /api/v1/drafts": LIST,
    "GET /api/v1/canned-replies": AT_HAND,
    "POST /api/v1/canned-replies": AT_HAND,
    "PATCH /api/v1/canned-replies/{id}": AT_HAND,
    "DELETE /api/v1/canned-replies/{id}": AT_HAND,
    "GET /api/v1/views": AT_HAND,
    "POST /api/v1/views": AT_HAND,
    "PATCH /api/v1/views/{id}": AT_HAND,
    "DELETE /api/v1/views/{id}": AT_HAND,
    "GET /api/v1/messages/{id}": ONE,
    "PATCH /api/v1/messages/{id}": ONE,
    "DELETE /api/v1/messages/{id}": ONE,
    "POST /api/v1/messages/{id}/reactions": ONE,
    "POST /api/v1/messages/{id}/retry": ONE,
    "POST /api/v1/messages/{id}/cancel": ONE,
    "GET /api/v1/messages/{id}/original": ONE,
    "GET /api/v1/messages/{id}/html": ONE,
    "GET /api/v1/customers": AGENT,
    "POST /api/v1/customers": PERSON,
    "GET /api/v1/customers/{id}": PERSON,
    "PATCH /api/v1/customers/{id}": PERSON,
    "POST /api/v1/customers/{id}/identities": PERSON,
    "POST /api/v1/customers/{id}/merge": SUPERVISOR,
    "POST /api/v1/customers/{id}/unmerge": SUPERVISOR,
    "GET /api/v1/customers/{id}/timeline": Right("agent", "list", audited=True),
    "GET /api/v1/customers/{id}/notes": PERSON,
    "POST /api/v1/customers/{id}/notes": PERSON,
    "PATCH /api/v1/customers/{id}/notes/{note_id}": PERSON,
    "DELETE /api/v1/customers/{id}/notes/{note_id}": PERSON,
    "GET /api/v1/customers/{id}/export": ADMIN,
    "POST /api/v1/customers/{id}/erase": ADMIN,
    "POST /api/v1/attachments": AGENT,
    "GET /api/v1/attachments/{id}": ONE,
    "GET /api/v1/audit": ADMIN,
    "GET /api/v1/channels": AGENT,
    "GET /api/v1/reports/volume": OVERVIEW,
    "GET /api/v1/reports/times": OVERVIEW,
    "GET /api/v1/reports/backlog": OVERVIEW,
    "GET /api/v1/reports/hours": OVERVIEW,
    "GET /api/v1/ingest/failed": SUPERVISOR,
    "GET /api/v1/ingest/{id}/original": ADMIN,
    "POST /api/v1/ingest/{id}/replay": SUPERVISOR,
    "GET /api/v1/webhooks": ADMIN,
    "POST /api/v1/webhooks": ADMIN,
    "GET /api/v1/webhooks/{id}": ADMIN,
    "PATCH /api/v1/webhooks/{id}": ADMIN,
    "DELETE /api/v1/webhooks/{id}": ADMIN,
    "POST /api/v1/webhooks/{id}/secret": ADMIN,
    "POST /api/v1/webhooks/{id}/test": ADMIN,
    "POST /api/v1/webhooks/{id}/replay": ADMIN,
    "GET /api/v1/webhooks/{id}/deliveries": ADMIN,
    "POST /api/v1/webhooks/{id}/retry": ADMIN,
    "GET /api/v1/events": LIST,
    "GET /api/v1/stream": LIST,
    "GET /api/v1/openapi.json": ANYONE,
    "GET /api/v1/sign-in": ANYONE,
    "GET /api/v1/session/oidc": ANYONE,
    "GET /api/v1/session/oidc/callback": ANYONE,
    "POST /api/v1/session": ANYONE,
    "DELETE /api/v1/session": AGENT,
    "GET /api/v1/me": AGENT,
    "PATCH /api/v1/me": AGENT,
    "PUT /api/v1/me/picture": AGENT,
    "DELETE /api/v1/me/picture": AGENT,
    "GET /api/v1/sessions": AGENT,
    "DELETE /api/v1/sessions/{id}": AGENT,
    "GET /api/v1/agents": AGENT,
    "POST /api/v1/agents": ADMIN,
    "GET /api/v1/agents/{id}": AGENT,
    "PATCH /api/v1/agents/{id}": ADMIN,
    "DELETE /api/v1/agents/{id}/sessions": ADMIN,
    "PUT /api/v1/agents/{id}/picture": ADMIN,
    "DELETE /api/v1/agents/{id}/picture": ADMIN,
    "GET /api/v1/pictures/{id}": AGENT,
    "GET /api/v1/teams": AGENT,
    "POST /api/v1/teams": ADMIN,
    "PATCH /api/v1/teams/{id}": ADMIN,
    "GET /api/v1/tokens": ADMIN,
    "POST /api/v1/tokens": ADMIN,
    "DELETE /api/v1/tokens/{id}": ADMIN,
}
