"""The screen of text with which a first start ends: what to open, and how to send the first message."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from config import Config
from inbox.store import Store

TOKEN_FILE = "first-token"  # noqa: S105 (its name, not itself)


async def first_token(store: Store, data_dir: Path) -> str:
    """The admin token of the built-in set-up: made once, kept in a file that only its owner can read."""
    path = data_dir / TOKEN_FILE
    if path.exists():
        token = path.read_text("ascii").strip()
        if await store.staff.token(token, datetime.now(UTC)) is not None:
            return token
    token = await store.staff.new_token("first", "admin", datetime.now(UTC))
    path.touch(mode=0o600)
    path.write_text(token + "\n", "ascii")
    return token


def screen(config: Config, token: str) -> str:
    """What to read and paste when Santral runs without a configuration of its own."""
    url = config.server.url
    mail = next(channel for channel in config.channels if channel.connector == "email")
    chat = next(channel for channel in config.channels if channel.connector == "webchat")
    smtp = mail.options["receive"]["smtp"]
    address = mail.options["address"]
    return f"""
Santral runs. The inbox is at {url}/api/v1 (its page comes later).
Everything is kept in {config.storage.data_dir}.

A token for the API, for the commands below:
  export TOKEN={token}

Send a first mail:
  printf 'From: Ada <ada@example.com>\\r\\nTo: {address}\\r\\nSubject: Hello\\r\\n\\r\\nIs anybody there?\\r\\n' |
    curl -sS smtp://{smtp["host"]}:{smtp["port"]} --mail-from ada@example.com --mail-rcpt {address} -T -

List what came:
  curl -sS -H "Authorization: Bearer $TOKEN" {url}/api/v1/conversations

Answer the newest. It leaves by the channel it came from; `make run` puts mail into santral-data/outgoing/new:
  ID=$(curl -sS -H "Authorization: Bearer $TOKEN" '{url}/api/v1/conversations?limit=1' |
    sed 's/.*"items":\\[{{"id":"\\([^"]*\\)".*/\\1/')
  curl -sS -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \\
    -d '{{"text": "Yes, we are here."}}' {url}/api/v1/conversations/$ID/messages

Open a first chat: {url}/chat/{chat.id}/demo

Ctrl-C ends it. What next: README.md, and a santral.yaml of your own (docs/configuration.md).
"""
