"""The schema version of the database, and how an older one is brought to it.

Every document bears the version it was written by (`inbox.store.documents`); the database as a whole bears the version
that it was last brought to.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from inbox.store.client import Database
from inbox.store.counts import recount
from inbox.store.errors import UnfitDatabaseError
from inbox.store.filling import fill
from normalizer.schema import SCHEMA_VERSION

# One for each version after the first: MIGRATIONS[0] brings version 1 to version 2. Each must bear being done twice.
MIGRATIONS: tuple[Callable[[Database], Awaitable[None]], ...] = ()


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
    elif version > SCHEMA_VERSION:
        raise UnfitDatabaseError(
            f"the database was written by a newer Santral (schema {version}, ours {SCHEMA_VERSION}); update this one"
        )
    elif version < SCHEMA_VERSION:
        raise UnfitDatabaseError(
            f"the database has schema {version}, ours is {SCHEMA_VERSION}; back it up and run `santral migrate`"
        )


async def migrate(database: Database) -> None:
    """Brings the database to this version's schema."""
    version = await version_of(database)
    for step in MIGRATIONS[(version or SCHEMA_VERSION) - 1 :]:
        await step(database)
    if await database["counts"].find_one() is None:  # it comes from before there were counts
        await recount(database)
    await fill(database)
    await _mark(database)


async def _mark(database: Database) -> None:
    await database["meta"].update_one({"_id": "schema"}, {"$max": {"version": SCHEMA_VERSION}}, upsert=True)
