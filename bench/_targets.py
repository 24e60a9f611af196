"""What is measured: a whole Santral and the bare servers beside it, each with a `mongod` of its own and of one kind."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from bench._load import Load
from bench._processes import ROOT, child_named, free_port, running
from inbox.store import embedded

EMPTY_SECONDS = 90.0
POLL_SECONDS = 0.01
Document = dict[str, Any]
CLI = ("-c", "from inbox.cli import main; main(prog_name='santral')")

# The limits are raised because all visitors of the benchmark come from one address, and none of them pauses.
YAML = """
server: {{host: 127.0.0.1, port: {http_port}}}
channels:
  - id: mail
    connector: email
    address: support@example.com
    receive: {{smtp: {{host: 127.0.0.1, port: {smtp_port}}}}}
  - id: site
    connector: webchat
    rate: {{session: {{per_second: 100000, burst: 100000}}, address: {{per_second: 100000, burst: 1000000}}}}
"""


@dataclass(frozen=True)
class Target:
    """Servers that run: where they listen, where their database is, and which processes they are."""

    http_port: int
    smtp_port: int
    database: MongoClient[Document]
    pid: int

    @property
    def mongod(self) -> int:
        """The process id of its database."""
        return child_named(self.pid, "mongod")


class Bare(Target):
    """The bare servers."""

    def check(self, load: Load, collection: str) -> None:
        """Each acknowledged message is one document, and there is no other.

        Raises:
            AssertionError: it is not so.
        """
        documents = self.database["bare"][collection]
        assert documents.count_documents({}) == load.count, f"bare {collection}: lost or doubled"
        documents.delete_many({})


@dataclass(frozen=True)
class Santral(Target):
    """A `santral run` on the embedded database."""

    token: str
    config: Path

    def agent(self, email: str) -> tuple[str, str]:
        """Makes an admin; returns their address and password."""
        made = subprocess.run(
            [sys.executable, *CLI, "agent", "add", email, "--role", "admin", "-c", str(self.config)],
            cwd=ROOT, capture_output=True, check=True,
        )  # fmt: skip
        return email, made.stdout.decode().split()[-1]

    def stored_at(self, total: int) -> float:
        """When that many messages stood in the database altogether, on the monotonic clock.

        Raises:
            TimeoutError: they do not come.
        """
        messages = self.database["santral"]["messages"]
        deadline = time.monotonic() + EMPTY_SECONDS
        # The estimate costs nothing, but counts what is not committed yet.
        while messages.estimated_document_count() < total or self.stored < total:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{messages.estimated_document_count()} of {total} messages are stored")
            time.sleep(POLL_SECONDS)
        return time.monotonic()

    @property
    def stored(self) -> int:
        """How many messages stand in the database."""
        return self.database["santral"]["messages"].count_documents({})

    def check(self, load: Load, channel: str) -> None:
        """Each acknowledged message stands once, in a conversation without gaps, and nothing waits any more.

        Raises:
            AssertionError: it is not so.
        """
        database = self.database["santral"]
        # A client id or a Message-ID bears the name; of a hook's message the text begins with it.
        field = "text" if channel in ("tg", "slack") else "external.id"
        ours = {"channel": channel, field: {"$gt": f"{load.name}-", "$lt": f"{load.name}."}}
        found = list(database.messages.find(ours, {"external.id": 1, "text": 1, "conversation_id": 1, "seq": 1}))
        names = Counter(_name(row) for row in found)
        assert names == Counter(load.names()), f"{channel}: lost or doubled"
        last = Counter[str]()
        for row in found:
            last[row["conversation_id"]] = max(last[row["conversation_id"]], row["seq"])
        assert last.total() == len(found), f"{channel}: a gap in a conversation"
        assert not database.journal.count_documents({"state": {"$ne": "applied"}}), f"{channel}: a backlog is left"


def _name(row: Document) -> str:
    external: str = row["external"]["id"]
    return str(row["text"]).partition(":")[0] if "/" in external else external.partition("@")[0]


@contextmanager
def bare_servers(folder: Path) -> Iterator[Bare]:
    """The bare servers, while the block lasts."""
    http_port, smtp_port = free_port(), free_port()
    command = ("-m", "bench._bare", str(folder / "bare"), str(http_port), str(smtp_port))
    with (
        running(*command, says="ready", log=folder / "bare.log") as (process, line),
        MongoClient[Document](line.split()[1]) as database,
    ):
        yield Bare(http_port, smtp_port, database, process.pid)


@contextmanager
def santral(folder: Path, channels: str = "") -> Iterator[Santral]:
    """A Santral, while the block lasts, with these channels too."""
    http_port, smtp_port = free_port(), free_port()
    config = folder / "santral.yaml"
    config.write_text(YAML.format(http_port=http_port, smtp_port=smtp_port) + channels, encoding="utf-8")
    with (
        running(*CLI, "run", "-c", str(config), says="Santral runs", log=folder / "santral.log") as (process, _),
        MongoClient[Document](embedded.attach(folder / "santral-data")) as database,
    ):
        made = subprocess.run(
            [sys.executable, *CLI, "token", "bench", "-c", str(config)], cwd=ROOT, capture_output=True, check=True
        )
        token = made.stdout.decode().split()[-1]
        yield Santral(http_port, smtp_port, database, process.pid, token, config)
