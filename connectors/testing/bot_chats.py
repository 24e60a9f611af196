"""Telegram's chats as a bot sees them: what stands in them, and what a bot writes, changes and asks there."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from connectors.testing.bot_markup import plain
from connectors.testing.server import Call, PlatformServer, RefusedCallError, as_json

BOT = 7_000_000_001
CUSTOMER = 4_200_000_042

_TEXT_UNITS, _CAPTION_UNITS = 4096, 1024
_DOWNLOAD_BYTES = 20 * 1024 * 1024
_DELETED_WITHIN = 48 * 60 * 60  # seconds
_MEDIA = ("photo", "video", "animation", "audio", "document", "voice", "sticker")
_PLACED = (
    "message_thread_id",
    "direct_messages_topic_id",
    "reply_parameters",
    "reply_markup",
    "business_connection_id",
)
_PHOTO = ("small_file_id", "small_file_unique_id", "big_file_id", "big_file_unique_id")
_NO_GIFTS = dict.fromkeys(
    ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"), False
)


class MovedChatError(RefusedCallError):
    """A group is a supergroup now, which is another chat."""

    def __init__(self, to: int) -> None:
        """`to` is that chat's number."""
        super().__init__("Bad Request: group chat was upgraded to a supergroup chat")
        self.to = to


class BotChats(PlatformServer):
    """Chats with their messages, and files.

    Attributes:
        chats: each chat's messages, by their number.
        files: the bytes of each file, by `file_id`.
        blocked: chats that the bot cannot write to any more.
        moved: the supergroups that groups have become.
        refusing: kinds of files that it does not take (`photo`), and its words for that.
    """

    def __init__(self) -> None:
        """A bot that nobody has written to."""
        super().__init__()
        self.chats: dict[int, dict[int, dict[str, Any]]] = {}
        self.files: dict[str, bytes] = {}
        self.blocked: set[int] = set()
        self.moved: dict[int, int] = {}
        self.refusing: dict[str, str] = {}
        self._message_id = 1000

    async def perform(self, call: Call) -> Any:  # noqa: ANN401 (a JSON value)
        """Every method that a bot of an inbox needs; others do not exist."""
        method = getattr(self, f"_{call.method.lower()}", None)
        if method is not None:
            return await method(call)
        if call.method.startswith("send"):
            return self._sent(call)
        raise RefusedCallError("Not Found", 404)

    async def _getfile(self, call: Call) -> dict[str, Any]:
        file_id = str(call.arguments["file_id"])
        if file_id not in self.files:
            raise RefusedCallError("Bad Request: wrong file_id or the file is temporarily unavailable")
        if len(self.files[file_id]) > _DOWNLOAD_BYTES:
            raise RefusedCallError("Bad Request: file is too big")
        size = len(self.files[file_id])
        return {
            "file_id": file_id,
            "file_unique_id": f"unique-{file_id}",
            "file_size": size,
            "file_path": f"documents/{file_id}",
        }

    async def _getchat(self, call: Call) -> dict[str, Any]:
        chat = int(call.arguments["chat_id"])
        if chat not in self.chats:
            raise RefusedCallError("Bad Request: chat not found")
        told = next(iter(self.chats[chat].values()))["chat"]
        if "avatar" in self.files:
            told = {**told, "photo": dict.fromkeys(_PHOTO, "avatar")}
        return {**told, "accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": _NO_GIFTS}

    async def _sendchataction(self, call: Call) -> bool:
        self._chat(call)
        return True

    async def _sendmediagroup(self, call: Call) -> list[dict[str, Any]]:
        media = as_json(call.arguments["media"])
        if not 2 <= len(media) <= 10:
            raise RefusedCallError("Bad Request: media group must have 2 to 10 items")
        group = str(self._message_id)
        sent = []
        for one in media:
            content = call.files[one["media"].removeprefix("attach://")]
            fields = {one["type"]: content, "media_group_id": group, "caption": one.get("caption", "")}
            sent.append(self._kept(call, self._checked(one, "caption"), fields))
        return sent

    async def _editmessagetext(self, call: Call) -> dict[str, Any]:
        message = self._own(call)
        text = self._checked(call.arguments, "text")
        if text == message.get("text"):
            raise RefusedCallError("Bad Request: message is not modified")
        message.update(text=text, edit_date=int(time.time()))
        return _shown(message)

    async def _editmessagecaption(self, call: Call) -> dict[str, Any]:
        message = self._own(call)
        message.update(caption=self._checked(call.arguments, "caption"), edit_date=int(time.time()))
        return _shown(message)

    async def _deletemessages(self, call: Call) -> bool:
        chat = self.chats[self._chat(call)]
        numbers = [int(number) for number in as_json(call.arguments["message_ids"])]
        if any(number in chat and chat[number]["date"] < time.time() - _DELETED_WITHIN for number in numbers):
            raise RefusedCallError("Bad Request: message can't be deleted for everyone")
        for number in numbers:
            chat.pop(number, None)
        return True

    async def _setmessagereaction(self, call: Call) -> bool:
        chat = self.chats[self._chat(call)]
        if int(call.arguments["message_id"]) not in chat:
            raise RefusedCallError("Bad Request: message to react not found")
        chat[int(call.arguments["message_id"])]["reaction"] = as_json(call.arguments.get("reaction", "[]"))
        return True

    def _sent(self, call: Call) -> dict[str, Any]:
        kind = call.method.removeprefix("send").lower()
        if kind == "message":
            text = self._checked(call.arguments, "text")
            if not text.strip():
                raise RefusedCallError("Bad Request: message text is empty")
            return self._kept(call, text, {})
        if kind not in _MEDIA:
            raise RefusedCallError("Not Found", 404)
        named = str(call.arguments.get(kind, "")).removeprefix("attach://")
        content = call.files.get(named) or call.files.get(kind)
        if content is None:
            raise RefusedCallError(f"Bad Request: there is no {kind} in the request")
        return self._kept(call, self._checked(call.arguments, "caption"), {kind: content})

    def _kept(self, call: Call, text: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        chat = self._chat(call)
        for kind in fields.keys() & self.refusing.keys():
            raise RefusedCallError(f"Bad Request: {self.refusing[kind]}")
        self._message_id += 1
        message = {
            "message_id": self._message_id,
            "from": {"id": BOT, "is_bot": True, "first_name": "Help", "username": "help_bot"},
            "chat": {"id": chat, "type": "private" if chat > 0 else "supergroup", "title": "Machines"},
            "date": int(time.time()),
            **({"caption": text} if fields else {"text": text}),
            **fields,
        }
        for name in _PLACED:
            if name in call.arguments:
                message[name] = as_json(call.arguments[name]) if name.startswith("reply") else call.arguments[name]
        self.chats.setdefault(chat, {})[message["message_id"]] = message
        return _shown(message)

    def _chat(self, call: Call) -> int:
        chat = int(call.arguments["chat_id"])
        if chat in self.blocked:
            raise RefusedCallError("Forbidden: bot was blocked by the user", 403)
        if chat in self.moved:
            raise MovedChatError(self.moved[chat])
        if chat not in self.chats:
            raise RefusedCallError("Bad Request: chat not found")
        return chat

    def _own(self, call: Call) -> dict[str, Any]:
        message = self.chats.get(self._chat(call), {}).get(int(call.arguments["message_id"]))
        if message is None or message["from"]["id"] != BOT:
            raise RefusedCallError("Bad Request: message to edit not found")
        return message

    def _checked(self, arguments: Mapping[str, Any], name: str) -> str:
        """The text without its markup, if Telegram would take it."""
        text = str(arguments.get(name) or "")
        if arguments.get("parse_mode") == "HTML":
            text = plain(text)
        limit = _TEXT_UNITS if name == "text" else _CAPTION_UNITS
        if len(text.encode("utf-16-le")) // 2 > limit:
            raise RefusedCallError(f"Bad Request: message {'' if name == 'text' else 'caption '}is too long")
        return text

    def written(self, chat: int = CUSTOMER) -> list[dict[str, Any]]:
        """What the bot wrote in a chat, oldest first."""
        return [one for one in self.chats.get(chat, {}).values() if one["from"]["id"] == BOT]


def _shown(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message as it is told; of a file, that there is one."""
    shown = {name: value for name, value in message.items() if name not in _MEDIA and name != "reply_parameters"}
    shown.pop("reply_markup", None)
    return shown
