"""A Bot API of one's own, for connectors that speak it and for tests of bots (https://core.telegram.org/bots/api).

It holds what Telegram holds (updates until they are confirmed, messages, files, a hook) and refuses what Telegram
refuses: two pollers at once, markup it cannot read, texts that are too long.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import aiohttp
from aiohttp import web

from connectors.testing.bot_chats import BOT, CUSTOMER, BotChats, MovedChatError
from connectors.testing.server import Call, RefusedCallError, as_json

__all__ = ["BOT", "CUSTOMER", "TOKEN", "BotApiServer"]

TOKEN = f"{BOT}:stand-in_0123456789abcdefghijklmno"


class BotApiServer(BotChats):
    """One bot's Telegram: its chats, and how updates reach it.

    Attributes:
        hook: where updates go, as `setWebhook` said; None while they wait for `getUpdates`.
        pending: the updates that nobody has confirmed.
        handed: how often each update was given to who polls, by its number.
    """

    def __init__(self, token: str = TOKEN) -> None:
        """A bot with that token to which nobody has written."""
        super().__init__()
        self._token = token
        self.hook: dict[str, Any] | None = None
        self.pending: list[dict[str, Any]] = []
        self.handed: Counter[int] = Counter()
        self._update_id = 100_000
        self._news = asyncio.Condition()
        self._polls = 0

    def routes(self) -> list[web.RouteDef]:
        """Calls at `/bot<token>/<method>`, files at `/file/bot<token>/<path>`."""
        return [
            web.route("*", "/bot{token}/{method}", self._called),
            web.get("/file/bot{token}/{path:.*}", self._download),
        ]

    async def _called(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["token"] != self._token:
            return self.refusal("Unauthorized", 401)
        return await self.handle(request, request.match_info["method"])

    async def _download(self, request: web.Request) -> web.StreamResponse:
        content = self.files.get(request.match_info["path"].removeprefix("documents/"))
        if content is None:
            raise web.HTTPNotFound
        return web.Response(body=content)

    def answer(self, result: Any) -> web.Response:  # noqa: ANN401 (a JSON value)
        """As the Bot API has it."""
        return web.json_response({"ok": True, "result": result})

    def refusal(self, words: str, status: int, retry_after: int | None = None) -> web.Response:
        """Likewise."""
        return _refusal(words, status, {"retry_after": retry_after} if retry_after is not None else {})

    def refused(self, error: RefusedCallError) -> web.Response:
        """Likewise; where a group has moved, with the chat that it is now."""
        moved = {"migrate_to_chat_id": error.to} if isinstance(error, MovedChatError) else {}
        return _refusal(error.words, error.status, moved)

    # What people do.

    def message(self, text: str | None = None, *, chat: int = CUSTOMER, **fields: Any) -> dict[str, Any]:  # noqa: ANN401
        """A message of a person in a chat: private where the chat is theirs, else a group's. It is not sent yet."""
        self._message_id += 1
        private = chat > 0
        user = {"id": chat if private else CUSTOMER, "is_bot": False, "first_name": "Ada", "last_name": "Byron"}
        place = {"first_name": "Ada", "last_name": "Byron"} if private else {"title": "Machines"}
        message = {
            "message_id": self._message_id,
            "from": user,
            "chat": {"id": chat, "type": "private" if private else "supergroup", **place},
            "date": int(time.time()),
            **({"text": text} if text is not None else {}),
            **fields,
        }
        self.chats.setdefault(chat, {})[message["message_id"]] = message
        return message

    def move(self, chat: int, to: int) -> dict[str, Any]:
        """People make a supergroup of a group; what Telegram tells of it in the old chat. It is not sent yet."""
        told = self.message(chat=chat, migrate_to_chat_id=to)
        self.moved[chat] = to
        self.chats[to] = {}
        return told

    def file(self, content: bytes, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 (fields of a document)
        """A file as it stands in a message."""
        file_id = f"file-{len(self.files) + 1}"
        self.files[file_id] = content
        return {"file_id": file_id, "file_unique_id": f"unique-{file_id}", "file_size": len(content), **fields}

    def update(self, kind: str, content: Mapping[str, Any]) -> dict[str, Any]:
        """An update of some kind; it waits until it is sent or asked for."""
        self._update_id += 1
        return {"update_id": self._update_id, kind: content}

    async def push(self, *updates: Mapping[str, Any]) -> list[int]:
        """Sends updates as they are given: twice is twice, any order is that order.

        Returns:
            What the hook answered to each; nothing where they wait for `getUpdates`.
        """
        if self.hook is None:
            async with self._news:
                self.pending += map(dict, updates)
                self._news.notify_all()
            return []
        async with aiohttp.ClientSession() as http:
            headers = {"X-Telegram-Bot-Api-Secret-Token": str(self.hook.get("secret_token", ""))}
            answers = []
            for update in updates:
                async with http.post(str(self.hook["url"]), json=update, headers=headers) as answer:
                    answers.append(answer.status)
            return answers

    async def press(self, message: Mapping[str, Any], data: str) -> list[int]:
        """A person presses a button under a message of the bot."""
        user = {"id": CUSTOMER, "is_bot": False, "first_name": "Ada", "last_name": "Byron"}
        query = {"id": f"query-{self._update_id}", "from": user, "message": message, "chat_instance": "1", "data": data}
        return await self.push(self.update("callback_query", query))

    async def hooked(self) -> None:
        """Returns when updates go to a hook."""
        async with self._news:
            await self._news.wait_for(lambda: self.hook is not None)

    async def polled(self) -> None:
        """Returns when the bot has asked for updates."""
        async with self._news:
            await self._news.wait_for(lambda: self._polls > 0)

    async def asked_again(self, update: Mapping[str, Any], times: int) -> bool:
        """Whether it was given out more than so many times before it was confirmed; returns when that is clear."""
        async with self._news:
            await self._news.wait_for(lambda: self._is_confirmed(update) or self.handed[update["update_id"]] > times)
            return not self._is_confirmed(update)

    async def confirmed(self, update: Mapping[str, Any]) -> None:
        """Returns when an update was confirmed by a later `offset`."""
        async with self._news:
            await self._news.wait_for(lambda: self._is_confirmed(update))

    def _is_confirmed(self, update: Mapping[str, Any]) -> bool:
        return all(one["update_id"] != update["update_id"] for one in self.pending)

    # What the bot asks.

    async def _getme(self, _: Call) -> dict[str, Any]:
        return {
            "id": BOT,
            "is_bot": True,
            "first_name": "Help",
            "username": "help_bot",
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
        }

    async def _setwebhook(self, call: Call) -> bool:
        if not str(call.arguments.get("url", "")).startswith(("https://", "http://127.0.0.1:")):
            raise RefusedCallError("Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        async with self._news:
            self.hook = dict(call.arguments)
            self._news.notify_all()
        return True

    async def _deletewebhook(self, _: Call) -> bool:
        self.hook = None
        return True

    async def _getwebhookinfo(self, _: Call) -> dict[str, Any]:
        hook = self.hook or {}
        return {
            "url": hook.get("url", ""),
            "has_custom_certificate": False,
            "pending_update_count": len(self.pending),
            "allowed_updates": as_json(hook.get("allowed_updates", "[]")),
        }

    async def _getupdates(self, call: Call) -> list[dict[str, Any]]:
        if self.hook is not None:
            raise RefusedCallError("Conflict: can't use getUpdates method while webhook is active", 409)
        self._polls += 1
        mine = self._polls
        offset = int(call.arguments.get("offset", 0))
        async with self._news:
            known = next((at for at, one in enumerate(self.pending) if one["update_id"] == offset - 1), None)
            if known is not None:
                del self.pending[: known + 1]
            self._news.notify_all()
            try:
                async with asyncio.timeout(float(call.arguments.get("timeout", 0))):
                    await self._news.wait_for(lambda: bool(self.pending) or self._polls != mine)
            except TimeoutError:
                return []
            if self._polls != mine:
                words = "terminated by other getUpdates request; make sure that only one bot instance is running"
                raise RefusedCallError(f"Conflict: {words}", 409)
            self.handed.update(one["update_id"] for one in self.pending[:100])
            self._news.notify_all()
            return self.pending[:100]

    async def _answercallbackquery(self, _: Call) -> bool:
        return True


def _refusal(words: str, status: int, parameters: Mapping[str, int]) -> web.Response:
    told = {"ok": False, "error_code": status, "description": words}
    return web.json_response({**told, "parameters": parameters} if parameters else told, status=status)
