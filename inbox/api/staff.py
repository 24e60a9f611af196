"""Agents, teams and API tokens: who may come in, and what they may see."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from inbox.api.names import Name, Signature
from inbox.api.paging import Page
from inbox.api.problems import FieldError, ProblemError, not_found
from inbox.api.reading import NoQuery, as_changes, future, invalid_body
from inbox.api.routing import AnyCall, Call, route
from inbox.api.session import NewPassword
from inbox.clock import utc_now
from inbox.model import new_id
from inbox.staff import Agent, Role, Team, Token
from inbox.store.staff import EmailTakenError
from normalizer.schema import Time

Email = Annotated[str, Meta(pattern=r"^[^@\s]{1,64}@[^@\s]{1,255}$")]
TeamIds = Annotated[tuple[Name, ...], Meta(max_length=100)]


class NewAgent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An agent, with a first password to be changed by them."""

    email: Email
    password: NewPassword
    name: Name
    role: Role = "agent"
    teams: TeamIds = ()


class AgentPatch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an admin changes of an agent. One who is not `active` is signed out, and cannot sign in."""

    name: Name | UnsetType = UNSET
    role: Role | UnsetType = UNSET
    teams: TeamIds | UnsetType = UNSET
    active: bool | UnsetType = UNSET
    signature: Signature | UnsetType | None = UNSET
    password: NewPassword | UnsetType = UNSET


class TeamBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a team is called."""

    name: Name


class NewToken(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token; without `expires_at` it lasts until it is deleted."""

    name: Name
    role: Role = "agent"
    teams: TeamIds = ()
    expires_at: Time | None = None


class MadeToken(Struct, frozen=True, kw_only=True):
    """A new token. `token` is shown this once."""

    token: str


@route("GET", "/api/v1/agents")
async def list_agents(call: Call[NoQuery, None]) -> Page[Agent]:
    """All agents: whom work can be assigned to."""
    return Page(await call.store.staff.agents(), None)


@route("POST", "/api/v1/agents", status=201, refuses=("email-taken",))
async def add_agent(call: Call[NoQuery, NewAgent]) -> Agent:
    """Makes an agent who can sign in."""
    body = call.body
    await _check_teams(call, body.teams)
    agent = Agent(
        id=new_id(),
        email=body.email.lower(),
        name=body.name,
        role=body.role,
        teams=tuple(dict.fromkeys(body.teams)),
        created_at=utc_now(),
    )
    try:
        await call.store.staff.add_agent(agent, await call.services.sign_in.passwords.hash(body.password))
    except EmailTakenError as error:
        raise ProblemError("email-taken", "another agent signs in with this address") from error
    return agent


@route("GET", "/api/v1/agents/{id}")
async def get_agent(call: Call[NoQuery, None]) -> Agent:
    """One agent."""
    return await _agent(call)


@route("PATCH", "/api/v1/agents/{id}")
async def change_agent(call: Call[NoQuery, AgentPatch]) -> Agent:
    """Changes an agent; a new password signs them out everywhere."""
    changes = as_changes(call.body)
    if not changes:
        raise invalid_body(FieldError(field="", detail="name at least one field to change"))
    agent = await _agent(call)
    if "teams" in changes:
        await _check_teams(call, changes["teams"])
        changes["teams"] = list(dict.fromkeys(changes["teams"]))
    if (password := changes.pop("password", None)) is not None:
        kept = await call.services.sign_in.passwords.hash(password)
        await call.store.staff.set_password(agent.email, kept)
    return (await call.store.staff.change_agent(agent.id, changes) if changes else None) or agent


@route("DELETE", "/api/v1/agents/{id}/sessions")
async def sign_agent_out(call: Call[NoQuery, None]) -> None:
    """Signs an agent out everywhere."""
    await call.store.staff.end_sessions((await _agent(call)).id)


@route("GET", "/api/v1/teams")
async def list_teams(call: Call[NoQuery, None]) -> Page[Team]:
    """All teams."""
    return Page(await call.store.staff.teams(), None)


@route("POST", "/api/v1/teams", status=201)
async def add_team(call: Call[NoQuery, TeamBody]) -> Team:
    """Makes a team."""
    team = Team(id=new_id(), name=call.body.name, created_at=utc_now())
    await call.store.staff.add_team(team)
    return team


@route("PATCH", "/api/v1/teams/{id}")
async def change_team(call: Call[NoQuery, TeamBody]) -> Team:
    """Calls a team something else."""
    team = await call.store.staff.change_team(call.id, {"name": call.body.name})
    if team is None:
        raise not_found("team", call.id)
    return team


@route("GET", "/api/v1/tokens")
async def list_tokens(call: Call[NoQuery, None]) -> Page[Token]:
    """All tokens, and when each was last used, to the minute."""
    return Page(await call.store.staff.tokens(), None)


@route("POST", "/api/v1/tokens", status=201)
async def add_token(call: Call[NoQuery, NewToken]) -> MadeToken:
    """Makes a token, which is a principal of its own."""
    body, now = call.body, utc_now()
    await _check_teams(call, body.teams)
    expires_at = future(body.expires_at, "expires_at")
    return MadeToken(
        token=await call.store.staff.new_token(body.name, body.role, now, teams=body.teams, expires_at=expires_at)
    )


@route("DELETE", "/api/v1/tokens/{id}")
async def drop_token(call: Call[NoQuery, None]) -> None:
    """Makes a token worth nothing from now on."""
    if not await call.store.staff.drop_token(call.id):
        raise not_found("token", call.id)


async def _agent(call: AnyCall) -> Agent:
    agent = await call.store.staff.agent(call.id)
    if agent is None:
        raise not_found("agent", call.id)
    return agent


async def _check_teams(call: AnyCall, teams: tuple[str, ...]) -> None:
    known = {team.id for team in await call.store.staff.teams()}
    for number, team in enumerate(teams):
        if team not in known:
            raise invalid_body(FieldError(field=f"teams[{number}]", detail="there is no such team"))


ROUTES = (
    list_agents,
    add_agent,
    get_agent,
    change_agent,
    sign_agent_out,
    list_teams,
    add_team,
    change_team,
    list_tokens,
    add_token,
    drop_token,
)
