"""Who a visitor is: the token that we give to a browser, and the token by which a website vouches for its user.

Both are JSON Web Tokens signed with HMAC-SHA256 (RFC 7519, RFC 7518 section 3.2); no other algorithm is accepted.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import msgspec
from msgspec import Struct

from connectors.context import Keys

LIFETIME = timedelta(days=30)
ALGORITHMS = ["HS256"]


class Pass(Struct, frozen=True):
    """What a visitor's token says, once its signature proved right."""

    visitor: str
    expires_at: datetime

    def is_stale(self, now: datetime) -> bool:
        """Whether it is past half its life and should be renewed."""
        return self.expires_at - now < LIFETIME / 2


class VisitorTokens:
    """Signs and reads the tokens of one channel; those of another are worth nothing here."""

    def __init__(self, keys: Keys, channel: str) -> None:
        """`keys` are the channel's, `channel` its id."""
        self._keys = keys
        self._channel = channel

    async def issue(self, visitor: str, now: datetime) -> str:
        """A token for `visitor` that is good for 30 days."""
        kid, key = await self._keys.current()
        claims = {"aud": self._channel, "sub": visitor, "iat": now, "exp": now + LIFETIME}
        return jwt.encode(claims, key, ALGORITHMS[0], headers={"kid": kid})

    async def read(self, token: str) -> Pass | None:
        """What the token says, or None where it is expired, foreign, forged, revoked or no token."""
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            key = await self._keys.find(kid) if isinstance(kid, str) and len(kid) <= 64 else None
            if key is None:
                return None
            options: Any = {"require": ["aud", "sub", "exp"], "verify_iat": False}
            claims = jwt.decode(token, key, ALGORITHMS, audience=self._channel, options=options)
        except (jwt.PyJWTError, ValueError, RecursionError):
            return None
        known = Pass(claims["sub"], datetime.fromtimestamp(claims["exp"], UTC))
        return None if await self.is_revoked(known.visitor) else known

    async def is_revoked(self, visitor: str) -> bool:
        """Whether all tokens of a visitor were made worthless."""
        return await self._keys.is_revoked(visitor)

    async def revoke(self, visitor: str, now: datetime) -> None:
        """Makes all tokens of a visitor worthless."""
        await self._keys.revoke(visitor, now + LIFETIME)


class Identity(Struct, frozen=True, omit_defaults=True):
    """Whom a website vouches for."""

    sub: str
    email: str | None = None
    name: str | None = None


def read_identity(token: str, secrets: Sequence[str]) -> Identity | None:
    """Whom the token vouches for, or None where none of the secrets signed it, it has expired, or lacks `sub` or `exp`.

    The website's clock may run ahead of ours, so `iat` is not looked at.
    """
    options: Any = {"require": ["sub", "exp"], "verify_iat": False, "verify_aud": False}
    for secret in secrets:
        try:
            claims = jwt.decode(token, secret, ALGORITHMS, options=options)
            return msgspec.convert(claims, Identity)
        except (jwt.PyJWTError, ValueError, RecursionError):
            continue
    return None
