"""An agent's client of the API, and the hand that drops letters into the box."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import harness

from inbox.store import embedded

PUBLIC_URL = "https://inbox.example.com"
CHANNEL = "letters"

T = TypeVar("T")


class Desk:
    """Knows the outside of Santral alone. It is an admin's, and has a token of each other role too."""

    def __init__(self, url: str, tokens: Mapping[str, str]) -> None:
        self.url = url
        self.tokens = tokens
        self.token = token = tokens["admin"]
        self.http = aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {token}"})
        self._letters = 0

    async def ready(self) -> bool:
        async with self.http.get("/readyz") as answer:
            return answer.status == 200

    async def get(self, path: str, **query: Any) -> Any:
        async with self.http.get(path, params=query) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def send(self, method: str, path: str, body: Any, *, status: int = 200, **headers: str) -> Any:
        async with self.http.request(method, path, json=body, headers=headers) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json() if answer.content_length else None

    async def problem(self, method: str, path: Any, **options: Any) -> dict[str, Any]:
        """The problem document of a request that must be refused."""
        async with self.http.request(method, path, **options) as answer:
            assert answer.status >= 400, await answer.text()
            assert answer.content_type == "application/problem+json"
            document: dict[str, Any] = await answer.json(content_type=None)
            assert document["status"] == answer.status
            assert {"type", "title", "detail"} <= document.keys()
            return document | {"headers": answer.headers}

    async def letter(self, text: str, *, channel: str = CHANNEL, **fields: Any) -> dict[str, Any]:
        """Drops a letter and returns its message, once an agent hears of it."""
        cursor = (await self.get("/api/v1/events"))["next"]
        message_id = await self.drop(text, channel=channel, **fields)

        async def told() -> dict[str, Any] | None:
            page = await self.get("/api/v1/events", after=cursor, limit=200)
            found = (item["data"] for item in page["items"] if item["message_id"] == message_id)
            return next((data["message"] for data in found), None)

        message = await self.eventually(told)
        assert message is not None
        return message

    async def drop(self, text: str, *, channel: str = CHANNEL, **fields: Any) -> str:
        """Drops a letter and returns the id that its message will have."""
        self._letters += 1
        number = f"{time.time_ns()}-{self._letters}"
        letter = {"from": "ada", "id": number, "thread": number, "text": text, **fields}
        answer = await self.send("POST", f"/hooks/{channel}", letter)
        return str(answer["message_id"])

    async def eventually(self, probe: Callable[[], Awaitable[T]]) -> T:
        """What `probe` gives, as soon as it gives something."""
        return await harness.eventually(probe, pause=0.01)


class Doomed:
    """A desk whose database comes and goes."""

    desk: Desk

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.url = ""

    async def start(self) -> None:
        self._database = await embedded.start(self._folder)
        self.url = self._database.url

    async def stop(self) -> None:
        await self._database.stop()
