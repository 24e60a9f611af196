"""Signing in by another house's word: OpenID Connect Core 1.0, the authorization code flow with PKCE (RFC 7636).

Authlib and joserfc verify what an ID token says; what is here fetches, and remembers in the agent's browser what was
asked, in a cookie that we sign and that is good once and for minutes.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import aiohttp
import jwt
import msgspec
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
from joserfc import jwt as signed_jwt
from joserfc.jwk import KeySet
from msgspec import Struct

from config import OidcConfig
from inbox.store import Store

ALGORITHMS = [
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
]  # none symmetric
FLOW_KEY = "oidc"  # the "channel" of the key that signs the cookie
FLOW_LASTS = timedelta(minutes=10)
CALL_SECONDS = 10.0
ANSWER_BYTES = 256 * 1024
LEEWAY_SECONDS = 60
DISCOVERY_LASTS_SECONDS = 3600.0


class ProviderError(Exception):
    """The provider does not answer, or says what it should not; the text says what."""


class FlowError(Exception):
    """This browser did not ask for that, or too long ago."""


class Vouched(Struct, frozen=True, kw_only=True):
    """Whom the provider vouches for."""

    issuer: str
    subject: str
    email: str | None
    email_verified: bool
    name: str | None


class _Provider(Struct, frozen=True):
    """What we need of a provider's discovery document (OpenID Connect Discovery 1.0, section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


class Oidc:
    """The flow with one provider."""

    def __init__(self, store: Store, config: OidcConfig, public_url: str) -> None:
        self.name = config.name
        self._store = store
        self._config = config
        self._callback = f"{public_url}/api/v1/session/oidc/callback"
        self._provider: _Provider | None = None
        self._provider_until = 0.0

    async def begin(self, next_: str) -> tuple[str, str]:
        """Where to send the browser, and the cookie by which it is known when it comes back.

        Raises:
            ProviderError: the provider cannot be asked.
        """
        provider = await self._discovered()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        asked = {
            "response_type": "code",
            "client_id": self._config.client_id,
            "redirect_uri": self._callback,
            "scope": "openid email profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
        }
        kid, key = await self._store.keys.signing_key(FLOW_KEY, datetime.now(UTC))
        claims = {
            "exp": datetime.now(UTC) + FLOW_LASTS,
            "state": state,
            "nonce": nonce,
            "verifier": verifier,
            "next": next_,
        }
        cookie = jwt.encode(claims, key, "HS256", headers={"kid": kid})
        separator = "&" if "?" in provider.authorization_endpoint else "?"
        return f"{provider.authorization_endpoint}{separator}{urlencode(asked)}", cookie

    async def finish(self, cookie: str | None, state: str, code: str) -> tuple[Vouched, str]:
        """Whom the provider vouches for, and where the browser wanted to go.

        Raises:
            FlowError: it was not this browser that asked.
            ProviderError: the provider cannot be asked, or its word is not good.
        """
        flow = await self._flow(cookie, state)
        provider = await self._discovered()
        answer = await self._call(
            "POST",
            provider.token_endpoint,
            data={
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self._callback,
                "client_id": self._config.client_id,
                "client_secret": self._config.client_secret.get_secret_value(),
                "code_verifier": flow["verifier"],
            },
        )
        id_token = answer.get("id_token")
        if not isinstance(id_token, str):
            raise ProviderError("it gave no ID token")
        claims = await self._verified(provider, id_token, flow["nonce"], answer.get("access_token"))
        vouched = Vouched(
            issuer=provider.issuer,
            subject=str(claims["sub"]),
            email=claims["email"].strip().lower() if isinstance(claims.get("email"), str) else None,
            email_verified=claims.get("email_verified") is True,
            name=claims["name"][:200] if isinstance(claims.get("name"), str) and claims["name"] else None,
        )
        return vouched, flow["next"]

    async def _flow(self, cookie: str | None, state: str) -> dict[str, Any]:
        try:
            kid = jwt.get_unverified_header(cookie or "").get("kid", "")
            key = await self._store.keys.key(FLOW_KEY, str(kid)) or b""
            flow: dict[str, Any] = jwt.decode(cookie or "", key, ["HS256"], options={"require": ["exp"]})
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise FlowError("begin again: this sign-in was not begun in this browser, or too long ago") from error
        if not secrets.compare_digest(flow["state"].encode(), state.encode("utf-8", "replace")):
            raise FlowError("begin again: this answer belongs to another sign-in")
        return flow

    async def _verified(self, provider: _Provider, id_token: str, nonce: str, access_token: object) -> dict[str, Any]:
        """The claims of an ID token (OpenID Connect Core 1.0, section 3.1.3.7)."""
        try:
            keys = KeySet.import_key_set(await self._call("GET", provider.jwks_uri))  # type: ignore[arg-type]
            token = signed_jwt.decode(id_token, keys, algorithms=ALGORITHMS)
            claims = CodeIDToken(
                token.claims,
                token.header,
                options={
                    "iss": {"essential": True, "value": provider.issuer},
                    "aud": {"essential": True, "value": self._config.client_id},
                },
                params={"nonce": nonce, "client_id": self._config.client_id, "access_token": access_token},
            )
            claims.validate(leeway=LEEWAY_SECONDS)
        except ProviderError:
            raise
        except Exception as error:  # whatever a token holds, it is not good
            raise ProviderError(f"its ID token is not good: {type(error).__name__}") from error
        return dict(claims)

    async def _discovered(self) -> _Provider:
        now = asyncio.get_running_loop().time()
        if self._provider is None or now > self._provider_until:
            issuer = self._config.issuer
            document = await self._call("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            try:
                self._provider = msgspec.convert(document, _Provider)
            except msgspec.ValidationError as error:
                raise ProviderError(f"its discovery document lacks something: {error}") from error
            if self._provider.issuer != issuer:
                self._provider = None
                raise ProviderError("its discovery document is another issuer's")
            self._provider_until = now + DISCOVERY_LASTS_SECONDS
        return self._provider

    async def _call(self, method: str, url: str, data: dict[str, str] | None = None) -> dict[str, Any]:
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CALL_SECONDS)) as http,
                http.request(method, url, data=data, allow_redirects=False) as answer,
            ):
                body = await answer.content.read(ANSWER_BYTES)
                if answer.status != 200:
                    raise ProviderError(f"it answered {answer.status}")
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise ProviderError("it does not answer") from error
        try:
            return msgspec.json.decode(body, type=dict[str, Any])
        except (msgspec.DecodeError, RecursionError) as error:
            raise ProviderError("its answer is no JSON object") from error


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
