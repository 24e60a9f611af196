"""Access tokens for mail servers that want OAuth 2.0 in place of a password (RFC 6749)."""

from __future__ import annotations

import asyncio

import aiohttp
import msgspec

from connectors.calling import beginning
from connectors.email.options import OAuthOptions
from connectors.errors import TemporaryError

_CALL_SECONDS = 30.0
_EARLY_SECONDS = 120.0  # so long before its end a token is not used any more
_MAX_ANSWER = 64 * 1024


class _Answer(msgspec.Struct):
    """Section 5.1; section 5.2 where it refuses."""

    access_token: str = ""
    expires_in: float = 3600.0
    error: str = ""
    error_description: str = ""


class AccessTokens:
    """The access token of one account, fetched anew before it ends."""

    def __init__(self, options: OAuthOptions) -> None:
        """Fetches nothing yet."""
        self._options = options
        self._token = ""
        self._good_until = 0.0

    async def current(self) -> str:
        """A token that is good for two minutes at least.

        Raises:
            TemporaryError: the provider is away, or gives none: an admin may have to sign in there again.
        """
        now = asyncio.get_running_loop().time()
        if not self._token or now >= self._good_until:
            answer = await self._ask()
            self._token, self._good_until = answer.access_token, now + answer.expires_in - _EARLY_SECONDS
        return self._token

    def forget(self) -> None:
        """The token was refused: the next one is a new one."""
        self._token = ""

    async def _ask(self) -> _Answer:
        url = self._options.token_url
        timeout = aiohttp.ClientTimeout(total=_CALL_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as http,
                http.post(url, data=self._form(), allow_redirects=False) as answer,
            ):
                body = await beginning(answer, _MAX_ANSWER)
            told = msgspec.json.decode(body, type=_Answer, strict=False)
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as error:
            raise TemporaryError(f"no access token from {url}: {str(error) or type(error).__name__}") from error
        if not told.access_token:
            words = ": ".join(filter(None, (told.error, told.error_description))) or f"it answered {answer.status}"
            raise TemporaryError(f"no access token from {url}: {words}", code=told.error or None)
        return told

    def _form(self) -> dict[str, str]:
        options = self._options
        form = {"client_id": options.client_id, "grant_type": "client_credentials"}
        if options.refresh_token is not None:
            form |= {"grant_type": "refresh_token", "refresh_token": options.refresh_token.get_secret_value()}
        if options.client_secret is not None:
            form["client_secret"] = options.client_secret.get_secret_value()
        if options.scope is not None:
            form["scope"] = options.scope
        return form
