"""The Bot API: the official client, its errors in the words of `connectors.errors`, and updates as their bytes.

The client's own updater is not used: it confirms updates before the work is done, and one that it cannot parse ends the
whole batch. `getUpdates` is asked here, and every update is handed on as it came.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from urllib.parse import urlencode

import httpx
import msgspec
from telegram import Bot
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.request import HTTPXRequest

from connectors.calling import calling
from connectors.errors import ConnectorError, PermanentError, TemporaryError, UncertainError, UnreachableError
from connectors.telegram.options import TelegramOptions

POLL_SECONDS = 25
ANSWER_SECONDS = 30.0
UPLOAD_SECONDS = 300.0
PIECE = 64 * 1024
CONNECTIONS = 16
UNKNOWN_BOT = "401"

# What belongs into a conversation; reactions come only where they are named. The rest (inline queries, polls, members,
# shops, boosts) would be passed over: it is not asked for, and comes only from before Telegram knew this list.
ALLOWED_UPDATES = (
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
    "message_reaction",
    "callback_query",
    "my_chat_member",
)

# The platform's words for *this person cannot be written to*, in lower case. Where only files are banned, they can.
_UNREACHABLE = re.compile(
    r"blocked by the user|user is deactivated|bot was kicked|bot is not a member|chat not found|can't initiate"
    r"|have no rights to send a message|need administrator rights|not enough rights to send text"
    r"|group chat was deactivated"
    r"|peer_id_invalid|business_peer_invalid"
)
_TOO_LARGE = re.compile(r"file is too big|too large|entity too large")
# It shows no such picture (narrow as a thread, larger than a wall), and carries it as a file.
_NO_PHOTO = re.compile(r"photo_invalid_dimensions|photo_save_file_invalid|image_process_failed")
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class MovedError(PermanentError):
    """A group became a supergroup: it is another chat now, and the old one takes nothing more."""

    def __init__(self, chat: int) -> None:
        """`chat` is the number that it has now."""
        super().__init__(f"the group has moved: it is {chat} now", code="migrated")
        self.chat = chat


class NoPhotoError(PermanentError):
    """Telegram does not show this picture as a photo."""


class _Answer(msgspec.Struct):
    result: list[msgspec.Raw] = []


class BotApi:
    """One bot. `id` is its user id, `bot` the client; every call of that stands inside `calling`."""

    def __init__(self, options: TelegramOptions) -> None:
        """No I/O."""
        self.id = options.bot
        token = options.token.get_secret_value()
        self._secret = token
        self._root = f"{options.api_url}/bot{token}"
        self._files = f"{options.api_url}/file/bot{token}"
        self._request = HTTPXRequest(
            connection_pool_size=CONNECTIONS,
            connect_timeout=10.0,
            read_timeout=ANSWER_SECONDS,
            write_timeout=ANSWER_SECONDS,
            pool_timeout=ANSWER_SECONDS,
            media_write_timeout=UPLOAD_SECONDS,
        )
        self.bot = Bot(token, f"{options.api_url}/bot", f"{options.api_url}/file/bot", request=self._request)

    async def close(self) -> None:
        """Lets go of the connections, for good: no call can follow."""
        await self._request.shutdown()

    @contextlib.contextmanager
    def calling(self) -> Iterator[None]:
        """What the client raises, in the words of `connectors.errors`.

        Raises:
            TemporaryError: it asks to wait, cannot be reached, or answers 5xx other than 504.
            PermanentError: it refuses; `UnreachableError` where it refuses that person, `MovedError` where that group
                is elsewhere now, `NoPhotoError` where it would take the picture as a file.
            UncertainError: it has not answered, nor a gateway before it waited (504), or in no words that can be read;
                it may have done it.
        """
        try:
            yield
        except TelegramError as error:
            raise self._known(error) from error
        except ConnectorError:
            raise
        except Exception as error:  # the client read an answer that it did not expect
            raise UncertainError(f"Telegram's answer could not be read: {type(error).__name__}") from error

    def _known(self, error: TelegramError) -> ConnectorError:  # noqa: PLR0911 (one for each)
        words = error.message.replace(self._secret, "…").removeprefix("Bad Request: ")
        match error:
            case RetryAfter():
                return TemporaryError("Telegram asks to wait", retry_after=_wait(error), code="429")
            case ChatMigrated():
                return MovedError(error.new_chat_id)
            case InvalidToken():
                return PermanentError("Telegram does not know the bot's token", code=UNKNOWN_BOT)
            case Conflict():
                return TemporaryError(f"another program receives for this bot: {words}", code="409")
            case Forbidden():
                return UnreachableError(f"Telegram: {words}", code="403")
            case BadRequest():
                return _refused(words)
            case NetworkError():
                return _not_answered(words, error.__cause__)
        return UncertainError(f"Telegram's answer could not be read: {words}")

    async def updates(self, offset: int | None, seconds: int = POLL_SECONDS) -> list[bytes]:
        """Updates after those that `offset` confirms, each byte for byte, as soon as there are any.

        Raises:
            TemporaryError: it cannot be had now; also where somebody else polls this bot.
            PermanentError: the token is wrong.
        """
        query = {"timeout": seconds, "limit": 100, "allowed_updates": json.dumps(ALLOWED_UPDATES)}
        if offset is not None:
            query["offset"] = offset
        try:
            with self.calling():
                answer = await self._request.retrieve(
                    f"{self._root}/getUpdates?{urlencode(query)}", read_timeout=seconds + ANSWER_SECONDS
                )
        except UncertainError as error:  # nothing was done that asking again would double
            raise TemporaryError(error.reason) from error
        return list(_each(answer))

    async def download(self, file_id: str) -> AsyncIterator[bytes]:
        """The bytes of a file, in pieces. Its link holds the token, so nobody else sees it.

        Raises:
            TemporaryError: not now.
            PermanentError: never.
        """
        with self.calling():
            found = await self.bot.get_file(file_id)
        if not found.file_path:
            raise PermanentError("Telegram does not tell where the file is")
        # The client has made a link of the path: of that, only what follows the root is taken.
        path = found.file_path.rpartition(self._secret)[2].lstrip("/")
        async with calling("Telegram", seconds=UPLOAD_SECONDS) as http, http.get(f"{self._files}/{path}") as answer:
            async for piece in answer.content.iter_chunked(PIECE):
                yield piece


def _wait(error: RetryAfter) -> float:
    """Seconds. The client announces that they will be of another type one day."""
    told = error.retry_after
    return float(told) if isinstance(told, int) else told.total_seconds()


def _refused(words: str) -> PermanentError:
    if _UNREACHABLE.search(words.lower()):
        return UnreachableError(f"Telegram: {words}", code="400")
    if _NO_PHOTO.search(words.lower()):
        return NoPhotoError(f"Telegram: {words}", code="400")
    return PermanentError(f"Telegram: {words}", code="too_large" if _TOO_LARGE.search(words.lower()) else "400")


def _not_answered(words: str, cause: BaseException | None) -> ConnectorError:
    """An answer of 5xx, or none: then the client's own error is the cause."""
    if isinstance(cause, _NOT_SENT):
        return TemporaryError("Telegram cannot be reached")
    # A gateway gave up waiting, and not Telegram working; the client begins with the phrase and tells no status.
    if isinstance(cause, httpx.HTTPError) or words.startswith(HTTPStatus.GATEWAY_TIMEOUT.phrase):
        return UncertainError("Telegram has not answered, and may have done it")
    if _TOO_LARGE.search(words.lower()):
        return PermanentError(f"Telegram: {words}", code="too_large")
    return TemporaryError(f"Telegram: {words}", code="5xx")


def _each(answer: bytes) -> Iterator[bytes]:
    """The updates of an answer as they were written; as they can be written where that cannot be told."""
    try:
        yield from map(bytes, msgspec.json.decode(answer, type=_Answer).result)
    except (msgspec.DecodeError, RecursionError):
        try:
            told = json.loads(answer)["result"]
            yield from (json.dumps(one).encode() for one in told)
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise TemporaryError("Telegram's answer could not be read") from error
