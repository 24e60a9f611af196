"""Connecting to MongoDB, and telling what is no fit database before anything is written to it."""

from __future__ import annotations

from typing import Any

from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ConfigurationError, ConnectionFailure, InvalidURI, OperationFailure
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from inbox.store import driver
from inbox.store.errors import StoreUnavailableError, UnfitDatabaseError

Document = dict[str, Any]
Client = AsyncMongoClient[Document]
Database = AsyncDatabase[Document]

OLDEST = (6, 0)
POOL = 32  # more operations in flight only lengthen the driver's tail (measured)
SELECTION_SECONDS = 2.5
MEMBERS = ("RSPrimary", "RSSecondary", "RSArbiter", "RSOther")  # as the driver calls those of a replica set
MAJORITY = WriteConcern(w="majority", j=True)


async def connect(url: str) -> Client:
    """A client for `url` that has answered.

    Raises:
        StoreUnavailableError: its members answer, and none is the primary now.
        UnfitDatabaseError: the URL is none, nobody answers there, or what answers is standalone or too old.
    """
    driver.mend()
    try:
        client: Client = AsyncMongoClient(
            url,
            tz_aware=True,
            maxPoolSize=POOL,
            serverSelectionTimeoutMS=int(SELECTION_SECONDS * 1000),
            connectTimeoutMS=5_000,
            socketTimeoutMS=60_000,
            appname="santral",
        )
    except (InvalidURI, ConfigurationError, ValueError) as error:
        raise UnfitDatabaseError(f"storage.url: not a MongoDB URL ({error}); write mongodb://host/name") from error
    try:
        await _check(client)
    except BaseException:
        await client.close()
        raise
    return client


async def _check(client: Client) -> None:
    try:
        hello = await client.admin.command("hello")
        build = await client.admin.command("buildInfo")
    except ConnectionFailure as error:
        if _has_members(client):
            raise StoreUnavailableError("the database has no primary now") from error
        raise UnfitDatabaseError(
            "storage.url: no MongoDB answers there; start it, or correct the address, or leave storage.url out"
            f" for the embedded database ({type(error).__name__})"
        ) from error
    except OperationFailure as error:
        raise UnfitDatabaseError(
            f"storage.url: MongoDB refused us: {error.details and error.details.get('errmsg')}; check name and password"
        ) from error
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        raise UnfitDatabaseError(
            "storage.url: this MongoDB is standalone, and Santral needs transactions and change streams; "
            "start it with --replSet and run rs.initiate() once, or leave storage.url out for the embedded database"
        )
    if tuple(build["versionArray"][:2]) < OLDEST:
        raise UnfitDatabaseError(f"storage.url: MongoDB {build['version']} is too old; Santral needs 6.0 or newer")


def _has_members(client: Client) -> bool:
    """Whether a member of a replica set has answered of late."""
    servers = client.topology_description.server_descriptions().values()
    return any(server.server_type_name in MEMBERS for server in servers)


def database(client: Client) -> Database:
    """The database that the URL names, else `santral`; majority writes, journaled."""
    return client.get_default_database("santral").with_options(
        codec_options=CodecOptions(tz_aware=True),
        write_concern=MAJORITY,
        read_concern=ReadConcern("majority"),
    )
