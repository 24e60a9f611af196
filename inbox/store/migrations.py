"""The schema version of the database, and how an older one is brought to it.

Every document bears the version it was written by (`inbox.store.documents`); the database as a whole bears the version
that it was last brought to.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from inbox.store.client import Database, Document
from inbox.store.counts import recount
from inbox.store.documents import DATABASE_VERSION
from inbox.store.errors import UnfitDatabaseError
from inbox.store.filling import fill


async def _unreachable_by_channel(database: Database) -> None:
    """One reason of an identity, for all channels of its platform, becomes a reason by channel.

    Where nobody knows the channel it is dropped: the next reply that fails finds it out again.
    """
    identities = database["identities"]
    async for known in identities.find({"unreachable": {"$type": "string"}}):
        reasons = dict.fromkeys(await _shut_out_on(database, known), known["unreachable"])
        await identities.update_one({"_id": known["_id"]}, {"$set": {"unreachable": reasons, "schema_version": 2}})
    plain: Document = {"unreachable": {"$not": {"$type": ["object", "string"]}}}
    await identities.update_many(plain, {"$set": {"unreachable": {}, "schema_version": 2}})


async def _shut_out_on(database: Database, known: Document) -> list[str]:
    """By which channels replies failed for that reason; where none did, the only one by which the person wrote."""
    messages, theirs = database["messages"], {"customer_id": known["customer_id"]}
    failed: list[str] = await messages.distinct("channel", {**theirs, "delivery.error.text": known["unreachable"]})
    if failed:
        return failed
    written: list[str] = await messages.distinct("channel", {**theirs, "author.identity_id": known["_id"]})
    return written if len(written) == 1 else []


# One for each version after the first: MIGRATIONS[0] brings version 1 to version 2. Each must bear being done twice.
MIGRATIONS: tuple[Callable[[Database], Awaitable[None]], ...] = (_unreachable_by_channel,)


async def version_of(database: Database) -> int | None:
    """The version of the database, or None where it is new."""
    document = await database["meta"].find_one({"_id": "schema"})
    return int(document["version"]) if document else None


async def check(database: Database) -> None:
    """Marks a new database, and refuses one that this version cannot work with.

    Raises:
        UnfitDatabaseError: it is older or newer than this version of Santral.
    """
    version = await version_of(database)
    if version is None:
        await _mark(database)
    elif version > DATABASE_VERSION:
        raise UnfitDatabaseError(
            f"the database was written by a newer Santral (schema {version}, ours {DATABASE_VERSION}); update this one"
        )
    elif version < DATABASE_VERSION:
        raise UnfitDatabaseError(
            f"the database has schema {version}, ours is {DATABASE_VERSION}; back it up and run `santral migrate`"
        )


async def migrate(database: Database) -> None:
    """Brings the database to this version's schema."""
    version = await version_of(database)
    for step in MIGRATIONS[(version or DATABASE_VERSION) - 1 :]:
        await step(database)
    if await database["counts"].find_one() is None:  # it comes from before there were counts
        await recount(database)
    await fill(database)
    await _mark(database)


async def _mark(database: Database) -> None:
    await database["meta"].update_one({"_id": "schema"}, {"$max": {"version": DATABASE_VERSION}}, upsert=True)
