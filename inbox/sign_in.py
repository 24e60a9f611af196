"""Signing in with a password, and staying so by a session.

Wrong guesses are counted, over all processes, and right ones are not. What counts is who guesses, not only whose
password: a browser that has signed in before bears a device cookie and has tries of its own, so nobody is locked out of
their browser by somebody elsewhere who guesses (OWASP, "Slow Down Online Guessing Attacks with Device Cookies").
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import UTC, datetime

from msgspec import Struct

from inbox.clock import utc_now
from inbox.model import new_id
from inbox.oidc import Vouched
from inbox.passwords import LONGEST, Passwords
from inbox.staff import Agent, Role, Session
from inbox.store import Store
from inbox.store.staff import SESSION_IDLE, EmailTakenError

WINDOW_SECONDS = 15 * 60.0
TRIES = 10  # wrong guesses in that time: by one browser, or by one address at one agent's password
TRIES_OF_ADDRESS = 50  # by one address, at anybody's
TRIES_OF_AGENT = 100  # at one agent's, by all who have no device cookie
DEVICE_KEY = "sign-in"  # the "channel" of the key that signs device cookies
LONGEST_BROWSER = 300


class WrongPasswordError(Exception):
    """Nobody signs in with that address and password."""


class StrangerError(Exception):
    """Somebody whom a provider vouches for, and who may not come in here; the text says why."""


class TooManyTriesError(Exception):
    """Too many wrong guesses."""

    def __init__(self, seconds: float) -> None:
        """`seconds`: after how many to try again."""
        super().__init__(seconds)
        self.seconds = seconds


class SignedIn(Struct, frozen=True, kw_only=True):
    """A new session. `secret` and `device` are for the browser's cookies alone."""

    agent: Agent
    session: Session
    secret: str
    device: str


class SignIn:
    """Lets agents in."""

    def __init__(self, store: Store, newcomers: Role | None = None) -> None:
        """`newcomers`: the role of an agent who is made when a provider vouches for somebody new; None: nobody is."""
        self._store = store
        self._newcomers = newcomers
        self.passwords = Passwords()

    async def sign_in(self, email: str, password: str, *, address: str, browser: str, device: str | None) -> SignedIn:
        """Begins a session.

        Args:
            email: as the agent signs in, in any case.
            password: theirs.
            address: where the request comes from.
            browser: its `User-Agent`.
            device: its device cookie.

        Raises:
            WrongPasswordError: so it is, or nobody has that address.
            TooManyTriesError: it is not even looked at.
        """
        email = email.strip().lower()
        budgets = await self._budgets(email, address, device)
        for key, count in budgets.items():
            if wait := await self._store.budgets.take(key, count, WINDOW_SECONDS):
                raise TooManyTriesError(wait)
        login = await self._store.staff.login(email)
        if not await self.passwords.fits(password[: LONGEST + 1], login[1] if login else None) or login is None:
            raise WrongPasswordError
        for key in budgets:
            await self._store.budgets.give_back(key)
        return await self._begin(login[0], address, browser)

    async def vouched(self, who: Vouched, *, address: str, browser: str) -> SignedIn:
        """Begins the session of somebody whom a provider vouches for.

        At the first time they are known by their verified mail address, and from then on by the provider's own name for
        them: whoever gets that address later is somebody else.

        Raises:
            StrangerError: they may not come in.
        """
        staff = self._store.staff
        agent = await staff.vouched_for(who.issuer, who.subject)
        if agent is None:
            if who.email is None or not who.email_verified:
                raise StrangerError("the provider does not say that your mail address is verified")
            agent = await staff.agent_called(who.email) or await self._newcomer(who, who.email)
            if agent is None:
                raise StrangerError(f"no agent signs in with {who.email} here; ask an admin")
            if not await staff.bind(agent.id, who.issuer, who.subject):
                raise StrangerError("this agent is known to the provider as somebody else")
        if not agent.active:
            raise StrangerError("you may not come in any more; ask an admin")
        return await self._begin(agent, address, browser)

    async def _newcomer(self, who: Vouched, email: str) -> Agent | None:
        if self._newcomers is None:
            return None
        made = Agent(
            id=new_id(),
            email=email,
            name=who.name or email.partition("@")[0],
            role=self._newcomers,
            created_at=utc_now(),
        )
        try:
            await self._store.staff.add_agent(made, await self.passwords.hash(secrets.token_urlsafe(32)))
        except EmailTakenError:  # in this very moment, by another window
            return await self._store.staff.agent_called(email)
        return made

    async def _budgets(self, email: str, address: str, device: str | None) -> dict[str, int]:
        whose = hashlib.sha256(email.encode("utf-8", "replace")).hexdigest()[:32]
        if device is not None and await self._is_device_of(device, email):
            return {f"sign-in|{whose}|{hashlib.sha256(device.encode()).hexdigest()[:32]}": TRIES}
        return {
            f"sign-in|{whose}|{address}": TRIES,
            f"sign-in|{address}": TRIES_OF_ADDRESS,
            f"sign-in|{whose}": TRIES_OF_AGENT,
        }

    async def _begin(self, agent: Agent, address: str, browser: str) -> SignedIn:
        now, secret = utc_now(), secrets.token_urlsafe(32)
        session = Session(
            id=new_id(),
            agent_id=agent.id,
            address=address,
            browser=browser[:LONGEST_BROWSER],
            created_at=now,
            seen_at=now,
            expires_at=now + SESSION_IDLE,
        )
        await self._store.staff.begin_session(session, secret)
        return SignedIn(agent=agent, session=session, secret=secret, device=await self._device_of(agent.email))

    async def _device_of(self, email: str) -> str:
        kid, key = await self._store.keys.signing_key(DEVICE_KEY, datetime.now(UTC))
        nonce = secrets.token_urlsafe(16)
        return f"{kid}.{nonce}.{_signed(key, email, nonce)}"

    async def _is_device_of(self, device: str, email: str) -> bool:
        kid, _, rest = device.partition(".")
        nonce, _, signature = rest.partition(".")
        key = await self._store.keys.key(DEVICE_KEY, kid)
        good = _signed(key, email, nonce) if key is not None else ""
        return key is not None and hmac.compare_digest(signature.encode(), good.encode())


def csrf_token(secret: str) -> str:
    """What a page sends with each unsafe call, beside its cookie: who cannot read that cannot make it."""
    return hashlib.sha256(b"csrf|" + secret.encode("utf-8", "replace")).hexdigest()


def _signed(key: bytes, email: str, nonce: str) -> str:
    return hmac.new(key, f"{nonce}|{email}".encode("utf-8", "replace"), "sha256").hexdigest()
