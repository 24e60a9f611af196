"""Passwords, kept as argon2id hashes (RFC 9106; the library's defaults are its second recommendation)."""

from __future__ import annotations

import asyncio
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

SHORTEST = 10  # characters; NIST SP 800-63B asks for 8, and for no rules about which
LONGEST = 1024
AT_ONCE = 2  # a hash takes 64 MB and a core for some tens of milliseconds
GENERATED_BYTES = 15

_HASHER = PasswordHasher()


class Passwords:
    """Hashes and compares, a few at a time, in threads."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        """What to keep of a password."""
        async with self._turns:
            return await asyncio.to_thread(_HASHER.hash, password)

    async def fits(self, password: str, kept: str | None) -> bool:
        """Whether it is that password. Where none is kept it takes as long to say no."""
        if kept is None:
            self._nobodys = self._nobodys or await self.hash(secrets.token_urlsafe())
        async with self._turns:
            return await asyncio.to_thread(_fits, password, kept or self._nobodys or "") and kept is not None


def generated() -> str:
    """A password of 120 random bits, to be handed over and then changed."""
    return secrets.token_urlsafe(GENERATED_BYTES)


def _fits(password: str, kept: str) -> bool:
    try:
        return _HASHER.verify(kept, password)
    except (Argon2Error, InvalidHashError):
        return False
