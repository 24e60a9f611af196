"""Storage in MongoDB: the only room that imports pymongo.

`Store.open` connects and prepares; `Store.write` changes things, in transactions; the rest reads.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import UTC, tzinfo
from typing import Any

from inbox.store import indexes, migrations
from inbox.store.audit import AuditLog
from inbox.store.budgets import Budgets
from inbox.store.client import Client, connect, database
from inbox.store.counts import Counts
from inbox.store.drafts import Drafts
from inbox.store.errors import NotOwnerError, StoreUnavailableError, UnfitDatabaseError
from inbox.store.events import EventLog
from inbox.store.files import FileStore
from inbox.store.guard import answering
from inbox.store.jobs import Jobs
from inbox.store.journal import Journal, JournalEntry
from inbox.store.kept import Kept
from inbox.store.leases import Leases
from inbox.store.outbox import Outbox
from inbox.store.people import People
from inbox.store.personal import PersonalData
from inbox.store.processes import Processes
from inbox.store.queries import Queries
from inbox.store.reports import Reports
from inbox.store.search import Search
from inbox.store.signing_keys import SigningKeys
from inbox.store.staff import Staff
from inbox.store.threads import Threads
from inbox.store.traffic import Traffic
from inbox.store.unit import Unit
from inbox.store.webhooks import Webhooks
from inbox.store.writer import Measured, Writer, unmeasured

__all__ = [
    "Budgets",
    "EventLog",
    "FileStore",
    "Jobs",
    "Journal",
    "JournalEntry",
    "Leases",
    "NotOwnerError",
    "Outbox",
    "Processes",
    "Queries",
    "Reports",
    "SigningKeys",
    "Staff",
    "Store",
    "StoreUnavailableError",
    "Traffic",
    "UnfitDatabaseError",
    "Unit",
]

LETTING_GO_SECONDS = 5.0
ELECTION_SECONDS = 15.0  # a replica set notices after 10 that its primary is gone
AGAIN_SECONDS = 0.2


class Store:
    """One MongoDB database. Made by `open`."""

    def __init__(self, client: Client, measured: Measured, zone: tzinfo) -> None:
        self._client = client
        database_ = database(client)
        self.events = EventLog(database_)
        self._writer = Writer(client, database_, self.events.committed, measured, zone)
        self.write = self._writer.write
        self.journal = Journal(database_)
        self.files = FileStore(database_)
        self.audit = AuditLog(database_)
        self.budgets = Budgets(database_)
        self.jobs = Jobs(database_)
        self.leases = Leases(database_)
        self.outbox = Outbox(database_)
        self.processes = Processes(database_)
        self.traffic = Traffic(database_)
        self.keys = SigningKeys(database_)
        self.staff = Staff(database_)
        self.counts = Counts(database_)
        self.reports = Reports(client, database_, zone)
        self.drafts = Drafts(database_)
        self.kept = Kept(database_)
        self.people = People(database_)
        self.personal = PersonalData(database_)
        self.webhooks = Webhooks(database_)
        self.queries = Queries(database_)
        self.threads = Threads(database_)
        self.search = Search(database_)

    @classmethod
    async def open(
        cls, url: str, *, migrate: bool = False, measured: Measured = unmeasured, zone: tzinfo = UTC
    ) -> Store:
        """Connects, and makes sure of the schema and the indexes. An election meanwhile is waited out.

        Args:
            url: where the database is.
            migrate: brings an older database to this version's schema, instead of refusing it.
            measured: is told of each transaction that is committed.
            zone: the inbox's, for the days of reports.

        Raises:
            StoreUnavailableError: it has had no primary that stays for `ELECTION_SECONDS`.
            UnfitDatabaseError: nobody answers there, or what answers cannot be used.
        """
        deadline = asyncio.get_running_loop().time() + ELECTION_SECONDS
        while True:
            try:
                return await cls._prepared(url, migrate=migrate, measured=measured, zone=zone)
            except StoreUnavailableError:  # all that was done bears being done twice
                if asyncio.get_running_loop().time() > deadline:
                    raise
            await asyncio.sleep(AGAIN_SECONDS)

    @classmethod
    async def _prepared(cls, url: str, *, migrate: bool, measured: Measured, zone: tzinfo) -> Store:
        client = await connect(url)
        try:
            with answering():
                await (migrations.migrate if migrate else migrations.check)(database(client))
                await indexes.ensure(database(client))
                store = cls(client, measured, zone)
                await store._writer.prepare()
                await store.reports.prepare()
        except BaseException:
            await client.close()
            raise
        return store

    @property
    def session_id(self) -> Mapping[str, Any]:
        """The server's name for the session of our transactions."""
        return self._writer.session_id

    async def ping(self) -> bool:
        """Whether the database answers now."""
        return await self.queries.ping()

    async def close(self) -> None:
        """Returns when everything taken is written, and disconnects; the driver has some seconds to let go."""
        await self._writer.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LETTING_GO_SECONDS):
                await self._client.close()
