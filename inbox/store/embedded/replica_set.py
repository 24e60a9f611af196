"""A replica set of one on a Unix socket: how it is addressed, and how it comes to take writes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError

from inbox.store.embedded.errors import EmbeddedDatabaseError

REPLICA_SET = "santral"
OLDEST_WIRE_VERSION = 17  # MongoDB 6.0
NOT_YET_INITIALIZED = 94

Client = AsyncMongoClient[dict[str, Any]]


def url_of(socket_path: Path) -> str:
    """For PyMongo, with transactions and change streams.

    As a replica set its clients wait through a restart without an error; but PyMongo lowers the case of the names
    that the members give themselves, so a path with capitals is only found when it is taken as it is.
    """
    name = str(socket_path)
    direct = "" if name == name.lower() else "&directConnection=true"
    return f"mongodb://{quote(name, safe='')}/?replicaSet={REPLICA_SET}{direct}"


async def become_primary(socket_path: Path, pause: Callable[[], Awaitable[None]], *, seconds: float) -> None:
    """Waits until the member takes writes; founds the set, or renames its member, where that is what it waits for.

    Args:
        socket_path: where it listens, and how it is to be named.
        pause: awaited between two looks; what it raises ends the waiting.
        seconds: how long to wait.

    Raises:
        EmbeddedDatabaseError: it is too old, or took too long.
    """
    alone = f"mongodb://{quote(str(socket_path), safe='')}/?directConnection=true"
    deadline = asyncio.get_running_loop().time() + seconds
    last: Exception | None = None
    async with Client(alone, serverSelectionTimeoutMS=1_000) as client:
        while asyncio.get_running_loop().time() < deadline:
            try:
                hello = await client.admin.command("hello")
                if hello.get("isWritablePrimary"):
                    return
                await _name_member(client, str(socket_path), hello)
            except PyMongoError as error:
                last = error  # it is between two states: the next hello tells
            await pause()
    raise EmbeddedDatabaseError(f"mongod at {socket_path} did not become primary within {seconds:.0f} s ({last}).")


async def _name_member(client: Client, name: str, hello: dict[str, Any]) -> None:
    """Founds the set of a new database; gives that of a moved one its new name."""
    if hello["maxWireVersion"] < OLDEST_WIRE_VERSION:
        raise EmbeddedDatabaseError("The mongod on PATH is older than MongoDB 6.0: update it, or set storage.url.")
    member = {"_id": 0, "host": name}
    try:
        config = (await client.admin.command("replSetGetConfig"))["config"]
    except OperationFailure as error:
        if error.code != NOT_YET_INITIALIZED:
            raise
        await client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [member]})
        return
    if config["members"][0]["host"] != name:
        config |= {"members": [member], "version": config["version"] + 1}
        await client.admin.command("replSetReconfig", config, force=True)
