"""What a Slack workspace holds, and the Web API that an app asks of it (https://docs.slack.dev/reference/methods)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from connectors.testing.server import Call, PlatformServer, RefusedCallError, as_json

TEAM, APP, BOT_USER, BOT_ID = "T0HOME", "A0SANTRAL", "U0BOT", "B0BOT"
ADA, DIRECT, GENERAL = "U0ADA", "D0ADA", "C0GENERAL"

_TEXT_LIMIT, _UPDATE_BYTES, _BLOCKS = 40_000, 4_000, 50


class SlackWorkspace(PlatformServer):
    """Channels with their messages, users, files; one app in it writes, changes and asks.

    Attributes:
        channels: what `conversations.info` tells of each.
        messages: each channel's messages, by their time.
        users: what `users.info` tells of each.
        files: the bytes of each file.
    """

    def __init__(self) -> None:
        """A workspace of one user, with a direct message and a channel."""
        super().__init__()
        self.channels: dict[str, dict[str, Any]] = {
            DIRECT: {"id": DIRECT, "is_im": True, "user": ADA},
            GENERAL: {"id": GENERAL, "name": "general", "is_channel": True},
        }
        self.messages: dict[str, dict[str, dict[str, Any]]] = {DIRECT: {}, GENERAL: {}}
        self.users: dict[str, dict[str, Any]] = {
            ADA: self.user(ADA, "Ada Byron", email="ada@example.com"),
            BOT_USER: self.user(BOT_USER, "Santral", is_bot=True),
        }
        self.files: dict[str, bytes] = {}
        self._uploads: dict[str, str] = {}
        self._count = 0

    @staticmethod
    def user(id_: str, name: str, *, email: str = "", team: str = TEAM, is_bot: bool = False) -> dict[str, Any]:
        """A user as Slack tells of one."""
        profile = {"real_name": name, "display_name": name.partition(" ")[0].lower(), "email": email}
        return {
            "id": id_,
            "team_id": team,
            "name": id_.lower(),
            "real_name": name,
            "is_bot": is_bot,
            "profile": profile,
        }

    async def perform(self, call: Call) -> Any:  # noqa: ANN401 (a JSON value)
        """Every method that an inbox needs; others do not exist."""
        method = getattr(self, f"_{call.method.replace('.', '_').lower()}", None)
        if method is None:
            raise RefusedCallError("unknown_method")
        return await method(call.arguments)

    async def _auth_test(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "team": "Home",
            "team_id": TEAM,
            "user": "santral",
            "user_id": BOT_USER,
            "bot_id": BOT_ID,
            "url": self.url,
        }

    async def _apps_connections_open(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {"url": f"{self.url.replace('http', 'ws', 1)}/socket"}

    async def _users_info(self, given: Mapping[str, Any]) -> dict[str, Any]:
        user = self.users.get(str(given.get("user")))
        if user is None:
            raise RefusedCallError("user_not_found")
        return {"user": user}

    async def _conversations_info(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return {"channel": self.channels[self._channel(given)]}

    async def _users_conversations(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {"channels": list(self.channels.values())}

    async def _conversations_open(self, given: Mapping[str, Any]) -> dict[str, Any]:
        user = str(given.get("users"))
        for channel in self.channels.values():
            if channel.get("is_im") and channel.get("user") == user:
                return {"channel": {"id": channel["id"]}}
        raise RefusedCallError("user_not_found")

    async def _conversations_history(self, given: Mapping[str, Any]) -> dict[str, Any]:
        oldest = float(given.get("oldest") or 0)
        roots = [
            one for one in self.messages[self._channel(given)].values() if one.get("thread_ts") in (None, one["ts"])
        ]
        return self._page([one for one in reversed(roots) if float(one["ts"]) >= oldest], given)

    async def _conversations_replies(self, given: Mapping[str, Any]) -> dict[str, Any]:
        oldest, root = float(given.get("oldest") or 0), str(given.get("ts"))
        all_ = self.messages[self._channel(given)].values()
        answers = [one for one in all_ if one.get("thread_ts") == root and float(one["ts"]) >= oldest]
        return self._page([*(one for one in all_ if one["ts"] == root), *answers], given)

    def _page(self, found: list[dict[str, Any]], given: Mapping[str, Any]) -> dict[str, Any]:
        at, limit = int(given.get("cursor") or 0), int(given.get("limit") or 100)
        more = str(at + limit) if len(found) > at + limit else ""
        return {"messages": found[at : at + limit], "response_metadata": {"next_cursor": more}}

    async def _chat_postmessage(self, given: Mapping[str, Any]) -> dict[str, Any]:
        channel, text = self._channel(given), str(given.get("text") or "")
        blocks = as_json(given.get("blocks") or [])
        if len(text) > _TEXT_LIMIT:
            raise RefusedCallError("msg_too_long")
        if len(blocks) > _BLOCKS or not (text or blocks):
            raise RefusedCallError("invalid_blocks" if blocks else "no_text")
        ts = self._ts()
        more = {name: given[name] for name in ("thread_ts", "username") if given.get(name)}
        # Under another name it is a bot's message, of no user.
        by = {"subtype": "bot_message"} if "username" in more else {"user": BOT_USER}
        own = {"bot_id": BOT_ID, "app_id": APP, **by}
        message = {"type": "message", "text": text, "ts": ts, **own, **more, **({"blocks": blocks} if blocks else {})}
        self.messages.setdefault(channel, {})[ts] = message
        return {"channel": channel, "ts": ts, "message": message}

    async def _chat_postephemeral(self, given: Mapping[str, Any]) -> dict[str, Any]:
        self._channel(given)
        return {"message_ts": self._ts()}

    async def _chat_update(self, given: Mapping[str, Any]) -> dict[str, Any]:
        message = self._own(given)
        if len(str(given.get("text") or "").encode()) > _UPDATE_BYTES:
            raise RefusedCallError("msg_too_long")
        message.update(text=given.get("text") or "", blocks=as_json(given.get("blocks") or []))
        return {"channel": given.get("channel"), "ts": message["ts"]}

    async def _chat_delete(self, given: Mapping[str, Any]) -> dict[str, Any]:
        del self.messages[self._channel(given)][self._own(given)["ts"]]
        return {}

    async def _files_delete(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if self.files.pop(str(given.get("file")), None) is None:
            raise RefusedCallError("file_not_found")
        for messages in self.messages.values():
            for ts, one in list(messages.items()):
                if [file["id"] for file in one.get("files", ())] == [given["file"]]:
                    del messages[ts]
        return {}

    async def _reactions_add(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if given.get("name") in self._reactions(given):
            raise RefusedCallError("already_reacted")
        self._reactions(given).append(str(given.get("name")))
        return {}

    async def _reactions_remove(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if given.get("name") not in self._reactions(given):
            raise RefusedCallError("no_reaction")
        self._reactions(given).remove(str(given.get("name")))
        return {}

    def _reactions(self, given: Mapping[str, Any]) -> list[str]:
        message = self.messages[self._channel(given)].get(str(given.get("timestamp")))
        if message is None:
            raise RefusedCallError("message_not_found")
        found: list[str] = message.setdefault("our_reactions", [])
        return found

    def _own(self, given: Mapping[str, Any]) -> dict[str, Any]:
        message = self.messages[self._channel(given)].get(str(given.get("ts")))
        if message is None or message.get("app_id") != APP:
            raise RefusedCallError("message_not_found" if message is None else "cant_update_message")
        return message

    async def _files_info(self, given: Mapping[str, Any]) -> dict[str, Any]:
        id_ = str(given.get("file"))
        if id_ not in self.files:
            raise RefusedCallError("file_not_found")
        return {"file": {"id": id_, "url_private_download": f"{self.url}/files/{id_}"}}

    async def _files_getuploadurlexternal(self, given: Mapping[str, Any]) -> dict[str, Any]:
        self._count += 1
        id_ = f"FUP{self._count:05}"
        self._uploads[id_] = str(given.get("filename"))
        return {"upload_url": f"{self.url}/upload/{id_}", "file_id": id_}

    async def _files_completeuploadexternal(self, given: Mapping[str, Any]) -> dict[str, Any]:
        channel, files = str(given.get("channel_id")), as_json(given.get("files"))
        if channel not in self.channels:
            raise RefusedCallError("channel_not_found")
        if any(one["id"] not in self.files for one in files):
            raise RefusedCallError("file_not_found")
        ts = self._ts()
        shared = [{"id": one["id"], "name": self._uploads[one["id"]]} for one in files]
        more = {"thread_ts": given["thread_ts"]} if given.get("thread_ts") else {}
        own = {"bot_id": BOT_ID, "app_id": APP, "user": BOT_USER}
        self.messages[channel][ts] = {"type": "message", "text": "", "ts": ts, **own, "files": shared, **more}
        return {"files": [{"id": one["id"], "title": one.get("title")} for one in files]}

    def _channel(self, given: Mapping[str, Any]) -> str:
        channel = str(given.get("channel"))
        if channel not in self.channels:
            raise RefusedCallError("channel_not_found")
        return channel

    def _ts(self) -> str:
        self._count += 1
        return f"{int(time.time())}.{self._count:06}"

    def written(self, channel: str = DIRECT) -> list[dict[str, Any]]:
        """What the app wrote in a channel, oldest first."""
        return [one for one in self.messages.get(channel, {}).values() if one.get("app_id") == APP]
