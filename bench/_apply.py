"""The prototype that `apply_batches.py` measures: journal entries become messages in one transaction a batch."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from pymongo import AsyncMongoClient, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import PyMongoError
from pymongo.write_concern import WriteConcern

T = TypeVar("T")
Document = dict[str, Any]
Wait = Literal["touch", "jitter", "scaled", "spin", "driver"]

KNOWN = 1000  # conversations that stand before a run begins
JOURNALED = WriteConcern(w="majority", j=True)
TEXT = "The parcel that was promised for Tuesday has not arrived, and the tracking page says nothing. " * 4
# What one message has in common with the next, as the schema has it.
ALIKE: Document = {
    "schema_version": 1,
    "kind": "message",
    "direction": "inbound",
    "channel": "site",
    "connector": "webchat",
    "text": TEXT,
    "html": None,
    "quoted": None,
    "subject": None,
    "language": "en",
    "parts": [],
    "attachments": [],
    "relations": {"reply_to": None, "replaces": None, "group_id": None, "bounce_of": None},
    "revisions": [],
    "deleted_at": None,
    "reactions": [],
    "delivery": None,
    "flags": {"auto_submitted": False, "bulk": False, "bounce": False, "spam": False, "authenticated": None},
    "channel_data": {},
}


@dataclass(frozen=True)
class Scenario:
    """One way to apply; the defaults are the design."""

    name: str
    processes: int = 4
    batch: int = 64
    hot: bool = False  # every message joins one conversation
    counter: bool = True  # positions come from one counter inside the transaction
    wait: Wait = "touch"
    concurrent: int = 1  # batches at once in a process
    turns: bool = False  # ...which take turns in the transaction and overlap only in waiting for the majority
    hint: bool = True  # the journal's update is told to use _id
    search: bool = False  # a multikey index over ten words of each message
    pause: float = 0.0  # seconds between batches


@dataclass
class Report:
    """What one process did in one run; times are seconds on the monotonic clock, which all processes share."""

    began: float = 0.0
    ended: float = 0.0
    cpu: float = 0.0
    server_cpu: float = 0.0
    applied: int = 0
    retries: int = 0
    waits: list[float] = field(default_factory=list)  # one a batch, from its first attempt to the majority
    steps: dict[str, float] = field(default_factory=dict)  # seconds by roundtrip

    def rate(self) -> float:
        """Messages a second."""
        return self.applied / (self.ended - self.began)


def journal_entry(owner: str, number: int, *, hot: bool) -> Document:
    """Half of the messages come from known customers, half from new ones."""
    who = f"known:{random.randrange(KNOWN)}" if number % 2 else f"{owner}:{number}"
    thread = "known:0" if hot else who
    return {
        "_id": f"{owner}-{number}",
        "owner": owner,
        "state": "new",
        "raw": b"r" * 1000,
        "who": who,
        "thread": thread,
    }


def message(entry: Document, conversation: Document, now: datetime, *, search: bool) -> Document:
    """A message about as large as a real one: 1.1 KB."""
    words = {"words": [f"w{random.randrange(5000)}" for _ in range(10)]} if search else {}
    customer_id = conversation["customer_id"]
    return ALIKE | {
        "_id": f"m{entry['_id']}",
        "conversation_id": conversation["_id"],
        "customer_id": customer_id,
        "seq": conversation["last_seq"],
        "author": {"type": "customer", "id": customer_id, "name": "Someone", "identity_id": entry["who"]},
        "external": {"id": entry["_id"], "ids": [], "thread_key": entry["thread"], "original_id": entry["_id"]},
        **dict.fromkeys(("sent_at", "received_at", "created_at"), now),
        **words,
    }


def new_conversation(thread: str, customer_id: str, now: datetime) -> Document:
    """A conversation before its first message."""
    nothing = dict.fromkeys(("subject", "assignee", "team", "priority", "last_message"))
    known = {"_id": f"v{thread}", "customer_id": customer_id, "status": "open", "tags": [], "channels": ["site"]}
    return known | nothing | {"last_seq": 0, "created_at": now, "updated_at": now}


class Applier:
    """Applies the journal entries of one process, as a scenario says."""

    def __init__(self, client: AsyncMongoClient[Document], database: str, scenario: Scenario, owner: str) -> None:
        self.client = client
        self.db = client.get_database(database)
        self.scenario = scenario
        self.owner = owner
        self.report = Report()
        self.handed_out = 0
        self.turn = asyncio.Lock()
        self.usual = 0.004  # seconds the last transaction took

    async def work(self, batches: Iterator[list[Document]], deadline: float) -> None:
        """Apply one batch after the other until the deadline."""
        async with self.client.start_session(causal_consistency=False) as session:
            for batch in batches:
                began = time.monotonic()
                await self.apply(session, batch)
                self.report.ended = time.monotonic()
                self.report.waits.append(self.report.ended - began)
                self.report.applied += len(batch)
                if self.report.ended > deadline:
                    return
                await asyncio.sleep(self.scenario.pause)

    async def apply(self, session: AsyncClientSession, batch: list[Document]) -> None:
        """Commit one batch, however often it conflicts."""
        attempt = 0
        async with AsyncExitStack() as turn:
            if self.scenario.turns:
                await turn.enter_async_context(self.turn)
            while not await self._attempt(session, batch):
                attempt += 1
                self.report.retries += 1
                await self._wait(attempt)
        if self.scenario.turns:
            # Committing again is how a driver asks for the majority of what was committed with w: 1.
            await self._timed("majority", session.commit_transaction())

    async def _attempt(self, session: AsyncClientSession, batch: list[Document]) -> bool:
        began = time.monotonic()
        concern = WriteConcern(w=1) if self.scenario.turns else JOURNALED
        await session.start_transaction(write_concern=concern)
        try:
            await self._write(session, batch)
            await self._timed("commit", session.commit_transaction())
        except PyMongoError as error:
            if session.in_transaction:
                await session.abort_transaction()
            if not error.has_error_label("TransientTransactionError"):
                raise
            return False
        self.usual = time.monotonic() - began
        return True

    async def _wait(self, attempt: int) -> None:
        match self.scenario.wait:
            case "jitter":
                await asyncio.sleep(random.uniform(0.001, 0.004))
            case "driver":  # what AsyncClientSession.with_transaction does in PyMongo 4.20
                await asyncio.sleep(random.random() * min(0.005 * 1.5**attempt, 0.5))
            case "touch":
                counters = self.db.get_collection("counters", write_concern=WriteConcern(w=1))
                await counters.update_one({"_id": "events"}, {"$inc": {"waits": 1}})
            case "scaled":
                await asyncio.sleep(random.uniform(0.25, 1.0) * self.usual)
            case "spin":
                pass

    async def _timed(self, step: str, roundtrip: Awaitable[T]) -> T:
        began = time.monotonic()
        try:
            return await roundtrip
        finally:
            self.report.steps[step] = self.report.steps.get(step, 0.0) + time.monotonic() - began

    async def _positions(self, session: AsyncClientSession, count: int) -> Iterator[int]:
        if self.scenario.counter:
            change = {"$inc": {"n": count}}
            found = self.db.counters.find_one_and_update({"_id": "events"}, change, session=session)
            counter = await self._timed("counter", found)
            assert counter is not None
            first: int = counter["n"]
        else:
            first = self.handed_out
            self.handed_out += count
        return iter(range(first, first + count))

    async def _find(self, session: AsyncClientSession, collection: str, ids: list[str]) -> dict[str, Document]:
        found = self.db[collection].find({"_id": {"$in": ids}}, session=session, batch_size=1000)
        return {row["_id"]: row for row in await self._timed(f"find {collection}", found.to_list())}

    async def _insert(self, session: AsyncClientSession, collection: str, rows: list[Document]) -> None:
        if rows:
            await self._timed(collection, self.db[collection].insert_many(rows, session=session))

    async def _write(self, session: AsyncClientSession, batch: list[Document]) -> None:
        who = list({entry["who"] for entry in batch})
        threads = list({entry["thread"] for entry in batch})
        positions = await self._positions(session, len(batch) + len(threads))
        identities = await self._find(session, "identities", who)
        keys = await self._find(session, "thread_keys", threads)
        conversations = await self._find(session, "conversations", [key["conversation_id"] for key in keys.values()])

        now = datetime.now(UTC)
        strangers = [name for name in who if name not in identities]
        fresh = [thread for thread in threads if thread not in keys]
        identities |= {name: {"_id": name, "customer_id": f"c{name}", "verified": False} for name in strangers}
        by_thread = {thread: conversations[key["conversation_id"]] for thread, key in keys.items()}
        for entry in batch:
            if entry["thread"] not in by_thread:
                customer_id = identities[entry["who"]]["customer_id"]
                by_thread[entry["thread"]] = new_conversation(entry["thread"], customer_id, now)
        messages, events = self._messages(batch, by_thread, positions, now)

        await self._insert(session, "customers", [{"_id": f"c{name}", "name": name, "at": now} for name in strangers])
        await self._insert(session, "identities", [identities[name] for name in strangers])
        await self._insert(
            session, "thread_keys", [{"_id": name, "conversation_id": by_thread[name]["_id"]} for name in fresh]
        )
        await self._insert(session, "conversations", [by_thread[thread] for thread in fresh])
        await self._update_conversations(session, [by_thread[thread] for thread in keys])
        await self._insert(session, "messages", messages)
        await self._insert(session, "events", events)
        await self._mark_applied(session, batch)

    def _messages(
        self, batch: list[Document], by_thread: dict[str, Document], positions: Iterator[int], now: datetime
    ) -> tuple[list[Document], list[Document]]:
        messages: list[Document] = []
        events: list[Document] = []

        def tell(kind: str, snapshot: Document) -> None:
            position = next(positions)
            key = position if self.scenario.counter else f"{self.owner}:{position}"
            events.append({"_id": key, "type": kind, "at": now, "snapshot": snapshot})

        for entry in batch:
            conversation = by_thread[entry["thread"]]
            conversation["last_seq"] += 1
            row = message(entry, conversation, now, search=self.scenario.search)
            conversation |= {
                "updated_at": now,
                "last_message": {"id": row["_id"], "text": row["text"][:200], "at": now},
            }
            messages.append(row)
            tell("message.created", row)
        for conversation in by_thread.values():
            tell("conversation.updated", conversation)
        return messages, events

    async def _update_conversations(self, session: AsyncClientSession, rows: list[Document]) -> None:
        updates = [
            UpdateOne(
                {"_id": row["_id"]}, {"$set": {key: row[key] for key in ("last_seq", "last_message", "updated_at")}}
            )
            for row in rows
        ]
        if updates:
            written = self.db.conversations.bulk_write(updates, session=session)
            await self._timed("update conversations", written)

    async def _mark_applied(self, session: AsyncClientSession, batch: list[Document]) -> None:
        mine = {"_id": {"$in": [entry["_id"] for entry in batch]}, "state": "new", "owner": self.owner}
        hint = "_id_" if self.scenario.hint else None
        marked = self.db.journal.update_many(mine, {"$set": {"state": "applied"}}, hint=hint, session=session)
        matched = (await self._timed("journal", marked)).matched_count
        if matched != len(batch):
            raise RuntimeError(f"{len(batch) - matched} of {len(batch)} entries were not ours any more")
