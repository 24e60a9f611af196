"""Which databases are taken, which are refused and in what words, and that no question reads a whole collection."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import subprocess
import warnings
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import postbox
import pytest
from harness import PATIENCE, eventually, free_port
from msgspec.structs import replace
from outbox_office import ADA, Office
from postbox import CHANNEL, profiled, said
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from connectors.errors import PermanentError
from inbox.filters import Filter
from inbox.model import Conversation, Customer, Draft, Upload
from inbox.replies import NewReply
from inbox.sight import Listener
from inbox.staff import ROLES, Agent, AuditEntry, Principal, Session
from inbox.store import Store, StoreUnavailableError, UnfitDatabaseError, Unit, embedded
from inbox.store.documents import DATABASE_VERSION
from inbox.store.embedded.mongod_process import find_mongod
from inbox.store.indexes import INDEXES
from inbox.store.paging import Place
from inbox.store.queries import SORTS, UNNAMED
from normalizer.folding import terms
from normalizer.schema import SCHEMA_VERSION, Attachment

Documents = AsyncDatabase[dict[str, Any]]


@contextlib.asynccontextmanager
async def standalone(folder: Path) -> AsyncIterator[str]:
    """The URL of a `mongod` without a replica set, on a Unix socket."""
    socket = folder / "s.sock"
    (folder / "db").mkdir()
    mongod = subprocess.Popen(
        [str(find_mongod()), "--dbpath", str(folder / "db"), "--bind_ip", str(socket), "--nounixsocket"],
        stdout=subprocess.DEVNULL,
    )
    try:

        async def listens() -> bool:
            return socket.exists()

        await eventually(listens)
        url = f"mongodb://{quote(str(socket), safe='')}/"
        async with AsyncMongoClient[dict[str, Any]](url, serverSelectionTimeoutMS=int(PATIENCE * 1000)) as client:
            await client.admin.command("ping")  # it listens before it answers
        yield url
    finally:
        mongod.terminate()
        await asyncio.to_thread(mongod.wait, PATIENCE)


async def refusal(url: str) -> str:
    with pytest.raises(UnfitDatabaseError) as refused:
        await Store.open(url)
    return str(refused.value)


async def test_a_standalone_database_is_refused_in_plain_words(tmp_path: Path) -> None:
    async with standalone(tmp_path) as url:
        said_ = await refusal(url)
    assert said_.startswith("storage.url: this MongoDB is standalone")
    assert "--replSet" in said_
    assert "rs.initiate()" in said_


async def test_where_nobody_answers_that_is_said_soon() -> None:
    async with asyncio.timeout(25):  # left alone, the driver waits for half a minute
        said_ = await refusal(f"mongodb://127.0.0.1:{free_port()}/?replicaSet=rs0")
    # PyMongo leaves a TCP socket to the garbage where its client is closed while it connects; let that be here.
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        gc.collect()
    assert said_.startswith("storage.url: no MongoDB answers there; start it")


async def test_an_index_of_an_earlier_definition_is_made_anew(mongod_url: str, documents: Documents) -> None:
    await documents["messages"].create_index([("text", 1)], name="conversation")
    await (await Store.open(mongod_url)).close()
    indexes = await documents["messages"].index_information()
    assert indexes["conversation"]["key"] == [("conversation_id", 1), ("seq", 1)]


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://",
        "mongodb:///x",
        "mongodb://host:99999/",
        "mongodb://a:b:c@host/",
        "http://host/",
    ],
)
async def test_what_is_no_url_is_told_so(url: str) -> None:
    said_ = await refusal(url)
    assert said_.startswith("storage.url: not a MongoDB URL")
    assert "write mongodb://host/name" in said_


async def test_a_refused_password_is_not_repeated(mongod_url: str) -> None:
    said_ = await refusal(mongod_url.replace("mongodb://", "mongodb://ada:hunter2@"))
    assert "hunter2" not in said_
    assert "check name and password" in said_


async def test_the_url_names_the_database(mongod_url: str, store: Store, documents: Documents) -> None:
    marked = await documents["meta"].find_one({"_id": "schema"})
    assert marked == {"_id": "schema", "version": DATABASE_VERSION}


async def test_a_database_of_a_newer_version_is_refused(mongod_url: str, store: Store, documents: Documents) -> None:
    await documents["meta"].update_one({"_id": "schema"}, {"$set": {"version": DATABASE_VERSION + 1}})
    assert "newer Santral" in await refusal(mongod_url)


async def test_a_database_of_an_older_version_is_migrated_only_when_told(
    mongod_url: str, store: Store, documents: Documents
) -> None:
    await documents["meta"].update_one({"_id": "schema"}, {"$set": {"version": 0}})
    assert "santral migrate" in await refusal(mongod_url)


async def test_one_reason_why_nobody_is_reached_becomes_one_by_channel(
    mongod_url: str, store: Store, documents: Documents
) -> None:
    office = Office(store, documents)
    for person in ("wrote", "both", "reached"):
        await office.conversation(person, person)
    await office.receive(said(sender="both", thread="again"))
    office.platform.trouble = [PermanentError("gone")]
    reply = await office.reply(await office.conversation("failed", "failed"))
    async with office.working():
        await office.until(reply, "failed")
    elsewhere = {"$or": [{"_id": reply}, {"external.thread_key": "again"}]}
    await documents["messages"].update_many(elsewhere, {"$set": {"channel": "other"}})
    for person, reason in {"wrote": "blocked", "both": "blocked", "reached": None, "failed": "gone"}.items():
        await documents["identities"].update_one({"_id": f"post:{person}"}, {"$set": {"unreachable": reason}})

    for _ in range(2):
        await documents["meta"].update_one({"_id": "schema"}, {"$set": {"version": 1}})
        await (await Store.open(mongod_url, migrate=True)).close()

    found = {one["value"]: one["unreachable"] async for one in documents["identities"].find()}
    assert found == {"wrote": {CHANNEL: "blocked"}, "both": {}, "reached": {}, "failed": {"other": "gone"}}
    await (await Store.open(mongod_url)).close()


async def test_opening_again_changes_nothing(mongod_url: str, store: Store, documents: Documents) -> None:
    before = await documents["messages"].index_information()
    again = await Store.open(mongod_url, migrate=True)
    await again.close()
    assert await documents["messages"].index_information() == before


async def test_a_database_that_shuts_down_in_the_middle_of_writes_is_away_and_nothing_else(tmp_path: Path) -> None:
    database = await embedded.start(tmp_path)
    store = await Store.open(database.url)

    async def write_on(name: str) -> None:
        while True:
            await store.processes.beat(name, {"id": name}, {})
            await store.journal.add([postbox.entry(f"{name}|{uuid4()}")])

    writing = [asyncio.create_task(write_on(f"p{n}")) for n in range(8)]
    await eventually(store.processes.alive)
    await database.stop()
    ended = await asyncio.gather(*writing, return_exceptions=True)
    await store.close()
    assert {type(error) for error in ended} == {StoreUnavailableError}


async def test_every_document_bears_the_version_it_was_written_by(store: Store, documents: Documents) -> None:
    office = Office(store, documents)
    await office.reply(await office.conversation())
    for name in ("journal", "customers", "identities", "conversations", "messages", "thread_keys", "events", "outbox"):
        versions = await documents[name].distinct("schema_version")
        assert versions == [SCHEMA_VERSION if name == "messages" else DATABASE_VERSION], name


SMALL = {
    "budgets",
    "processes",
    "leases",
    "channels",
    "meta",
    "counters",
    "uploads",
    "waiting_changes",
    "agents",
    "webhooks",
    "canned_replies",
}


WITHIN = Filter(
    any=(
        Filter(all=(Filter(field="team", is_=("none", "a")), Filter(field="tag", is_not=("x",)))),
        Filter(field="assignee", is_=("p",)),
        Filter(field="priority", is_=("urgent",)),
        Filter(waiting=False),
    )
)


async def rename(unit: Unit, conversation_id: str) -> None:
    """Gives a conversation's customer another name."""
    conversation = await unit.one(Conversation, conversation_id)
    customer = await unit.one(Customer, conversation.customer_id) if conversation else None
    assert customer is not None
    unit.put(replace(customer, name="Augusta"))


async def ask_everything(office: Office) -> None:
    """Every question that Santral ever asks of a collection that grows."""
    store, now = office.store, datetime.now(UTC)
    office.platform.pieces = 2
    conversation = await office.conversation()
    failing = await office.reply(conversation, "one")
    async with office.working():
        await office.until(failing, "sent")
    await office.receive({"is": "change", "of": f"{failing}/1", "text": "edited"})
    await office.receive({"is": "report", "state": "read", "external_id": "unheard of"})
    await office.conversation(thread="second")
    await office.receive(said("one story", id="m3", refers=["t", "second"]))
    page, place = {"limit": 50}, Place(now, "x")
    readers = [Principal(id="p", name="P", role=role, teams=("a", "b")) for role in ROLES]
    for after, reader in itertools.product((None, place), readers):
        for sort in SORTS:
            await store.queries.conversations({}, reader=reader, sort=sort, after=after, **page)
            await store.queries.conversations({}, within=WITHIN, reader=reader, sort=sort, after=after, **page)
        for field in ("status", "channels", "assignee", "team", "customer_id", "tags", "followers"):
            for wanted in ("open", UNNAMED):
                matching = {field: wanted}
                await store.queries.conversations(matching, reader=reader, sort="-updated_at", after=after, **page)
        await store.queries.failed(after=after, **page)
        await store.people.timeline(["c", "d"], reader=reader, after=after, **page)
        await store.queries.seen(reader, ["c"])
        await store.counts.seen_by(reader, kinds=("all", "tag"))
        await store.events.after(1, 50, listener=Listener(reader=reader, conversation_id="c"))
        await store.people.customers(after=after, **page)
        await store.search.customers(terms("ada b"), after=after, limit=50)
        for matching in ({}, {"assignee": "p"}):
            found = await store.search.conversations(terms("a story"), matching, reader=reader, after=after, limit=50)
            await store.search.found(terms("a story"), found.items)
    await store.write(lambda unit: rename(unit, conversation))
    for seqs in ((0, None), (None, 5), (None, None), (1, 5)):
        await store.queries.messages(conversation, after_seq=seqs[0], before_seq=seqs[1], limit=50)
    await store.queries.thread(CHANNEL, "t", 50)
    await store.queries.asleep_until(now, 50)
    await store.people.identities(["c"])
    await store.people.notes(["c"], after=None, limit=50)
    await store.people.family("c")
    noted = AuditEntry(id="a", at=now, principal_id="p", principal="P", call="GET", customer_id="c")
    await store.audit.add([noted])
    await store.audit.page(customer_ids=None, principal_id=None, after=None, limit=5)
    await store.audit.page(customer_ids=["c"], principal_id=None, after=place, limit=5)
    await store.audit.page(customer_ids=None, principal_id="p", after=None, limit=5)
    await store.personal.resolved_before(now, 5)
    await store.personal.expire_originals(now - timedelta(days=1), now)
    await store.personal.with_files("", "z", 5)
    for channel in (None, CHANNEL):
        await store.queries.last_of(conversation, ["c"], channel)
    draft = Draft(id="a", conversation_id="c", principal_id="p", text="", attachments=("f",), updated_at=now)
    await store.drafts.put(draft)
    await store.drafts.of("p")
    await store.drafts.within(["c"])
    upload = Upload(id="f", owner="p", attachment=Attachment(id="f", filename="f", content_type="a/b"), created_at=now)
    await store.files.add_upload(upload)
    await store.files.sweep(now + timedelta(days=1))
    await store.queries.mark_read("a", conversation, 3)
    await store.threads.see(conversation, 3)
    await store.threads.seen(CHANNEL, "t", conversation)
    standing = await store.queries.conversation(conversation)
    assert standing is not None
    await store.threads.is_rated(CHANNEL, "t", standing)
    await store.threads.waiting(CHANNEL)
    await store.keys.is_revoked(CHANNEL, "t")
    await store.files.attachment("a")
    await store.files.shown_in("a")
    await store.events.after(1, 50)
    await store.events.after(0, 50, thread=(CHANNEL, "t"))
    await store.events.newest()
    await store.events.oldest()
    await store.events.headings(0, 50)
    await store.events.of_transaction(1, [(CHANNEL, "ada")])
    await store.journal.unapplied("me", 50)
    await store.write(lambda unit: unit.unapplied_of(["a"], (), "z"))
    await store.staff.token(await store.staff.new_token("a", "agent", now), now)
    await store.staff.add_agent(Agent(id="a", email="a@b.c", name="a", role="agent", created_at=now), "")
    signed_in = Session(id="s", agent_id="a", address="", browser="", created_at=now, seen_at=now, expires_at=now)
    await store.staff.begin_session(signed_in, "secret")
    await store.staff.session("secret", now - timedelta(hours=1))
    await store.staff.sessions("a", now)
    await store.kept.views("p")
    await store.webhooks.claim(now, now, ["x"])
    await store.webhooks.deliveries("w", after=place, limit=5)
    await store.outbox.ready(now, 50)
    await store.outbox.scheduled(now)
    await store.outbox.follow_ups(now, 50)
    await store.outbox.abandoned(["me"])
    await store.jobs.ready(now, 50)
    await store.traffic.hours(CHANNEL)
    await store.jobs.abandoned(["me"])
    await office.replies.reply(ADA, conversation, NewReply(text="x"))


async def test_no_question_reads_a_whole_collection_and_every_index_is_of_use(
    store: Store, documents: Documents
) -> None:
    async with profiled(documents):
        await ask_everything(Office(store, documents))
    used: set[tuple[str, str]] = set()
    asked = 0
    async for told in documents["system.profile"].find({"planSummary": {"$exists": True}}):
        collection = told["ns"].partition(".")[2]
        if collection in SMALL or told.get("appName") != "santral":
            continue
        asked += 1
        assert "COLLSCAN" not in told["planSummary"], told["command"]
        used |= {(collection, name) for name in _index_names(told.get("execStats", {}))}
    assert asked > 50
    declared = {(name, str(model.document["name"])) for name, models in INDEXES.items() for model in models}
    of_use_elsewhere = {
        ("events", "kept"),
        ("waiting_changes", "kept"),
        ("budgets", "kept"),
        ("revoked", "kept"),
        ("hours", "kept"),
        ("webhook_deliveries", "kept"),
        ("uploads", "orphans"),
        ("sessions", "ended"),
    }
    assert declared - used - of_use_elsewhere == set()


async def test_a_large_file_is_written_a_megabyte_at_once(store: Store, documents: Documents) -> None:
    """The driver would encode it as a whole, and nobody else has a turn meanwhile."""
    async with profiled(documents):
        await store.journal.save_original("entry", "message", b"x" * 5_000_000)
    written = {"ns": f"{documents.name}.originals.chunks", "op": "insert"}
    assert await documents["system.profile"].count_documents(written) >= 4


def _index_names(stage: Any) -> set[str]:
    if isinstance(stage, list):
        return set().union(*map(_index_names, stage))
    if not isinstance(stage, dict):
        return set()
    own = {str(stage["indexName"])} if "indexName" in stage else set()
    return own.union(*(_index_names(inner) for inner in stage.values()))
