"""What proves Telegram: a Bot API of its own, asked or calling."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar

from connectors.telegram.arrival import arrival
from connectors.telegram.connector import TelegramConnector
from connectors.testing import Door, Mistake, Platform, Proof, Sent, Told, Trouble
from connectors.testing.bot_api import BOT, CUSTOMER, TOKEN, BotApiServer
from connectors.testing.server import TROUBLES, serving
from normalizer.outcomes import Person, Raw

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
HOOK_WORD = "hook-secret_0123456789"
ADA = {"id": CUSTOMER, "is_bot": False, "first_name": "Ada", "last_name": "Byron", "username": "ada"}
CHAT = {"id": CUSTOMER, "type": "private", "first_name": "Ada", "last_name": "Byron", "username": "ada"}
GROUP = {"id": -1001234567890, "type": "supergroup", "title": "Machines", "is_forum": True}
SAID: dict[str, Any] = {"message_id": 7, "from": ADA, "chat": CHAT, "date": 1_795_428_000}
DOCUMENT = {"file_id": "file-1", "file_unique_id": "unique-1", "file_name": "bill.pdf", "mime_type": "application/pdf"}


def _raw(number: int, **update: object) -> Raw:
    return arrival(json.dumps({"update_id": number, **update}).encode(), AT, BOT).raw


class Telegram(Platform):
    """A person who writes to the bot."""

    def __init__(self, server: BotApiServer) -> None:
        """`server` is served."""
        self.server = server
        self.options = {"token": TOKEN, "api_url": server.url}
        self._messages: dict[str, dict[str, Any]] = {}
        self._updates: dict[str, dict[str, Any]] = {}
        server.message("/start")

    def _message(self, id_: str, text: str) -> dict[str, Any]:
        if id_ not in self._messages:
            self._messages[id_] = self.server.message(text)
        return self._messages[id_]

    async def say(self, door: Door, id_: str, text: str) -> Told:  # noqa: ARG002 (Telegram knows the way)
        """Writes to the bot; the same id is the same update."""
        if id_ not in self._updates:
            self._updates[id_] = self.server.update("message", {**self._message(id_, text), "text": text})
        return await self._told(self._updates[id_])

    async def edit(self, door: Door, id_: str, text: str) -> Told:  # noqa: ARG002 (likewise)
        """Changes what was written."""
        edited = {**self._message(id_, text), "text": text, "edit_date": SAID["date"]}
        return await self._told(self.server.update("edited_message", edited))

    async def attach(self, door: Door, id_: str, content: bytes) -> Told:  # noqa: ARG002 (likewise)
        """Sends a document."""
        document = self.server.file(content, file_name="file.txt", mime_type="text/plain")
        return await self._told(self.server.update("message", self.server.message(document=document)))

    async def _told(self, update: Mapping[str, Any]) -> Told:
        if self.options.get("mode") == "hook":
            await self.server.hooked()
        before = self.server.handed[update["update_id"]]
        answers = await self.server.push(update)
        if not answers:
            return "again" if await self.server.asked_again(update, before + 1) else "ok"
        return "ok" if answers[0] == 200 else "again" if answers[0] >= 500 else "no"

    def sent(self) -> Sequence[Sent]:
        """What the bot wrote; an album is one piece."""
        pieces: dict[object, list[Mapping[str, Any]]] = {}
        for message in self.server.written():
            pieces.setdefault(message.get("media_group_id", message["message_id"]), []).append(message)
        return [
            Sent(
                text="".join(one.get("text") or one.get("caption") or "" for one in messages),
                files=tuple(content for one in messages for content in one.values() if isinstance(content, bytes)),
            )
            for messages in pieces.values()
        ]

    def fail(self, how: Trouble | None) -> None:
        """Telegram fails every call."""
        self.server.fail(TROUBLES[how] if how else None)

    async def holding(self) -> None:
        """Returns when a call hangs."""
        await self.server.holding()


class TelegramProof(Proof):
    """Telegram, asked for updates."""

    connector = TelegramConnector
    options: ClassVar[Mapping[str, Any]] = {"token": TOKEN, "secret_token": [HOOK_WORD, "hook-secret_old"]}
    mistakes = (
        Mistake({"token": "Kn4pp"}, "token"),
        Mistake({"secret_token": "no spaces, please"}, "secret_token"),
        Mistake({"api_url": "api.telegram.org"}, "api_url"),
        Mistake({"groups": "all"}, "groups"),
    )
    events = (
        _raw(1, message={**SAID, "text": "Do you deliver to Izmir?"}),
        _raw(2, edited_message={**SAID, "text": "Do you deliver to İzmir?", "edit_date": SAID["date"] + 5}),
        _raw(3, message={**SAID, "message_id": 8, "caption": "My bill", "document": DOCUMENT}),
        _raw(4, message={**SAID, "message_id": 9, "location": {"latitude": 38.42, "longitude": 27.13}}),
        _raw(5, message={**SAID, "message_id": 10, "chat": GROUP, "message_thread_id": 3, "is_topic_message": True}),
        _raw(6, message={**SAID, "message_id": 11, "chat": GROUP, "new_chat_members": [ADA]}),
        _raw(
            7,
            message_reaction={
                "chat": CHAT,
                "message_id": 7,
                "user": ADA,
                "date": SAID["date"],
                "old_reaction": [],
                "new_reaction": [{"type": "emoji", "emoji": "👍"}],
            },
        ),
        _raw(8, callback_query={"id": "1", "from": ADA, "message": {**SAID, "message_id": 12}, "data": "yes"}),
        _raw(9, my_chat_member={"chat": CHAT, "date": SAID["date"], "new_chat_member": {"status": "kicked"}}),
        _raw(10, inline_query={"id": "1", "from": ADA, "query": "", "offset": ""}),
        _raw(11, deleted_business_messages={"business_connection_id": "b", "chat": CHAT, "message_ids": [7]}),
        _raw(12, something_new={"chat": CHAT, "from": ADA}),
    )
    person = Person(kind="telegram", value=str(CUSTOMER))

    @asynccontextmanager
    async def platform(self) -> AsyncIterator[Telegram]:
        """A Bot API of its own for each check."""
        async with serving(BotApiServer()) as server:
            yield Telegram(server)


class TelegramHookProof(TelegramProof):
    """Telegram, calling the hook."""

    @asynccontextmanager
    async def platform(self) -> AsyncIterator[Telegram]:
        """As above."""
        async with serving(BotApiServer()) as server:
            telegram = Telegram(server)
            telegram.options = {**telegram.options, "mode": "hook"}
            yield telegram
