"""Search in the database: which indexes serve it, and what stands there after a change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from postbox import profiled
from pymongo.asynchronous.database import AsyncDatabase

from inbox.errors import RefusedError
from inbox.model import Conversation, Customer, Identity, first_id, new_id
from inbox.staff import Principal
from inbox.store import Store, Unit, search
from inbox.store.paging import Place
from normalizer.folding import terms
from normalizer.schema import Author, Message

Documents = AsyncDatabase[dict[str, Any]]
NOW = datetime.now(UTC).replace(microsecond=0)
READER = Principal(id="me", name="Ada", role="agent")


async def conversation(
    store: Store, *texts: str, at: datetime = NOW, name: str = "Ada Byron", subject: str = "A lamp"
) -> list[str]:
    """A conversation that was begun then, with these messages: their ids, behind its own."""
    customer = Customer(id=new_id(), name=name, created_at=at, updated_at=at)
    identity = Identity(id=f"email:{customer.id}@example.com", kind="email", value=f"{customer.id}@example.com",
                        customer_id=customer.id, created_at=at)  # fmt: skip
    made = Conversation(
        id=first_id(at) + new_id()[13:], customer_id=customer.id, subject=subject, created_at=at, updated_at=at
    )
    messages = [
        Message(id=new_id(), conversation_id=made.id, seq=seq, author=Author(type="customer"), text=text)
        for seq, text in enumerate(texts, start=1)
    ]

    async def change(unit: Unit) -> None:
        for value in (customer, identity, made, *messages):
            unit.put(value)

    await store.write(change)
    return [made.id, *(message.id for message in messages)]


async def found(store: Store, query: str, *, after: Place | None = None, limit: int = 50) -> list[str]:
    looked_for = terms(query)
    page = await store.search.conversations(looked_for, {}, reader=READER, after=after, limit=limit)
    await store.search.found(looked_for, page.items)
    return [one.id for one in page.items]


async def words_of(documents: Documents, id_: str) -> list[str]:
    document = await documents["conversation_words"].find_one({"_id": id_})
    return document["words"] if document else []


async def put(store: Store, message_id: str, **changes: Any) -> None:
    async def change(unit: Unit) -> None:
        message = await unit.one(Message, message_id)
        assert message is not None
        unit.put(replace(message, **changes))

    await store.write(change)


async def test_no_search_reads_a_whole_collection_and_words_are_looked_up_in_the_index_alone(
    store: Store, documents: Documents
) -> None:
    for number in range(30):
        await conversation(store, f"parcel number TR-{number}", "and a lamp", at=NOW - timedelta(days=40 * number))
    async with profiled(documents):
        for query in ("parcel", "lamp parc tr-7", "nothing", "ada@example.com", "ada byron", "a.b-c lamp"):
            await found(store, query)
            await found(store, query, after=Place(None, first_id(NOW - timedelta(days=500))), limit=2)
            await store.search.customers(terms(query), after=None, limit=50)
    asked = [one async for one in documents["system.profile"].find({"op": {"$in": ["query", "command"]}})]
    asked = [one for one in asked if one["ns"].endswith(("words", ".messages", ".conversations", ".customers"))]
    plans = {one["ns"].partition(".")[2]: set() for one in asked}  # type: ignore[var-annotated]
    for one in asked:
        plans[one["ns"].partition(".")[2]].add(one["planSummary"])
        if one["op"] == "query" and one["ns"].endswith("_words"):
            assert one["docsExamined"] == 0
    assert plans.keys() == {"conversation_words", "customer_words", "messages", "conversations", "customers"}
    assert "COLLSCAN" not in str(plans)
    for collection in ("conversation_words", "customer_words"):
        assert plans[collection] == {"IXSCAN { slot: 1, words: 1, of: 1 }"}


async def test_all_time_is_looked_through_page_by_page(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = []
    for days in (0, 0.001, 0.1, 0.3, 1, 2, 3, 10, 30, 100, 300, 900, 3000, 10_000):
        ids.append((await conversation(store, f"a lamp {days}", at=NOW - timedelta(days=days), subject="x"))[0])
        await conversation(store, "a lamb", at=NOW - timedelta(days=days), subject="x")
    monkeypatch.setattr(search, "SECONDS", 60.0)
    monkeypatch.setattr(search, "ENTRIES", 2)  # so that steps become narrow and wide again
    assert await found(store, "lamp") == ids
    for limit in (1, 3, 13, 14):
        pages: list[str] = []
        after = None
        while len(pages) < len(ids):
            some = await found(store, "a lam lamp", after=after, limit=limit)
            assert len(some) == min(limit, len(ids) - len(pages))
            pages += some
            after = Place(None, some[-1])
        assert pages == ids


async def test_a_search_that_takes_too_long_says_where_to_go_on(
    store: Store, documents: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [(await conversation(store, "lamp", at=NOW - timedelta(days=days)))[0] for days in range(40)]
    monkeypatch.setattr(search, "SECONDS", 0.0)
    monkeypatch.setattr(search, "ENTRIES", 2)
    after, seen, calls = None, [], 0
    while calls == 0 or after is not None:
        page = await store.search.conversations(terms("lamp"), {}, reader=READER, after=after, limit=50)
        after, calls = page.end, calls + 1
        seen += [one.id for one in page.items]
    assert seen == ids
    assert calls > 1


async def test_a_question_that_the_database_cannot_answer_in_time_is_refused(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [f"x{number:05}" for number in range(400)]
    for number in range(60):
        await conversation(store, " ".join(words[number:] + words[:number]), subject="x")
    monkeypatch.setattr(search, "MILLISECONDS", 1)
    monkeypatch.setattr(search, "ENTRIES", 1_000_000)
    with pytest.raises(RefusedError, match="too much begins"):
        await store.search.conversations(terms("x"), {}, reader=READER, after=None, limit=50)


async def test_what_is_edited_is_found_as_it_is_and_what_is_deleted_no_more(store: Store, documents: Documents) -> None:
    id_, message, other = await conversation(store, "a broken lamp", "hello")
    await put(store, message, text="a broken table")
    assert await words_of(documents, message) == ["a", "broken", "table"]
    assert (await found(store, "broken lam"), await found(store, "broken hello")) == ([id_], [id_])  # the subject's
    await put(store, message, deleted_at=NOW)
    assert await words_of(documents, message) == []
    assert (await found(store, "broken"), await found(store, "hello")) == ([], [id_])
    await put(store, other, text="🎉")
    assert await words_of(documents, other) == []
    await put(store, other, text="back again")
    assert await found(store, "again back") == [id_]


async def test_what_changes_no_word_writes_none(store: Store, documents: Documents) -> None:
    id_, message = await conversation(store, "a lamp")
    await documents["conversation_words"].delete_many({})
    await put(store, message, sent_at=NOW)

    async def change(unit: Unit) -> None:
        standing = await unit.one(Conversation, id_)
        assert standing is not None
        unit.put(replace(standing, status="resolved"))

    await store.write(change)
    assert await documents["conversation_words"].count_documents({}) == 0


async def test_what_is_removed_leaves_no_word(store: Store, documents: Documents) -> None:
    id_, message = await conversation(store, "a lamp")
    standing = await store.queries.conversation(id_)
    assert standing is not None

    async def change(unit: Unit) -> None:
        await unit.get(Message, [message])
        await unit.get(Conversation, [id_])
        await unit.get(Customer, [standing.customer_id])
        unit.remove(Message, message)
        unit.remove(Conversation, id_)
        unit.remove(Customer, standing.customer_id)

    await store.write(change)
    for collection in ("conversation_words", "customer_words"):
        assert await documents[collection].count_documents({}) == 0


async def test_a_fill_that_was_cut_off_goes_on_and_overwrites_nothing(
    mongod_url: str, store: Store, documents: Documents
) -> None:
    ids = sorted([(await conversation(store, f"lamp {number}", name=f"Ada {number}"))[0] for number in range(5)])
    stood = [one async for one in documents["conversation_words"].find().sort("_id")]
    await documents["conversation_words"].delete_many({})
    newest = max(one["_id"] for one in stood if one["_id"] not in ids)
    await documents["conversation_words"].insert_one(
        {**next(o for o in stood if o["_id"] == newest), "words": ["mine"]}
    )
    await documents["meta"].insert_one({"_id": "words", "customers": None, "conversations": ids[1]})

    again = await Store.open(mongod_url, migrate=True)
    await again.close()

    assert await words_of(documents, newest) == ["mine"]
    filled = {one["_id"] async for one in documents["conversation_words"].find()}
    assert filled == {one["_id"] for one in stood} - set(ids[:2])
