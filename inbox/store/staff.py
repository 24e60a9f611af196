"""Who may come in: agents with their passwords and sessions, API tokens, and teams."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import secrets
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime, timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar

from pymongo import ASCENDING, ReturnDocument
from pymongo.errors import DuplicateKeyError

from inbox.model import new_id
from inbox.staff import Agent, Principal, Role, Session, Team, Token
from inbox.store.client import Database, Document
from inbox.store.documents import from_document, to_document
from inbox.store.guard import guarded

TOKEN_PREFIX = "santral_"  # noqa: S105 (no secret: it lets people and scanners tell what a found token is)
SESSION_IDLE = timedelta(days=14)
SESSION_LONGEST = timedelta(days=90)
REMEMBERED_SECONDS = 1.0
MOST_REMEMBERED = 10_000
SEEN_EVERY = timedelta(minutes=1)  # how exactly it is known when a token or a session was last used


P = ParamSpec("P")
T = TypeVar("T")


def _forgetting(
    method: Callable[Concatenate[Staff, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Staff, P], Coroutine[Any, Any, T]]:
    """Who may come in is different afterwards: nothing is remembered of before."""

    @functools.wraps(method)
    async def changed(self: Staff, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await method(self, *args, **kwargs)
        finally:
            self.forget()

    return changed


class EmailTakenError(Exception):
    """Another agent signs in with that address."""


@guarded
class Staff:
    """The `agents`, `logins`, `sessions`, `tokens` and `teams` collections.

    A login's `_id` is the mail address, so that one address is one agent's. With 256 random bits a plain hash keeps the
    secret of a token or a session safe.
    """

    def __init__(self, database: Database) -> None:
        self._agents = database["agents"]
        self._logins = database["logins"]
        self._sessions = database["sessions"]
        self._tokens = database["tokens"]
        self._teams = database["teams"]
        self._lately: dict[str, tuple[float, Any]] = {}

    async def add_agent(self, agent: Agent, password_hash: str) -> None:
        """Makes an agent who can sign in.

        Raises:
            EmailTakenError: somebody does with that address.
        """
        try:
            await self._logins.insert_one({"_id": agent.email, "agent": agent.id, "password": password_hash})
        except DuplicateKeyError as error:
            raise EmailTakenError(agent.email) from error
        await self._agents.insert_one(to_document(agent))

    async def login(self, email: str) -> tuple[Agent, str] | None:
        """Who signs in with that address, and the hash of their password; None where nobody may."""
        login = await self._logins.find_one({"_id": email})
        agent = await self.agent(login["agent"]) if login else None
        return (agent, login["password"]) if login and agent and agent.active else None

    async def agent_called(self, email: str) -> Agent | None:
        """The agent with that address, also one who may not come in."""
        login = await self._logins.find_one({"_id": email})
        return await self.agent(login["agent"]) if login else None

    async def vouched_for(self, issuer: str, subject: str) -> Agent | None:
        """The agent whom a provider calls so."""
        bound = await self._logins.find_one({"_id": _name_at(issuer, subject)})
        return await self.agent(bound["agent"]) if bound else None

    async def bind(self, agent_id: str, issuer: str, subject: str) -> bool:
        """Keeps what a provider calls an agent; False where it calls them otherwise already."""
        try:
            await self._logins.insert_one({"_id": f"oidc|{agent_id}|{issuer}", "subject": subject})
        except DuplicateKeyError:
            known = await self._logins.find_one({"_id": f"oidc|{agent_id}|{issuer}"})
            if known is None or known["subject"] != subject:
                return False
        await self._logins.update_one(
            {"_id": _name_at(issuer, subject)}, {"$setOnInsert": {"agent": agent_id}}, upsert=True
        )
        return True

    @_forgetting
    async def set_password(self, email: str, password_hash: str, *, but: str | None = None) -> bool:
        """Changes a password and ends the agent's sessions, but for the one with the id `but`.

        Returns:
            Whether somebody signs in with that address.
        """
        login = await self._logins.find_one_and_update({"_id": email}, {"$set": {"password": password_hash}})
        if login is None:
            return False
        await self._sessions.delete_many({"agent_id": login["agent"], "_id": {"$ne": but}})
        return True

    async def agent(self, agent_id: str) -> Agent | None:
        """One agent, or None."""
        document = await self._agents.find_one({"_id": agent_id})
        return from_document(document, Agent) if document else None

    async def agents(self) -> list[Agent]:
        """All of them, in the order in which they were made."""
        return [from_document(document, Agent) async for document in self._agents.find().sort("_id", ASCENDING)]

    @_forgetting
    async def change_agent(self, agent_id: str, changes: Mapping[str, Any]) -> Agent | None:
        """Changes fields of an agent; one who is not active any more is signed out everywhere."""
        document = await self._agents.find_one_and_update(
            {"_id": agent_id}, {"$set": dict(changes)}, return_document=ReturnDocument.AFTER
        )
        if document is not None and not document["active"]:
            await self.end_sessions(agent_id)
        return from_document(document, Agent) if document else None

    async def change_picture(self, agent_id: str, picture: str | None) -> Agent | None:
        """Gives an agent another picture, or none; the agent as they were before."""
        document = await self._agents.find_one_and_update({"_id": agent_id}, {"$set": {"picture": picture}})
        return from_document(document, Agent) if document else None

    async def pictures(self) -> dict[str, str]:
        """The pictures of those who have one, by agent."""
        found = self._agents.find({"picture": {"$gt": ""}}, {"picture": 1})
        return {document["_id"]: document["picture"] async for document in found}

    async def begin_session(self, session: Session, secret: str) -> None:
        """Keeps a session that whoever knows `secret` is in."""
        await self._sessions.insert_one({**to_document(session), "secret": _hash(secret)})

    async def session(self, secret: str, now: datetime) -> tuple[Session, Agent] | None:
        """The session with that secret and whose it is, unless it has ended, or they may not come in any more.

        Another process may have ended it within the last second.
        """
        found: tuple[Session, Agent] | None = await self._remembered(
            f"session|{_hash(secret)}", self._session(secret, now)
        )
        return found if found is not None and found[0].expires_at > now else None

    def forget(self) -> None:
        """Nothing that is known of tokens and sessions counts any more."""
        self._lately = {}

    async def _remembered(self, key: str, asking: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 (what is asked for)
        """What is known since a moment ago, or is asked for: nearly every call begins with this."""
        clock = asyncio.get_running_loop().time()
        until, known = self._lately.get(key, (0.0, None))
        if until > clock:
            asking.close()
            return known
        found = await asking
        if found is not None:
            if len(self._lately) > MOST_REMEMBERED:
                self._lately = {}
            self._lately[key] = (clock + REMEMBERED_SECONDS, found)
        return found

    async def _session(self, secret: str, now: datetime) -> tuple[Session, Agent] | None:
        document = await self._sessions.find_one({"secret": _hash(secret), "expires_at": {"$gt": now}}, hint="secret")
        session = from_document(document, Session) if document else None
        agent = await self.agent(session.agent_id) if session else None
        if session is None or agent is None or not agent.active:
            return None
        if now - session.seen_at > SEEN_EVERY:
            until = min(now + SESSION_IDLE, session.created_at + SESSION_LONGEST)
            await self._sessions.update_one({"_id": session.id}, {"$set": {"seen_at": now, "expires_at": until}})
        return session, agent

    async def sessions(self, agent_id: str, now: datetime) -> list[Session]:
        """Where an agent is signed in."""
        query: Document = {"agent_id": agent_id, "expires_at": {"$gt": now}}
        found = self._sessions.find(query).sort("created_at", ASCENDING).hint("agent")
        return [from_document(document, Session) async for document in found]

    @_forgetting
    async def end_session(self, agent_id: str, session_id: str) -> bool:
        """Signs an agent out somewhere; whether they were signed in there."""
        result = await self._sessions.delete_one({"_id": session_id, "agent_id": agent_id})
        return result.deleted_count == 1

    @_forgetting
    async def end_sessions(self, agent_id: str) -> None:
        """Signs an agent out everywhere."""
        await self._sessions.delete_many({"agent_id": agent_id})

    async def new_token(
        self, name: str, role: Role, now: datetime, *, teams: tuple[str, ...] = (), expires_at: datetime | None = None
    ) -> str:
        """Makes a token; this is the only time it can be read."""
        secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
        token = Token(id=new_id(), name=name, role=role, teams=teams, created_at=now, expires_at=expires_at)
        await self._tokens.insert_one({**to_document(token), "secret": _hash(secret)})
        return secret

    async def token(self, secret: str, now: datetime) -> Token | None:
        """The token with that secret, unless it has expired; another process may have dropped it in the last second."""
        found: Token | None = await self._remembered(f"token|{_hash(secret)}", self._token(secret, now))
        return None if found is None or (found.expires_at is not None and found.expires_at <= now) else found

    async def _token(self, secret: str, now: datetime) -> Token | None:
        document = await self._tokens.find_one({"secret": _hash(secret)})
        token = from_document(document, Token) if document else None
        if token is None or (token.expires_at is not None and token.expires_at <= now):
            return None
        if token.last_used_at is None or now - token.last_used_at > SEEN_EVERY:
            await self._tokens.update_one({"_id": token.id}, {"$set": {"last_used_at": now}})
        return token

    async def tokens(self) -> list[Token]:
        """All tokens, without what they are known by."""
        return [from_document(document, Token) async for document in self._tokens.find().sort("_id", ASCENDING)]

    @_forgetting
    async def drop_token(self, token_id: str) -> bool:
        """Makes a token worth nothing; whether there was one."""
        return (await self._tokens.delete_one({"_id": token_id})).deleted_count == 1

    async def add_team(self, team: Team) -> None:
        """Makes a team."""
        await self._teams.insert_one(to_document(team))

    async def team(self, team_id: str) -> Team | None:
        """One team, or None."""
        document = await self._teams.find_one({"_id": team_id})
        return from_document(document, Team) if document else None

    async def teams(self) -> list[Team]:
        """All teams, in the order in which they were made."""
        return [from_document(document, Team) async for document in self._teams.find().sort("_id", ASCENDING)]

    async def change_team(self, team_id: str, changes: Mapping[str, Any]) -> Team | None:
        """Changes fields of a team."""
        document = await self._teams.find_one_and_update(
            {"_id": team_id}, {"$set": dict(changes)}, return_document=ReturnDocument.AFTER
        )
        return from_document(document, Team) if document else None

    async def principal(self, id_: str) -> Principal | None:
        """Who has that id: an agent, or a token, which may be a bot's."""
        if (agent := await self.agent(id_)) is not None:
            return principal_of(agent)
        document = await self._tokens.find_one({"_id": id_})
        return principal_of(from_document(document, Token)) if document else None


def principal_of(one: Agent | Token) -> Principal:
    """As whom they call the API."""
    return Principal(id=one.id, name=one.name, role=one.role, teams=one.teams)


def _name_at(issuer: str, subject: str) -> str:
    """The id of what a provider calls somebody: no mail address, for it has no @."""
    return f"oidc|{hashlib.sha256(f'{issuer} {subject}'.encode('utf-8', 'replace')).hexdigest()}"


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
