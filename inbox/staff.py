"""Who works here: agents and programs, where they are signed in, and what they did."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from normalizer.schema import Time

Role = Literal["agent", "supervisor", "admin"]
ROLES: tuple[Role, ...] = ("agent", "supervisor", "admin")  # each may do what those before it may


class AuditEntry(Struct, frozen=True, kw_only=True):
    """That somebody read, changed, exported or erased something.

    Attributes:
        call: what they asked for, as it stands in the API: `GET /api/v1/customers/{id}`; `santral` on the command line.
        subject_id: the `{id}` of that call.
        customer_id: whose data it is, where that is known.
    """

    id: str
    at: Time
    principal_id: str
    principal: str
    call: str
    subject_id: str | None = None
    customer_id: str | None = None
    address: str = ""


class Agent(Struct, frozen=True, kw_only=True):
    """Somebody of the company who signs in. One who is not `active` may not, and keeps what they wrote.

    `signature` stands under their replies where a channel has such; null: the channel's own does. `picture` is the id
    of their picture, another one with each change; null: they have none.
    """

    id: str
    email: str
    name: str
    role: Role
    teams: tuple[str, ...] = ()
    active: bool = True
    signature: str | None = None
    picture: str | None = None
    created_at: Time


class Session(Struct, frozen=True, kw_only=True):
    """Where an agent is signed in: from which address, by which browser (its `User-Agent`)."""

    id: str
    agent_id: str
    address: str
    browser: str
    created_at: Time
    seen_at: Time
    expires_at: Time


class Token(Struct, frozen=True, kw_only=True):
    """What a program calls the API by, and as whom; it is a principal of its own."""

    id: str
    name: str
    role: Role
    teams: tuple[str, ...] = ()
    created_at: Time
    expires_at: Time | None = None
    last_used_at: Time | None = None


class Team(Struct, frozen=True, kw_only=True):
    """Agents who see the same conversations."""

    id: str
    name: str
    created_at: Time


class Principal(Struct, frozen=True, kw_only=True):
    """Who calls the API: an agent who is signed in, or a token."""

    id: str
    name: str
    role: Role
    teams: tuple[str, ...] = ()
