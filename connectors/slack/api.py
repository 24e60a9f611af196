"""The Web API: the official client, and its errors in the words of `connectors.errors`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from connectors.calling import calling
from connectors.errors import ConnectorError, PermanentError, TemporaryError, UncertainError, UnreachableError
from connectors.slack.options import SlackOptions

ANSWER_SECONDS = 30
RETRY_SECONDS = 10.0
FILE_SECONDS = 300.0
PIECE = 64 * 1024
UNKNOWN_APP = "invalid_auth"

# https://docs.slack.dev/reference/methods/chat.postMessage#errors and the general ones of every method.
_TOKEN = frozenset(("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"))
_UNREACHABLE = frozenset(
    ("user_not_found", "users_not_found", "user_disabled", "cannot_dm_bot", "user_not_visible", "method_not_supported")
)
_MOVING = ("org_login_required", "team_added_to_org")  # the workspace comes back under another roof
_LATER = frozenset(("ratelimited", "rate_limited", "service_unavailable", "request_timeout", *_MOVING))
_MAYBE_DONE = frozenset(("fatal_error", "internal_error"))  # "some aspect of the operation" may have succeeded
_WORDS = {
    "channel_not_found": "the channel is gone, or the app was never in it",
    "not_in_channel": "the app is not in the channel: invite it there",
    "is_archived": "the channel is archived",
    "channel_is_archived": "the channel is archived",
    "msg_too_long": "the text is too long",
    "missing_scope": "the app lacks a scope",
    "restricted_action": "the workspace does not let the app post there",
    "restricted_action_read_only_channel": "only some people may post in the channel",
    "restricted_action_thread_only_channel": "the channel takes answers in threads only",
    "restricted_action_non_threadable_channel": "the channel takes no answers in threads",
    "restricted_action_thread_locked": "the thread is closed",
    "thread_not_found": "the thread is gone",
    "message_not_found": "the message is gone",
    "edit_window_closed": "the workspace does not let it be changed any more: it is too old",
    "cant_update_message": "the app may not change this message",
    "cant_delete_message": "the app may not delete this message",
    "compliance_exports_prevent_deletion": "the workspace does not let messages be deleted",
    "invalid_name": "the workspace has no such emoji",
    "too_many_reactions": "the message has as many reactions as it can have",
    "too_many_emoji": "the message has as many emoji as it can have",
    "file_not_found": "the file is gone",
    "cant_delete_file": "the app may not delete this file",
    "user_not_found": "there is no such person in the workspace",
    "users_not_found": "there is no such person in the workspace",
    "user_disabled": "the person is not in the workspace any more",
    "user_not_visible": "the app may not see this person",
    "cannot_dm_bot": "this is an app: it cannot be written to",
    "internal_error": "something went wrong there, and it may have been done",
    "fatal_error": "something went wrong there, and it may have been done",
}


class SlackApi:
    """One app's Web API. `client` is the official one; every call of it stands inside `calling`."""

    def __init__(self, options: SlackOptions) -> None:
        """No I/O."""
        self._options = options
        self._host = urlsplit(options.api_url).netloc
        self._token = options.bot_token.get_secret_value()
        # It would try again by itself where the line was cut, and Slack may have done what was asked.
        self.client = AsyncWebClient(self._token, options.api_url, timeout=ANSWER_SECONDS, retry_handlers=[])
        self._opening = asyncio.Lock()

    async def opened(self) -> AsyncWebClient:
        """The client with a session that is kept; by itself it opens one for each call."""
        async with self._opening:
            if self.client.session is None or self.client.session.closed:
                timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
                self.client.session = aiohttp.ClientSession(timeout=timeout, raise_for_status=_check)
        return self.client

    async def close(self) -> None:
        """Lets go of the connections; the next call opens them again."""
        if self.client.session is not None:
            await self.client.session.close()

    async def call(self, method: str, **arguments: Any) -> Any:  # noqa: ANN401 (a JSON value)
        """What a method answers.

        Raises:
            TemporaryError: it asks to wait, cannot be reached, or answers 5xx.
            PermanentError: it refuses; `UnreachableError` where it refuses that person.
            UncertainError: it has not answered, or in no words that can be read; it may have done it.
        """
        client = await self.opened()
        given = {name: value for name, value in arguments.items() if value is not None}
        with self._translated():
            return (await client.api_call(method, json=given)).data

    async def ask(self, method: str, **arguments: Any) -> Any:  # noqa: ANN401 (a JSON value)
        """The same for a method that only reads: those take a form, and asking again doubles nothing.

        Raises:
            TemporaryError: not now.
            PermanentError: never.
        """
        client = await self.opened()
        given = {name: value for name, value in arguments.items() if value is not None}
        try:
            with self._translated():
                return (await client.api_call(method, params=given)).data
        except UncertainError as error:
            raise TemporaryError(error.reason) from error

    async def insist(self, method: str, **arguments: Any) -> Any:  # noqa: ANN401 (a JSON value)
        """The same, asked until it is answered, and as seldom as Slack asks for.

        Raises:
            PermanentError: never.
        """
        while True:
            try:
                return await self.ask(method, **arguments)
            except TemporaryError as error:
                await asyncio.sleep(error.retry_after or RETRY_SECONDS)

    async def scopes(self) -> set[str]:
        """What the app may do.

        Raises:
            TemporaryError: not now.
            PermanentError: the bot token is wrong.
        """
        client = await self.opened()
        try:
            with self._translated():
                answer: Any = await client.api_call("auth.test")
                told = {name.lower(): value for name, value in dict(answer.headers).items()}.get("x-oauth-scopes", "")
        except UncertainError as error:
            raise TemporaryError(error.reason) from error
        return {scope.strip() for scope in told.split(",") if scope.strip()}

    async def socket_url(self) -> str:
        """Where to connect in Socket Mode, for some seconds.

        Raises:
            TemporaryError: not now.
            PermanentError: the app token is wrong.
        """
        client = await self.opened()
        token = self._options.app_token.get_secret_value() if self._options.app_token else ""
        try:
            with self._translated():
                return str((await client.apps_connections_open(app_token=token))["url"])
        except UncertainError as error:
            raise TemporaryError(error.reason) from error

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except SlackApiError as error:
            raise _known(error) from error
        except aiohttp.ClientConnectorError as error:
            raise TemporaryError("Slack cannot be reached") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UncertainError("Slack has not answered, and may have done it") from error
        except (SlackClientError, ValueError, LookupError, TypeError) as error:
            raise UncertainError(f"Slack's answer could not be read: {type(error).__name__}") from error

    async def download(self, file_id: str, url: str) -> AsyncIterator[bytes]:
        """The bytes of a file, in pieces.

        Raises:
            TemporaryError: not now.
            PermanentError: never.
        """
        if not self._is_slacks(url):  # of a foreign workspace's file an event tells the id alone
            found = (await self.ask("files.info", file=file_id)).get("file") or {}
            url = str(found.get("url_private_download") or found.get("url_private") or "")
        if not self._is_slacks(url):
            raise PermanentError("Slack does not tell where the file is")
        headers = {"Authorization": f"Bearer {self._token}"}
        async with calling("Slack", seconds=FILE_SECONDS) as http, http.get(url, headers=headers) as answer:
            if answer.content_type == "text/html" and answer.history:
                raise PermanentError("Slack asks to sign in for the file: the app lacks the scope files:read")
            async for piece in answer.content.iter_chunked(PIECE):
                yield piece

    def _is_slacks(self, url: str) -> bool:
        """Whether the bot's token may be shown there."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        ours = parts.netloc == self._host and parts.scheme in ("http", "https")
        host = parts.hostname or ""
        return ours or (parts.scheme == "https" and (host == "slack.com" or host.endswith(".slack.com")))


async def _check(answer: aiohttp.ClientResponse) -> None:
    """The client fails over plain text, and does not say with which status it came."""
    if answer.content_type == "text/plain":
        words, code = f"Slack answered {answer.status}", str(answer.status)
        later = answer.status >= 500 and answer.status != HTTPStatus.GATEWAY_TIMEOUT
        raise TemporaryError(words, code=code) if later else UncertainError(words, code=code)


def _known(error: SlackApiError) -> ConnectorError:
    response: Any = error.response
    status = int(getattr(response, "status_code", None) or getattr(response, "status", None) or 200)
    headers = getattr(response, "headers", None) or {}
    told = response.get("error", "") if hasattr(response, "get") else ""
    code = str(told) or str(status)
    words = f"Slack: {_WORDS.get(code, code)}"
    if code == "missing_scope" and hasattr(response, "get"):
        words += f": {response.get('needed')}"
    # A gateway that gave up waiting does not know either.
    if code in _MAYBE_DONE or (status == HTTPStatus.GATEWAY_TIMEOUT and not told):
        return UncertainError(words, code=code)
    if status == 429 or code in _LATER or status >= 500:
        return TemporaryError(words, retry_after=_seconds(headers), code=code)
    if code in _TOKEN:
        return PermanentError(f"Slack does not accept the app's token ({code})", code=UNKNOWN_APP)
    if code in _UNREACHABLE:
        return UnreachableError(words, code=code)
    if not told:
        return UncertainError(words, code=code)
    return PermanentError(words, code=code)


def _seconds(headers: Any) -> float | None:  # noqa: ANN401 (the client's mapping)
    told = {str(name).lower(): value for name, value in dict(headers).items()}.get("retry-after", "")
    told = told[0] if isinstance(told, list) else told
    try:
        return min(float(told), 3600.0)
    except (TypeError, ValueError):
        return None
