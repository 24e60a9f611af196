"""An OpenID Connect provider on this machine, which speaks the real protocol, and lies when it is told to."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

from aiohttp import web
from harness import served
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

PERSON = {"sub": "u-1", "email": "Grace@Example.com", "email_verified": True, "name": "Grace"}


class Provider:
    """Vouches for `person`; `claims` overrides what its ID tokens say, `header` what their headers do."""

    def __init__(self) -> None:
        self.person: dict[str, Any] = dict(PERSON)
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.down = False
        self.issuer = ""
        self.key = _new_key()
        self.signing: Any = None
        self._codes: dict[str, dict[str, str]] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._discovery)
        app.router.add_get("/keys", self._keys)
        app.router.add_post("/token", self._token)
        async with served(app) as self.issuer:
            yield self

    def authorize(self, query: dict[str, str]) -> str:
        """What its page does when the person agrees: a code for what was asked."""
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = secrets.token_urlsafe(8)
        self._codes[code] = query
        return code

    async def _discovery(self, _: web.Request) -> web.Response:
        if self.down:
            return web.Response(status=503)
        return web.json_response(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            }
        )

    async def _keys(self, _: web.Request) -> web.Response:
        return web.json_response(KeySet([self.key]).as_dict(private=False))

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        asked = self._codes.pop(str(form["code"]), None)  # good once
        digest = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        good = asked and (form["client_id"], form["client_secret"]) == ("santral", "hush")
        if self.down or not good or not asked or challenge != asked["code_challenge"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": "santral",
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **self.person,
            **self.claims,
        }
        return web.json_response({"access_token": "a", "token_type": "Bearer", "id_token": self._signed(claims)})

    def _signed(self, claims: dict[str, Any]) -> str:
        header = {"alg": "RS256", "kid": self.key.kid, **self.header}
        if header["alg"] == "none":
            parts = [base64.urlsafe_b64encode(_json(one)).rstrip(b"=").decode() for one in (header, claims)]
            return ".".join([*parts, ""])
        if header["alg"] == "HS256":  # by the public key, as if it were a secret
            public = OctKey.import_key(self.key.as_pem(private=False))
            return jwt.encode(header, claims, public, algorithms=["HS256"])
        return jwt.encode(header, claims, self.signing or self.key)


def _new_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": secrets.token_hex(4)})


def _json(value: Any) -> bytes:

    return json.dumps(value).encode()
