"""The screen of text with which a first start ends: what to open, how to sign in, and how to send the first message."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from config import Config
from inbox.clock import utc_now
from inbox.model import new_id
from inbox.passwords import Passwords, generated
from inbox.staff import Agent
from inbox.store import Store
from inbox.store.staff import EmailTakenError

TOKEN_FILE = "first-token"  # noqa: S105 (its name, not itself)
PASSWORD_FILE = "first-password"  # noqa: S105 (its name, not itself)
EMAIL = "admin@example.com"


async def first_token(store: Store, data_dir: Path) -> str:
    """The admin token of the built-in set-up: made once, kept in a file that only its owner can read."""
    path = data_dir / TOKEN_FILE
    if path.exists():
        token = path.read_text("ascii").strip()
        if await store.staff.token(token, datetime.now(UTC)) is not None:
            return token
    token = await store.staff.new_token("first", "admin", datetime.now(UTC))
    _keep(path, token)
    return token


async def first_password(store: Store, data_dir: Path) -> str | None:
    """The password of the built-in set-up's admin, who is made once; kept in a file that only its owner can read.

    Returns:
        None where they have another one by now, or may not come in any more: that is nothing to undo at a start.
    """
    path = data_dir / PASSWORD_FILE
    passwords = Passwords()
    if await store.staff.agent_called(EMAIL) is None:
        password = generated()
        _keep(path, password)  # first: an agent whose password nobody has would be of no use
        made = Agent(id=new_id(), email=EMAIL, name="Admin", role="admin", created_at=utc_now())
        try:
            await store.staff.add_agent(made, await passwords.hash(password))
        except EmailTakenError:  # an earlier start was cut off between the address and the agent
            return None
        return password
    login = await store.staff.login(EMAIL)
    password = path.read_text("ascii").strip() if path.exists() else ""
    return password if login is not None and await passwords.fits(password, login[1]) else None


def _keep(path: Path, secret: str) -> None:
    path.touch(mode=0o600)
    path.write_text(secret + "\n", "ascii")


def screen(config: Config, token: str, password: str | None) -> str:
    """What to open, read and paste when Santral runs without a configuration of its own."""
    url = config.server.url
    mail = next(channel for channel in config.channels if channel.connector == "email")
    chat = next(channel for channel in config.channels if channel.connector == "webchat")
    smtp = mail.options["receive"]["smtp"]
    address = mail.options["address"]
    said = password or f"(the one given since; `santral agent password {EMAIL}` makes a new one)"
    return f"""
Santral runs. Open {url} and sign in:
  email     {EMAIL}
  password  {said}

Send a first mail; it appears on the page at once:
  printf 'From: Ada <ada@example.com>\\r\\nTo: {address}\\r\\nSubject: Hello\\r\\n\\r\\nIs anybody there?\\r\\n' |
    curl -sS smtp://{smtp["host"]}:{smtp["port"]} --mail-from ada@example.com --mail-rcpt {address} -T -
Answer it there. `make run` puts mail that leaves into santral-data/outgoing/new.

Open a first chat, as a visitor: {url}/chat/{chat.id}/demo

By the API, which {url}/api/docs shows: list what came, and answer the newest:
  export TOKEN={token}
  curl -sS -H "Authorization: Bearer $TOKEN" {url}/api/v1/conversations
  ID=$(curl -sS -H "Authorization: Bearer $TOKEN" '{url}/api/v1/conversations?limit=1' | cut -d'"' -f6)
  curl -sS -H "Authorization: Bearer $TOKEN" -d '{{"text": "Yes."}}' {url}/api/v1/conversations/$ID/messages

Everything is kept in {config.storage.data_dir}. Ctrl-C ends it.
What next: README.md, and a santral.yaml of your own (docs/configuration.md).
"""
