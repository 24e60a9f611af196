"""A person's data: exported as a whole, erased so that no dump of the database holds them, and who looked at it."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import uuid
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import bson
import pytest
from api_desk import Desk
from ingesting import settled
from pymongo import AsyncMongoClient

from config import RetentionConfig
from inbox.privacy import Privacy
from inbox.retention import Retention
from inbox.store import Store

CUSTOMERS = "/api/v1/customers"
WORDS = ("zeynep.kaya@example.net", "Zeynep Kaya", "my secret lamp", "the picture itself")


@pytest.fixture
async def documents(database: str) -> AsyncIterator[Any]:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(database, tz_aware=True)
    yield client.get_default_database("santral")
    await client.close()


async def held(documents: Any, words: tuple[str, ...]) -> dict[str, list[str]]:
    """In which collections each of the words stands: every document as raw BSON, every piece of every file."""
    found: dict[str, list[str]] = {}
    for name in await documents.list_collection_names():
        if name.startswith("system."):
            continue
        whole = b""
        async for document in documents[name].find():
            whole += bson.encode(document)
        for word in words:
            if word.encode().lower() in whole.lower():
                found.setdefault(word, []).append(name)
    return found


def picture() -> dict[str, str]:
    return {"type": "text/plain", "data": base64.b64encode(b"the picture itself" * 10_000).decode()}


async def a_life(desk: Desk, address: str = WORDS[0]) -> dict[str, Any]:
    """Somebody who wrote, was answered, is told of in another's conversation, and has a draft waiting."""
    who = {"from": address, "name": WORDS[1]}
    message = await desk.letter(WORDS[2], files={"lamp.txt": picture()}, subject=f"{WORDS[2]}!", **who)
    path = f"/api/v1/conversations/{message['conversation_id']}"
    await desk.send(
        "POST", f"{path}/messages", {"text": f"dear {WORDS[1]}", "client_id": str(uuid.uuid4())}, status=201
    )
    await desk.send("POST", f"{path}/messages", {"text": f"{WORDS[1]} is angry", "direction": "note"}, status=201)
    later = {"text": f"{WORDS[1]} later", "send_at": "2999-01-01T00:00:00Z"}
    await desk.send("POST", f"{path}/messages", later, status=201)
    await desk.send("PUT", f"{path}/draft", {"text": f"sorry, {WORDS[1]}"})
    await desk.send("PATCH", f"{CUSTOMERS}/{message['customer_id']}", {"fields": {"home": WORDS[1]}})
    other = await desk.letter("a friend of mine", **{"from": f"other-{uuid.uuid4()}"})
    for customer, note in ((message, f"{WORDS[1]} likes lamps"), (other, f"knows {WORDS[1]} <{address.upper()}>")):
        await desk.send("POST", f"{CUSTOMERS}/{customer['customer_id']}/notes", {"text": note}, status=201)
    await desk.letter(WORDS[2], thread=other["external"]["thread_key"], **who)
    told = f"as {WORDS[1]} <{address.upper()}> wrote"
    await desk.letter(told, thread=other["external"]["thread_key"], **{"from": "third"})
    return message | {"other": other["conversation_id"], "friend": other["customer_id"]}


async def test_an_erased_person_is_in_no_dump(desk: Desk, documents: Any) -> None:
    message = await a_life(desk)
    before = await held(documents, WORDS)
    assert set(before) == set(WORDS)
    assert {"journal", "messages", "events", "conversations", "customers", "drafts"} <= set(before[WORDS[1]])
    assert {"conversation_words", "customer_words"} <= set(before[WORDS[0]])
    conversation = await desk.get(f"/api/v1/conversations/{message['other']}/messages", after_seq=0)
    cursor = (await desk.get("/api/v1/events"))["next"]

    erased = await desk.send("POST", f"{CUSTOMERS}/{message['customer_id']}/erase", None)

    assert await held(documents, WORDS) == {}
    assert (erased["customers"], erased["conversations"], erased["files"], erased["originals"]) == (1, 1, 1, 3)
    for path in (f"{CUSTOMERS}/{message['customer_id']}", f"/api/v1/conversations/{message['conversation_id']}"):
        assert (await desk.problem("GET", path))["status"] == 404
    after = await desk.get(f"/api/v1/conversations/{message['other']}/messages", after_seq=0)
    assert [item["seq"] for item in after["items"]] == [item["seq"] for item in conversation["items"]]
    assert [item["text"] for item in after["items"]] == [
        "a friend of mine",
        "[erased]",
        "as [erased] <[erased]> wrote",
    ]
    noted = await desk.get(f"{CUSTOMERS}/{message['friend']}/notes")
    assert [one["text"] for one in noted["items"]] == ["knows [erased] <[erased]>"]
    told = await desk.get("/api/v1/events", after=cursor, limit=200)
    gone = {
        (item["type"], *item["data"].values().__iter__().__next__().values())
        for item in told["items"]
        if "erased" in item["type"]
    }
    assert gone == {
        ("conversation.erased", message["conversation_id"]),
        ("customer.erased", message["customer_id"]),
    }


async def test_who_was_erased_may_come_again_as_a_stranger(desk: Desk) -> None:
    message = await a_life(desk, "again@example.net")
    await desk.send("POST", f"{CUSTOMERS}/{message['customer_id']}/erase", None)
    again = await desk.letter("hello", **{"from": "again@example.net"})
    assert again["customer_id"] != message["customer_id"]
    assert (await desk.get(f"/api/v1/conversations/{again['conversation_id']}"))["previous_id"] is None


async def test_who_writes_while_they_are_erased_leaves_nothing_that_nobody_finds(desk: Desk, documents: Any) -> None:
    sender = {"from": f"{uuid.uuid4()}@example.net", "thread": str(uuid.uuid4())}

    for _ in range(5):
        message = await desk.letter("hello", **sender)
        over = asyncio.Event()

        async def writes(over: asyncio.Event = over) -> None:
            while not over.is_set():
                await desk.drop("and one thing more", **sender)

        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(writes())
            await desk.send("POST", f"{CUSTOMERS}/{message['customer_id']}/erase", None)
            over.set()
        await settled(documents)

    conversations = await documents["conversations"].distinct("_id")
    assert await documents["messages"].count_documents({"conversation_id": {"$nin": conversations}}) == 0
    customers = await documents["customers"].distinct("_id")
    assert await documents["conversations"].count_documents({"customer_id": {"$nin": customers}}) == 0
    assert await documents["identities"].count_documents({"customer_id": {"$nin": customers}}) == 0


async def test_the_counts_know_of_an_erasure(desk: Desk) -> None:
    before = (await desk.get("/api/v1/counts"))["statuses"]
    message = await desk.letter("count", **{"from": str(uuid.uuid4())})
    await desk.send("POST", f"{CUSTOMERS}/{message['customer_id']}/erase", None)
    assert (await desk.get("/api/v1/counts"))["statuses"] == before


async def test_an_export_is_all_that_is_kept(desk: Desk) -> None:
    message = await a_life(desk, "export@example.net")
    async with desk.http.get(f"{CUSTOMERS}/{message['customer_id']}/export") as answer:
        assert (answer.status, answer.content_type) == (200, "application/zip")
        archive = zipfile.ZipFile(io.BytesIO(await answer.read()))
    assert archive.testzip() is None
    texts = [item["text"] for item in json.loads(archive.read("messages.json"))]
    assert sorted(texts) == sorted(
        [WORDS[2], f"dear {WORDS[1]}", f"{WORDS[1]} is angry", f"{WORDS[1]} later", WORDS[2]]
    )
    assert json.loads(archive.read("customer.json"))[0]["fields"] == {"home": WORDS[1]}
    assert [draft["text"] for draft in json.loads(archive.read("drafts.json"))] == [f"sorry, {WORDS[1]}"]
    assert [note["text"] for note in json.loads(archive.read("notes.json"))] == [f"{WORDS[1]} likes lamps"]
    assert json.loads(archive.read("identities.json"))[0]["value"] == "export@example.net"
    (file,) = [name for name in archive.namelist() if name.startswith("attachments/")]
    assert archive.read(file) == b"the picture itself" * 10_000
    assert json.loads(archive.read(f"originals/{message['id']}"))["text"] == WORDS[2]


async def test_who_looked_stands_in_the_log(desk: Desk) -> None:
    message = await desk.letter("who reads this?", **{"from": str(uuid.uuid4())})
    customer, conversation = message["customer_id"], message["conversation_id"]
    me = (await desk.get("/api/v1/me"))["id"]
    await desk.get(f"{CUSTOMERS}/{customer}")
    await desk.get(f"/api/v1/conversations/{conversation}/messages")
    await desk.send("PATCH", f"/api/v1/conversations/{conversation}", {"priority": "high"})
    async with desk.http.get(f"{CUSTOMERS}/{customer}/export") as answer:
        await answer.read()
    await desk.send("POST", f"{CUSTOMERS}/{customer}/erase", None)

    async def logged() -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await desk.get("/api/v1/audit", customer=customer))["items"]
        return items if len(items) == 5 else []

    items = await desk.eventually(logged)
    assert {(item["call"], item["subject_id"]) for item in items} == {
        ("GET /api/v1/customers/{id}", customer),
        ("GET /api/v1/conversations/{id}/messages", conversation),
        ("PATCH /api/v1/conversations/{id}", conversation),
        ("GET /api/v1/customers/{id}/export", customer),
        ("POST /api/v1/customers/{id}/erase", customer),
    }
    assert {(item["principal_id"], item["principal"], item["address"]) for item in items} == {(me, "Ada", "127.0.0.1")}
    newest = await desk.get("/api/v1/audit", principal=me, limit=1)
    assert newest["next"] is not None
    assert (await desk.get("/api/v1/audit", principal=me, limit=1, cursor=newest["next"]))["items"]


async def test_what_is_over_is_forgotten(desk: Desk, database: str, documents: Any) -> None:
    old = await desk.letter("an old story", files={"a.txt": picture()}, **{"from": str(uuid.uuid4())})
    resolved = await desk.letter("a story that is told", **{"from": str(uuid.uuid4())})
    await desk.send("PATCH", f"/api/v1/conversations/{resolved['conversation_id']}", {"status": "resolved"})
    now = datetime.now(UTC)
    kept = RetentionConfig(conversations="30d", originals="30d", attachments="30d", audit="30d")  # type: ignore[arg-type]
    store = await Store.open(database)
    try:
        retention = Retention(store, "me", Privacy(store), kept)
        await retention.forget(now)  # nothing is so old yet
        assert (await desk.get(f"/api/v1/conversations/{resolved['conversation_id']}"))["id"]

        async def nothing_is_noted() -> bool:
            # Who has read something is written down a moment later: by then it may be too old already.
            await retention.forget(now + timedelta(days=31))
            return await documents["audit"].count_documents({"at": {"$lt": now}}) == 0

        await desk.eventually(nothing_is_noted)
    finally:
        await store.close()

    assert (await desk.problem("GET", f"/api/v1/conversations/{resolved['conversation_id']}"))["status"] == 404
    (message,) = (await desk.get(f"/api/v1/conversations/{old['conversation_id']}/messages"))["items"]
    assert (message["text"], message["attachments"][0]["state"]) == ("an old story", "expired")
    assert (await desk.problem("GET", f"/api/v1/messages/{old['id']}/original"))["type"] == "no-original"
    assert (await desk.problem("GET", f"/api/v1/attachments/{old['attachments'][0]['id']}"))["type"] == "not-ready"
    assert await documents["files.files"].count_documents({"filename": old["attachments"][0]["id"]}) == 0
    again = {"from": "ada", "id": old["external"]["id"], "thread": "t", "text": "an old story"}
    answer = await desk.send("POST", "/hooks/letters", again)  # what comes again is known all the same
    assert answer["message_id"] == old["id"]
