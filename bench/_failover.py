"""How long nobody is acknowledged after the database's primary has died."""

from __future__ import annotations

import json
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from bench._mongod import private_set
from bench._scale import web_processes

MEMBERS = 3
WARM_MESSAGES = 20
PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.05


class Visitor:
    """Writes one message after another, over plain HTTP, and tries again until it is acknowledged."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/chat/site/poll"
        self._said = 0
        self._token: str | None = self._post({"type": "hello"})["token"]

    def say(self) -> None:
        """Returns when one more message is acknowledged."""
        self._said += 1
        frame = {"type": "message", "client_id": f"m{self._said}", "text": "hello", "token": self._token}
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                self._post(frame)
            except OSError:  # an HTTP error is one, and so is a time-out
                time.sleep(PAUSE_SECONDS)
            else:
                return
        raise TimeoutError("no message is acknowledged any more")

    def _post(self, frame: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(self._url, json.dumps(frame).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            return dict(json.load(answer)["frames"][0])


def fail_over(folder: Path) -> float:
    """Seconds from the death of the primary of three until a visitor's next message is acknowledged."""
    with private_set(MEMBERS) as members:
        hosts = ",".join(quote_plus(member.socket) for member in members)
        with web_processes(folder, f"mongodb://{hosts}/failover?replicaSet=bench", 1) as (web,):
            visitor = Visitor(web.port)
            for _ in range(WARM_MESSAGES):
                visitor.say()
            next(member for member in members if member.is_primary()).process.kill()
            died = time.monotonic()
            visitor.say()
            return time.monotonic() - died
