"""A whole Santral in this process, with channels of real connectors whose platforms are stand-ins."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import aiohttp
from harness import Desk, eventually, free_port

from config import Config
from connectors.registry import Registry
from inbox.app import serving
from inbox.roster import PARTS


class Switchboard(Desk):
    """An admin's desk of a Santral that runs here."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        super().__init__(http)
        self.url = url

    async def stored(self) -> list[dict[str, Any]]:
        """All messages, in the order in which they were stored."""
        found = [message for messages in (await self.everything()).values() for message in messages]
        # What one transaction stored has one time; ids grow as messages come.
        return sorted(found, key=lambda message: (message["created_at"], message["id"]))

    async def thread(self, key: str) -> list[dict[str, Any]]:
        """The messages of a platform's thread."""
        return [message for message in await self.stored() if message["external"]["thread_key"] == key]

    async def until(self, key: str, true: Callable[[list[dict[str, Any]]], Any]) -> list[dict[str, Any]]:
        """The messages of a thread, as soon as this is true of them."""

        async def probe() -> list[dict[str, Any]] | None:
            messages = await self.thread(key)
            return messages if messages and true(messages) else None

        found = await eventually(probe)
        assert found is not None
        return found

    async def reply(self, message: Mapping[str, Any], text: str, *, status: int = 201, **fields: Any) -> dict[str, Any]:
        """An agent answers in the conversation of a message."""
        path = f"/api/v1/conversations/{message['conversation_id']}/messages"
        answer: dict[str, Any] = await self.post(path, {"text": text, **fields}, status=status)
        return answer

    async def call(self, method: str, path: str, body: Any = None, *, status: int = 200) -> dict[str, Any]:
        """What a call answers, be it a problem."""
        async with self.http.request(method, path, json=body) as answer:
            assert answer.status == status, await answer.text()
            found: dict[str, Any] = await answer.json(content_type=None)
            return found

    async def fate(self, reply: Mapping[str, Any], *states: str) -> dict[str, Any]:
        """A reply, as soon as its delivery is in one of these states."""

        async def probe() -> dict[str, Any] | None:
            path = f"/api/v1/conversations/{reply['conversation_id']}/messages"
            page = await self.get(path, after_seq=reply["seq"] - 1, limit=1)
            found: dict[str, Any] = page["items"][0]
            return found if found["delivery"]["state"] in states else None

        found = await eventually(probe)
        assert found is not None
        return found

    async def upload(self, content: bytes, filename: str, content_type: str) -> str:
        """Uploads a file; returns its id."""
        form = aiohttp.FormData()
        form.add_field("file", content, filename=filename, content_type=content_type)
        async with self.http.post("/api/v1/attachments", data=form) as answer:
            assert answer.status == 201, await answer.text()
            return str((await answer.json())["id"])

    async def download(self, attachment: Mapping[str, Any]) -> bytes:
        async with self.http.get(f"/api/v1/attachments/{attachment['id']}") as answer:
            assert answer.status == 200, await answer.text()
            return await answer.read()

    async def channel(self, id_: str, *states: str) -> dict[str, Any]:
        """How a channel fares, as soon as it is in one of these states."""

        async def probe() -> dict[str, Any] | None:
            channels = (await self.get("/api/v1/channels"))["items"]
            return next((one for one in channels if one["id"] == id_ and one["state"] in states), None)

        found = await eventually(probe)
        assert found is not None
        return found


@contextlib.asynccontextmanager
async def switchboard(database: str, *channels: Mapping[str, Any]) -> AsyncIterator[Switchboard]:
    """Runs while the block lasts; each channel is running then."""
    async with opened(database, *channels) as desk:
        for channel in channels:
            await desk.channel(channel["id"], "running")
        yield desk


@contextlib.asynccontextmanager
async def opened(database: str, *channels: Mapping[str, Any]) -> AsyncIterator[Switchboard]:
    """Runs while the block lasts, however its channels fare."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    config = Config.model_validate(
        {
            "inbox": {"public_url": url},
            "server": {"port": port},
            "storage": {"url": database},
            "channels": list(channels),
        }
    )
    async with serving(config, Registry(), PARTS) as (santral, _):
        token = await santral.store.staff.new_token("Ada", "admin", datetime.now(UTC))
        async with aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {token}"}) as http:
            yield Switchboard(http, url)
