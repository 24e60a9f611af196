"""One process and several on one database: what a message costs in CPU, and how soon a dead one is replaced."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec
from pymongo import MongoClient

from bench import _processes
from bench._load import Load
from bench._mongod import Mongod
from bench._processes import free_port, running

CONNECTIONS = 64
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
    """What a number of processes did: messages, seconds of their CPU and of `mongod`'s, until all were stored."""

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
            webs.append(Web(port, process.pid))
        yield webs


def scaled(folder: Path, mongod: Mongod, name: str, count: int, seconds: float) -> Scaled:
    """The same load, shared by `count` processes."""
    url = mongod.url.replace("/?", f"/{name}?", 1)
    with web_processes(folder, url, count) as webs, MongoClient[dict[str, Any]](url) as client:
        _load(webs, f"{name}-warm", 0.5)
        _stored(client[name])
        before, db_before = _cpu(webs), mongod.cpu_seconds()
        loads = _load(webs, name, seconds)
        _stored(client[name])
        found = Scaled(
            sum(load.count for load in loads),
            _cpu(webs) - before,
            mongod.cpu_seconds() - db_before,
            time.monotonic() - min(load.began for load in loads),
        )
        client.drop_database(name)
    return found


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


def _load(webs: list[Web], name: str, seconds: float) -> list[Load]:
    with ThreadPoolExecutor(len(webs)) as pool:
        share = CONNECTIONS // len(webs)
        loads = [
            pool.submit(_processes.load, "santral", web.port, f"{name}-{n}", connections=share, seconds=seconds)
            for n, web in enumerate(webs)
        ]
        return [load.result() for load in loads]


def _stored(database: Any) -> None:
    _until(lambda: not database.journal.count_documents({"state": "new"}, hint="unapplied"))


def _until(condition: Any) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("it does not come to rest")
        time.sleep(0.02)


def _cpu(webs: list[Web]) -> float:
    return sum(_processes.cpu_seconds(web.pid) for web in webs)
