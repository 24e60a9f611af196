"""A real replica set of three, each member behind a proxy that the others and every client must pass."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from harness import eventually, free_port
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError

from inbox.children import dying_with_us
from inbox.store.embedded.mongod_process import find_mongod
from rig.proxy import Proxy

NAME = "rig"
ELECTION_MILLISECONDS = 1500
ALREADY_INITIALIZED = 23
PATIENCE = 60.0

Client = AsyncMongoClient[dict[str, Any]]


class Member:
    """One `mongod` with its data, which outlive its processes. It dies with us."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        """`arguments` are added to its command line."""
        self.folder = folder
        self.arguments = arguments
        self.port = free_port()
        self.proxy = Proxy(self.port)
        self.process: subprocess.Popen[bytes] | None = None
        (folder / "db").mkdir(parents=True)
        self._direct = Client(
            f"mongodb://127.0.0.1:{self.port}/?directConnection=true",
            serverSelectionTimeoutMS=500,
            connectTimeoutMS=500,
            socketTimeoutMS=1000,
        )

    @property
    def address(self) -> str:
        """How the set calls it: the proxy."""
        return f"127.0.0.1:{self.proxy.port}"

    def begin(self) -> None:
        """Starts the process and returns at once."""
        command = [
            str(find_mongod()),
            *("--dbpath", str(self.folder / "db"), "--replSet", NAME, "--quiet"),
            *("--bind_ip", "127.0.0.1", "--port", str(self.port), "--nounixsocket"),
            *("--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "512", "--maxConns", "800"),
            *("--wiredTigerEngineConfigString", "log=(file_max=32MB),session_max=2000"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false", *self.arguments),
        ]
        with (self.folder / "mongod.log").open("ab") as log:
            self.process = subprocess.Popen(
                dying_with_us(*command),
                env={**os.environ, "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    async def hello(self) -> dict[str, Any]:
        """What it says of itself; nothing where it does not answer."""
        try:
            return await self._direct.admin.command("hello")
        except PyMongoError:
            return {}

    async def found(self, config: dict[str, Any]) -> bool:
        """Founds the set, once all its members listen. Returns whether that is done."""
        try:
            await self._direct.admin.command("replSetInitiate", config)
        except OperationFailure as error:
            return error.code == ALREADY_INITIALIZED
        except PyMongoError:
            return False
        return True

    async def close(self) -> None:
        await self._direct.close()


class ReplicaSet:
    """The set; `url` names the database `rig` on it."""

    def __init__(self, folder: Path, *arguments: str, members: int = 3) -> None:
        """`arguments` are added to each member's command line."""
        self.members = [Member(folder / f"member{number}", *arguments) for number in range(members)]

    @property
    def url(self) -> str:
        return f"mongodb://{','.join(member.address for member in self.members)}/rig?replicaSet={NAME}"

    async def start(self) -> None:
        for member in self.members:
            await member.proxy.start()
            member.begin()
        config = {
            "_id": NAME,
            "members": [{"_id": n, "host": member.address} for n, member in enumerate(self.members)],
            "settings": {"electionTimeoutMillis": ELECTION_MILLISECONDS, "heartbeatIntervalMillis": 500},
        }
        await eventually(lambda: self.members[0].found(config), patience=PATIENCE, pause=0.1)
        await self.whole()

    async def primary(self) -> Member:
        """The member that takes writes, as soon as there is one; the newest of two that think so."""
        return await eventually(self._primary, patience=PATIENCE, pause=0.1)

    async def _primary(self) -> Member | None:
        said = await asyncio.gather(*(member.hello() for member in self.members))
        claims = [(hello["electionId"], n) for n, hello in enumerate(said) if hello.get("isWritablePrimary")]
        return self.members[max(claims)[1]] if claims else None

    async def whole(self) -> None:
        """Returns when one member is primary and all others follow it."""

        async def stands() -> bool:
            said = await asyncio.gather(*(member.hello() for member in self.members))
            primaries = [hello for hello in said if hello.get("isWritablePrimary")]
            return len(primaries) == 1 and sum(bool(hello.get("secondary")) for hello in said) == len(said) - 1

        await eventually(stands, patience=PATIENCE, pause=0.1)

    async def stop(self) -> None:
        """Ends everything; its data are worth nothing now."""
        for member in self.members:
            if member.process is not None:
                member.kill()
            await member.proxy.stop()
            await member.close()
