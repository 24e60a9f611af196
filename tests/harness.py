"""Whole Santrals as processes, and how tests talk to them: by HTTP, WebSocket and SMTP, as anybody would."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import random
import signal
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
from aiohttp import web

SANTRAL = Path(sys.executable).with_name("santral")
PATIENCE = 60.0
STOP_SECONDS = PATIENCE
ADDRESS = "support@example.com"
PORTS = range(20_000, 32_000)  # the kernel's own begin at 32,768
PORTS_EACH = 500

T = TypeVar("T")


async def eventually(probe: Callable[[], Awaitable[T]], *, patience: float = PATIENCE, pause: float = 0.02) -> T:
    """What `probe` gives, as soon as it gives something true."""
    deadline = time.monotonic() + patience
    while not (found := await probe()):
        assert time.monotonic() < deadline, "it never came"
        await asyncio.sleep(pause)
    return found


@contextlib.asynccontextmanager
async def served(app: web.Application, host: str = "127.0.0.1") -> AsyncIterator[str]:
    """An application alone, on a port of its own."""
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, host, 0).start()
    try:
        yield f"http://{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _ports_of_ours() -> Iterator[int]:
    """A share of the ports for each test process, over and over.

    The kernel gives none of them to whoever asks for any port: some other test has a server there, or is one's client,
    before a Santral listens that takes seconds to start.
    """
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    share = PORTS[number * PORTS_EACH % len(PORTS) :][:PORTS_EACH]
    return itertools.cycle(random.sample(share, len(share)))


_ports = _ports_of_ours()


def free_port() -> int:
    """One that nobody listens on, and nobody else will until it is asked for again long after."""
    while True:
        port = next(_ports)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def environment() -> dict[str, str]:
    """Ours, but that a child's warnings are its own business."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}


def command(*words: str, folder: Path, timeout: float = 60.0, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a `santral` command to its end."""
    return subprocess.run(
        [str(SANTRAL), *words],
        cwd=folder,
        env=environment() | variables,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def channels(smtp_port: int, outgoing: int) -> list[dict[str, Any]]:
    """A mail channel, whose replies leave by the server at the port `outgoing`, and a web chat."""
    return [
        {
            "id": "mail",
            "connector": "email",
            "address": ADDRESS,
            "receive": {"smtp": {"host": "127.0.0.1", "port": smtp_port}},
            "send": {"host": "127.0.0.1", "port": outgoing, "tls": "none"},
        },
        {"id": "site", "connector": "webchat"},
    ]


class Santral:
    """One `santral run`. Its output is one file; whoever stops it sees that it ended in order."""

    def __init__(
        self,
        folder: Path,
        *,
        storage: str | None = None,
        outgoing: int | None = None,
        more: Sequence[dict[str, Any]] = (),
        only: str | None = None,
        **variables: str,
    ) -> None:
        """`variables` are added to the environment of its processes."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port, self.smtp_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.token = ""
        self.only = only
        self.log = folder / "santral.log"
        self.config: dict[str, Any] = {
            "server": {"host": "127.0.0.1", "port": self.port},
            "channels": [*channels(self.smtp_port, outgoing or free_port()), *more],
        }
        if storage is not None:
            self.config["storage"] = {"url": storage}
        self.process: subprocess.Popen[bytes] | None = None
        self._variables = variables

    def begin(self) -> None:
        """Starts the process and returns at once."""
        (self.folder / "santral.yaml").write_text(json.dumps(self.config), "utf-8")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(SANTRAL), "run", "-c", "santral.yaml", *(["--only", self.only] if self.only else [])],
                cwd=self.folder,
                env=environment() | self._variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def start(self) -> None:
        """Starts the process, and returns when it serves."""
        self.begin()
        await self.ready()
        if not self.token:
            words = ("token", "Ada", "--role", "admin")
            made = await asyncio.to_thread(command, *words, folder=self.folder, **self._variables)
            assert made.returncode == 0, made.stderr
            self.token = made.stdout.splitlines()[-1]

    async def ready(self) -> None:
        async def answers() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self.said()
            if self.only and "web" not in self.only:
                return "Santral runs its" in self.said() and ("channels" not in self.only or self._takes_mail())
            return await self.is_ready()

        await eventually(answers)

    async def is_ready(self) -> bool:
        """Whether it serves now."""
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with (
                aiohttp.ClientSession() as http,
                http.get(f"{self.url}/readyz", timeout=aiohttp.ClientTimeout(5)) as answer,
            ):
                return answer.status == 200
        return False

    def _takes_mail(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.smtp_port)) == 0

    def said(self) -> str:
        return self.log.read_text("utf-8", "replace")

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Sends a signal to the process alone; after SIGKILL it is gone."""
        assert self.process is not None
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            self.process.wait(PATIENCE)

    async def stop(self, *, tracebacks: bool = False) -> float:
        """Ends it by SIGTERM and says how many seconds that took.

        Raises:
            AssertionError: it did not end, did not end well, or complained meanwhile.
        """
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
        begun = time.monotonic()
        try:
            code = await asyncio.to_thread(self.process.wait, PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"it did not end:\n{self.said()}") from None
        assert code == 0, f"it ended with {code}:\n{self.said()}"
        assert tracebacks or "Traceback" not in self.said(), self.said()
        return time.monotonic() - begun

    def abandon(self) -> None:
        """Makes sure that nothing is left of it, whatever the test did."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE)

    @contextlib.asynccontextmanager
    async def desk(self) -> AsyncIterator[Desk]:
        """An agent's client of its API."""
        async with aiohttp.ClientSession(self.url, headers={"Authorization": f"Bearer {self.token}"}) as http:
            yield Desk(http)

    def send_mail(self, mail: bytes, sender: str = "ada@example.org") -> None:
        """Hands a mail in by SMTP; blocks. Raises what smtplib raises where it is not taken."""
        with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=PATIENCE) as smtp:
            smtp.sendmail(sender, [ADDRESS], mail)


class Desk:
    """Knows the API alone."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self.http = http

    async def get(self, path: str, **query: Any) -> Any:
        async with self.http.get(path, params=query) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def post(self, path: str, body: Any, *, status: int = 201) -> Any:
        async with self.http.post(path, json=body) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json()

    async def patch(self, path: str, body: Any) -> Any:
        async with self.http.patch(path, json=body) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def all(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """All items of all pages."""
        found: list[dict[str, Any]] = []
        page = await self.get(path, limit=200, **query)
        while True:
            found += page["items"]
            if page["next"] is None:
                return found
            page = await self.get(path, limit=200, cursor=page["next"], **query)

    async def conversations(self) -> list[dict[str, Any]]:
        return await self.all("/api/v1/conversations")

    async def messages(self, conversation_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            after = found[-1]["seq"] if found else 0
            path = f"/api/v1/conversations/{conversation_id}/messages"
            page = await self.get(path, after_seq=after, limit=200)
            if not page["items"]:
                return found
            found += page["items"]

    async def everything(self) -> dict[str, list[dict[str, Any]]]:
        """All messages, by conversation."""
        return {one["id"]: await self.messages(one["id"]) for one in await self.conversations()}


class Visitor:
    """A browser that chats: sends one message after another and remembers what was acknowledged."""

    def __init__(self, url: str, token: str | None = None, channel: str = "site") -> None:
        self.url = url
        self.channel = channel
        self.token = token
        self.acknowledged: list[str] = []

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        async with aiohttp.ClientSession() as http, http.ws_connect(f"{self.url}/chat/{self.channel}/ws") as socket_:
            await socket_.send_json({"type": "hello", "token": self.token, "cursor": None})
            welcome = await asyncio.wait_for(socket_.receive_json(), PATIENCE)
            assert welcome["type"] == "welcome", welcome
            self.token = welcome["token"]
            yield socket_

    async def say(self, socket_: aiohttp.ClientWebSocketResponse, text: str) -> dict[str, Any]:
        """Sends a message and waits for its fate: the frame `ack` or `error`."""
        client_id = f"c-{text}"
        await socket_.send_json({"type": "message", "client_id": client_id, "text": text})
        while True:
            frame: dict[str, Any] = await asyncio.wait_for(socket_.receive_json(), PATIENCE)
            if frame.get("client_id") == client_id and frame["type"] in ("ack", "error"):
                if frame["type"] == "ack":
                    self.acknowledged.append(text)
                return frame


def letter(number: int | str, text: str = "Hello", *, sender: str = "ada@example.org", **headers: str) -> bytes:
    """A small mail."""
    lines = {
        "From": f"Ada <{sender}>",
        "To": ADDRESS,
        "Subject": "A question",
        "Message-ID": f"<{number}@example.org>",
        "Date": "Mon, 23 Nov 2026 10:00:00 +0000",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode() + f"\r\n{text}\r\n".encode()
