"""One process and several on one database: what a message costs in CPU, and how soon a dead one is replaced."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec
from pymongo import MongoClient

from bench import _processes
from bench._load import Load
from bench._mongod import Mongod
from bench._processes import free_port, running

# Enough that four processes are busy: one with a quarter of 64 pays as much for a message as four with a quarter each.
CONNECTIONS = 256
WARM_SECONDS = 0.5
PATIENCE_SECONDS = 90.0
CLI = ("-c", "from inbox.cli import main; main(prog_name='santral')")
# As in `bench._targets`: all visitors come from one address, and none of them pauses.
YAML = """
server: {{host: 127.0.0.1, port: {port}}}
storage: {{url: "{url}"}}
channels:
  - id: site
    connector: webchat
    rate: {{session: {{per_second: 100000, burst: 100000}}, address: {{per_second: 100000, burst: 1000000}}}}
"""


class Scaled(msgspec.Struct, frozen=True):
    """What a number of processes did: messages, seconds of their CPU and of `mongod`'s, until all were stored.

    What it took to connect is left out.
    """

    messages: int
    cpu: float
    mongod_cpu: float
    seconds: float

    @property
    def per_cpu_second(self) -> float:
        """Messages, from the socket to their conversations, for a second of CPU."""
        return self.messages / self.cpu


class Web(msgspec.Struct, frozen=True):
    """A process with the part `web`, and where it listens."""

    port: int
    pid: int


@contextmanager
def web_processes(folder: Path, url: str, count: int) -> Iterator[list[Web]]:
    """That many on one database."""
    with ExitStack() as stack:
        webs = []
        for number in range(count):
            port = free_port()
            config = folder / f"web{number}.yaml"
            config.write_text(YAML.format(port=port, url=url), encoding="utf-8")
            command = (*CLI, "run", "--only", "web", "-c", str(config))
            process, _ = stack.enter_context(running(*command, says="Santral runs", log=folder / f"web{number}.log"))
            _until(lambda port=port: _ready(port))
            webs.append(Web(port, process.pid))
        yield webs


def scaled(folder: Path, mongod: Mongod, name: str, count: int, seconds: float) -> Scaled:
    """The same load, shared by `count` processes."""
    url = mongod.url.replace("/?", f"/{name}?", 1)
    with web_processes(folder, url, count) as webs, MongoClient[dict[str, Any]](url) as client:

        def stored(name: str, seconds: float) -> Scaled:
            before, db_before = _cpu(webs), mongod.cpu_seconds()
            load = _load(webs, name, seconds)
            _stored(database)
            took = time.monotonic() - load.began
            return Scaled(load.count, _cpu(webs) - before, mongod.cpu_seconds() - db_before, took)

        database = client[name]
        stored(f"{name}-warm", WARM_SECONDS)
        connecting = stored(f"{name}-connecting", 0)  # with one message each: what lasts as long for few as for many
        found = stored(name, seconds)
        client.drop_database(name)
    return Scaled(
        found.messages - connecting.messages,
        found.cpu - connecting.cpu,
        found.mongod_cpu - connecting.mongod_cpu,
        found.seconds,
    )


def take_over(folder: Path, mongod: Mongod, name: str) -> float:
    """Seconds from the death of a process under load until another has stored all that it had acknowledged."""
    url = mongod.url.replace("/?", f"/{name}?", 1)
    with web_processes(folder, url, 2) as (dying, _), MongoClient[dict[str, Any]](url) as client:
        command = [sys.executable, "-m", "bench._load", "santral", str(dying.port), name, str(CONNECTIONS), "30"]
        with subprocess.Popen(
            command, cwd=_processes.ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as load:
            _until(lambda: client[name].journal.count_documents({"state": "new"}) > CONNECTIONS)
            os.kill(dying.pid, signal.SIGKILL)
            died = time.monotonic()
            load.wait()  # it ends with its connections
        _stored(client[name])
        took = time.monotonic() - died
        client.drop_database(name)
    return took


def _load(webs: list[Web], name: str, seconds: float) -> Load:
    ports = [web.port for web in webs]
    return _processes.load("santral", ports, name, connections=CONNECTIONS, seconds=seconds)


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError:  # its channels are being started
        return False


def _stored(database: Any) -> None:
    # Not counted: while there is a backlog, that reads all of it, at the cost of those whose cost is measured.
    _until(lambda: database.journal.find_one({"state": "new"}, {"_id": 1}, hint="unapplied") is None)


def _until(condition: Any) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("it does not come to rest")
        time.sleep(0.02)


def _cpu(webs: list[Web]) -> float:
    return sum(_processes.cpu_seconds(web.pid) for web in webs)
