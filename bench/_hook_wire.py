"""Clients that post to the hooks of Telegram and Slack, with updates and events of their real size."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import ClassVar

from bench._wire import TEXT, Connection, HttpChat

TELEGRAM_SECRET = "bench-hook-secret"
SLACK_SECRET = "bench0signing0secret00000000000000"


def place(name: str) -> tuple[int, int]:
    """The chat and the number of the message called `rLOAD-CONNECTION-N`."""
    load, connection, number = name.removeprefix("r").split("-")
    return int(load) * 10_000 + int(connection) + 1, int(number) + 1


def telegram_update(name: str) -> bytes:
    """A message of a person, as Telegram sends it: 600 bytes."""
    chat, number = place(name)
    person = {"id": chat, "first_name": "Ada", "last_name": f"Customer {chat}", "username": f"customer_{chat}"}
    message = {
        "message_id": number,
        "from": {**person, "is_bot": False, "language_code": "tr", "is_premium": True},
        "chat": {**person, "type": "private"},
        "date": 1_795_428_000 + number,
        "text": f"{name}: {TEXT}",
        "entities": [{"offset": 0, "length": 6, "type": "bold"}],
    }
    return json.dumps({"update_id": chat * 1_000_000 + number, "message": message}).encode()


def slack_event(name: str) -> bytes:
    """A direct message, as Slack sends it: 1,300 bytes."""
    chat, number = place(name)
    text, ts = f"{name}: {TEXT}", f"{1_795_428_000 + number}.{chat:06d}"
    elements = [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}]
    event = {
        "user": f"U{chat:010d}",
        "type": "message",
        "ts": ts,
        "client_msg_id": f"7f4e0c1a-8a51-4d5e-9d3e-{chat:06d}{number:06d}",
        "text": text,
        "team": "T0BENCH000",
        "blocks": [{"type": "rich_text", "block_id": "m9VZ", "elements": elements}],
        "channel": f"D{chat:010d}",
        "event_ts": ts,
        "channel_type": "im",
    }
    authorization = {"enterprise_id": None, "team_id": "T0BENCH000", "user_id": "U0BOT", "is_bot": True}
    told = {
        "token": "Jhj5dZrVaK7ZwHHjRyZWjbDl",
        "team_id": "T0BENCH000",
        "context_team_id": "T0BENCH000",
        "context_enterprise_id": None,
        "api_app_id": "A0BENCH000",
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev{chat:06d}{number:06d}",
        "event_time": 1_795_428_000 + number,
        "authorizations": [{**authorization, "is_enterprise_install": False}],
        "is_ext_shared_channel": False,
        "event_context": "4-eyJldCI6Im1lc3NhZ2UiLCJ0aWQiOiJUMEJFTkNIMDAwIiwiYWlkIjoiQTBCRU5DSDAwMCIsImNpZCI6IkQwIn0",
    }
    return json.dumps(told).encode()


class TelegramHook(HttpChat):
    """Telegram, one update after another on each connection."""

    path: ClassVar[bytes] = b"/hooks/tg"

    def _send(self, message: str) -> None:
        body = telegram_update(message)
        self._write(
            b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"X-Telegram-Bot-Api-Secret-Token: %s\r\nContent-Length: %d\r\n\r\n%s"
            % (self.path, TELEGRAM_SECRET.encode(), len(body), body)
        )


class BareTelegram(TelegramHook):
    """The same, to the bare server."""

    path = b"/telegram"


class SlackHook(HttpChat):
    """Slack, one event after another on each connection."""

    path: ClassVar[bytes] = b"/hooks/slack"

    def _send(self, message: str) -> None:
        body, stamp = slack_event(message), str(int(time.time())).encode()
        signature = hmac.new(SLACK_SECRET.encode(), b"v0:%s:%s" % (stamp, body), hashlib.sha256).hexdigest()
        self._write(
            b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"X-Slack-Request-Timestamp: %s\r\nX-Slack-Signature: v0=%s\r\nContent-Length: %d\r\n\r\n%s"
            % (self.path, stamp, signature.encode(), len(body), body)
        )


class BareSlack(SlackHook):
    """The same, to the bare server."""

    path = b"/slack"


KINDS: dict[str, type[Connection]] = {
    "telegram": TelegramHook,
    "bare-telegram": BareTelegram,
    "slack": SlackHook,
    "bare-slack": BareSlack,
}
