"""Search: in Turkish too, over messages, subjects, names and addresses, and only what the asker may see."""

from __future__ import annotations

import random
import string
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from api_desk import Desk
from pymongo import AsyncMongoClient
from yarl import URL

from inbox.store import Store

CONVERSATIONS = "/api/v1/conversations"
CUSTOMERS = "/api/v1/customers"


def word() -> str:
    """One that nothing else here is found by."""
    return "".join(random.choices(string.ascii_lowercase, k=16))


def someone() -> dict[str, str]:
    return {"from": f"person-{uuid.uuid4()}"}


async def found(desk: Desk, q: str, path: str = CONVERSATIONS, **query: Any) -> list[str]:
    return [item["id"] for item in (await desk.get(path, q=q, **query))["items"]]


async def told(desk: Desk, q: str) -> tuple[int | None, list[str]]:
    """In which message the words of the one conversation are, and what is marked."""
    (item,) = (await desk.get(CONVERSATIONS, q=q))["items"]
    where = item["found"]
    units = where["text"].encode("utf-16-le")
    return where["seq"], [units[2 * begin : 2 * end].decode("utf-16-le") for begin, end in where["ranges"]]


async def say(desk: Desk, letter: dict[str, Any], text: str, **fields: Any) -> dict[str, Any]:
    """One more message of a conversation."""
    who = letter["author"]["identity_id"].partition(":")[2]
    return await desk.letter(text, thread=letter["external"]["thread_key"], **{"from": who}, **fields)


@pytest.fixture
async def documents(database: str) -> AsyncIterator[Any]:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(database, tz_aware=True)
    yield client.get_default_database("santral")
    await client.close()


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("İSTANBUL", "istanbul"),
        ("istanbul", "\u0131stanbul"),
        ("\u0131stanbul", "İSTANBUL"),
        ("ISTANBUL", "İstanbul"),
        ("ŞİKÂYET", "şikayet"),
        ("ŞİKÂYET", "sikayet"),
        ("şikayet", "SIKAYET"),
        ("siparişlerimizden", "SİPARİŞ"),
        ("Straße", "strasse"),
        ("TR-2026-1234", "tr-2026"),
        ("TR-2026-1234", "1234"),
    ],
)
async def test_what_is_written_is_found_by_what_is_asked(desk: Desk, written: str, asked: str) -> None:
    mark = word()
    letter = await desk.letter(f"🎉 {mark}, {written}!", **someone())
    await desk.letter(f"{mark} other", **someone())
    assert await found(desk, f"{mark} {asked}") == [letter["conversation_id"]]
    assert await found(desk, f"{asked} {mark}") == [letter["conversation_id"]]


async def test_words_are_beginnings_and_all_must_be_there(desk: Desk) -> None:
    mark = word()
    letter = await desk.letter(f"{mark} the parcel of Tuesday", **someone())
    ours = [letter["conversation_id"]]
    for asked in (mark[:10], f"{mark} parc", f"{mark} t", f"tues par {mark}", mark.upper()):
        assert await found(desk, asked) == ours, asked
    for asked in (mark[1:], f"{mark} arcel", f"{mark} parcels", f"{mark} tu parcel", f"{mark} monday"):
        assert await found(desk, asked) == [], asked


async def test_words_may_be_in_different_messages_in_the_subject_and_in_the_customers_name(desk: Desk) -> None:
    first, second, subject, name = (word() for _ in range(4))
    person = f"{word()}@post.{word()}.example"
    letter = await desk.letter(first, subject=f"about {subject}", name=f"Ada {name}", **{"from": person})
    reply = await desk.send(
        "POST", f"{CONVERSATIONS}/{letter['conversation_id']}/messages", {"text": f"a {second}"}, status=201
    )
    ours = [letter["conversation_id"]]
    assert await found(desk, f"{first} {second} {subject} {name} {person}") == ours
    assert await told(desk, second) == (2, [second])
    assert await told(desk, f"{second} {name}") == (2, [second])
    assert await told(desk, subject) == (1, [subject])
    assert await told(desk, name) == (None, [name])
    for part in (person, person.partition("@")[0], person.partition("@")[2], person.partition(".")[2]):
        assert await told(desk, part) == (None, [part])
    (item,) = (await desk.get(CONVERSATIONS, q=first))["items"]
    assert item["found"]["message_id"] == letter["id"]
    assert reply["seq"] == 2
    assert "found" not in await desk.get(f"{CONVERSATIONS}/{letter['conversation_id']}")


async def test_a_file_is_found_by_its_name(desk: Desk) -> None:
    mark = word()
    letter = await desk.letter("see there", files={f"{mark}.txt": {"type": "text/plain", "data": "YQ=="}}, **someone())
    assert await found(desk, f"{mark}.txt") == [letter["conversation_id"]]
    assert await told(desk, mark) == (1, [mark])


async def test_the_newest_come_first_page_by_page(desk: Desk) -> None:
    mark, person = word(), someone()
    letters = [await desk.letter(f"{mark} {n}", **person) for n in range(5)]
    newest = [letter["conversation_id"] for letter in reversed(letters)]
    assert await found(desk, mark) == newest
    assert await found(desk, mark, sort="-created_at") == newest
    for limit in (1, 2, 4, 5):
        pages: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = await desk.get(CONVERSATIONS, q=mark, limit=limit, **cursor)
            pages += [item["id"] for item in page["items"]]
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
            await desk.letter(f"{mark} later", **person)  # moves no page
        assert pages[-5:] == newest
        assert len(set(pages)) == len(pages)


async def test_filters_hold_beside_the_words(desk: Desk) -> None:
    mark = word()
    one = await desk.letter(mark, **someone())
    other = await desk.letter(mark, channel="second", **someone())
    me = (await desk.get("/api/v1/me"))["id"]
    change = {"status": "resolved", "assignee": me, "tags": [mark]}
    await desk.send("PATCH", f"{CONVERSATIONS}/{one['conversation_id']}", change)
    for query in ({"status": "resolved"}, {"assignee": "me"}, {"tag": mark}, {"customer": one["customer_id"]}):
        assert await found(desk, mark, **query) == [one["conversation_id"]], query
    for query in ({"status": "open"}, {"assignee": "none"}, {"channel": "second"}):
        assert await found(desk, mark, **query) == [other["conversation_id"]], query
    assert await found(desk, mark, channel="nowhere") == []


async def test_agents_find_what_they_see(desk: Desk) -> None:
    mark = word()
    letter = await desk.letter(mark, **someone())
    open_to_all = await desk.letter(mark, **someone())
    ours, theirs = [(await desk.send("POST", "/api/v1/teams", {"name": n}, status=201))["id"] for n in ("a", "b")]
    await desk.send("PATCH", f"{CONVERSATIONS}/{letter['conversation_id']}", {"team": ours})
    for teams, sees in (([ours], 2), ([theirs], 1), ([], 1)):
        made = await desk.send("POST", "/api/v1/tokens", {"name": "x", "teams": teams}, status=201)
        bearer = {"Authorization": f"Bearer {made['token']}"}
        async with desk.http.get(CONVERSATIONS, params={"q": mark}, headers=bearer) as answer:
            ids = [item["id"] for item in (await answer.json())["items"]]
        assert ids == [open_to_all["conversation_id"], letter["conversation_id"]][:sees]


async def test_an_edited_note_is_found_as_it_is_and_a_deleted_reply_no_more(desk: Desk) -> None:
    mark, before, after = word(), word(), word()
    letter = await desk.letter(mark, **someone())
    path = f"{CONVERSATIONS}/{letter['conversation_id']}"
    later = {"text": before, "send_at": "2999-01-01T00:00:00Z"}
    reply = await desk.send("POST", f"{path}/messages", later, status=201)
    assert await found(desk, before)
    await desk.send("PATCH", f"/api/v1/messages/{reply['id']}", {"text": after})
    assert (await found(desk, before), await found(desk, f"{mark} {after}")) == ([], [letter["conversation_id"]])
    await desk.send("PATCH", path, {"subject": before})
    assert await told(desk, before) == (None, [before])
    await desk.send("PATCH", path, {"subject": None})
    assert await found(desk, before) == []


async def test_what_was_joined_is_found_in_the_other(desk: Desk) -> None:
    one, other = word(), word()
    emptied = await desk.letter(one, subject=f"the {word()}", **someone())
    home = await desk.letter(other, **someone())
    await desk.send("POST", f"{CONVERSATIONS}/{emptied['conversation_id']}/merge", {"into": home["conversation_id"]})
    for asked in (one, other, f"{one} {other}"):
        assert await found(desk, asked) == [home["conversation_id"]]
    assert await told(desk, one) == (2, [one])


async def test_customers_are_found_by_names_and_addresses(desk: Desk) -> None:
    name, person = word(), f"{word()}@example.org"
    letter = await desk.letter("hello", name=f"Zeynep {name}", **{"from": person})
    ada = letter["customer_id"]
    for asked in (name, f"zeynep {name[:9]}", person, person.partition("@")[0], f"{name} {person}"):
        assert await found(desk, asked, CUSTOMERS) == [ada], asked
    assert await found(desk, f"{name} nobody", CUSTOMERS) == []
    renamed, added = word(), word()
    await desk.send("PATCH", f"{CUSTOMERS}/{ada}", {"name": f"Şule {renamed}"})
    await desk.send("POST", f"{CUSTOMERS}/{ada}/identities", {"kind": "letter", "value": added}, status=201)
    for asked in (f"SULE {renamed}", added, f"{renamed} {added} hello", f"{name} hello"):  # the address has a name too
        assert await found(desk, asked) == [letter["conversation_id"]], asked
    assert await found(desk, f"{renamed} {added}", CUSTOMERS) == [ada]


async def test_customers_come_in_pages_the_newest_first(desk: Desk) -> None:
    name = word()
    made = [(await desk.send("POST", CUSTOMERS, {"name": f"{name} {n}"}, status=201))["id"] for n in range(3)]
    first = await desk.get(CUSTOMERS, q=name, limit=2)
    rest = await desk.get(CUSTOMERS, q=name, limit=2, cursor=first["next"])
    assert [item["id"] for page in (first, rest) for item in page["items"]] == made[::-1]
    assert rest["next"] is None


async def test_who_was_merged_is_found_as_whom_they_are_known_until_they_are_parted(desk: Desk) -> None:
    names = word(), word()
    letters = [await desk.letter(f"of {name}", name=name, **someone()) for name in names]
    one, other = (letter["customer_id"] for letter in letters)
    conversations = [letter["conversation_id"] for letter in letters]
    await desk.send("POST", f"{CUSTOMERS}/{one}/merge", {"into": other})
    for asked in (*names, " ".join(names)):
        assert await found(desk, asked, CUSTOMERS) == [other]
        assert await found(desk, f"of {asked}") == conversations[::-1]
    await desk.send("POST", f"{CUSTOMERS}/{one}/unmerge", None)
    for name, customer, conversation in zip(names, (one, other), conversations, strict=True):
        assert await found(desk, name, CUSTOMERS) == [customer]
        assert await found(desk, name) == [conversation]
    assert await found(desk, " ".join(names), CUSTOMERS) == []


async def test_who_was_erased_is_found_no_more(desk: Desk, documents: Any) -> None:
    name, text = word(), word()
    letter = await desk.letter(text, name=f"Ada {name}", **(who := someone()))
    other = await desk.letter("a friend", **someone())
    await desk.letter(text, thread=other["external"]["thread_key"], name=f"Ada {name}", **who)
    assert len(await found(desk, text)) == 2
    await desk.send("POST", f"{CUSTOMERS}/{letter['customer_id']}/erase", None)
    for asked in (name, text, who["from"]):
        assert await found(desk, asked) == await found(desk, asked, CUSTOMERS) == []
    for collection in ("conversation_words", "customer_words"):
        assert await documents[collection].count_documents({"words": {"$in": [name, text, who["from"]]}}) == 0
        assert await documents[collection].count_documents({"of": letter["conversation_id"]}) == 0


@pytest.mark.parametrize("path", [CONVERSATIONS, CUSTOMERS])
@pytest.mark.parametrize(
    "q",
    ["", "x" * 201, "x" * 8_000, "!?… .,;", "%00", "🎉🎉", "%ED%A0%80", "%FF", "a b c d e f g h i", "\u0301\u0301"],
)
async def test_what_cannot_be_looked_for_is_refused(desk: Desk, path: str, q: str) -> None:
    encoded = q if q.startswith("%") else URL.build(query={"q": q}).raw_query_string.removeprefix("q=")
    problem = await desk.problem("GET", URL(f"{desk.url}{path}?q={encoded}", encoded=True))
    assert (problem["status"], problem["type"]) == (400, "invalid-query")


@pytest.mark.parametrize(
    "q", [".*", "^a", "$where", "(((((", "a\\", "[a-", "a%00b", "\\Qx\\E", "{}", "a" * 200, "ab|c"]
)
async def test_what_looks_like_a_pattern_is_none(desk: Desk, q: str) -> None:
    letter = await desk.letter(f"{q} {(mark := word())}", **someone())
    assert await found(desk, f"{mark} {q[:150]}") == [letter["conversation_id"]]


async def test_what_is_found_comes_in_the_order_that_is_asked_for(desk: Desk) -> None:
    mark, person = word(), someone()
    letters = [await desk.letter(f"{mark} {n}", **person) for n in range(5)]
    ids = [letter["conversation_id"] for letter in letters]
    for at in (3, 0):  # touched since
        await desk.send("PATCH", f"{CONVERSATIONS}/{ids[at]}", {"priority": "high"})
    await desk.send("PATCH", f"{CONVERSATIONS}/{ids[2]}", {"status": "resolved"})
    touched = [ids[at] for at in (2, 0, 3, 4, 1)]
    for sort, wanted in (
        ("-updated_at", touched),
        ("updated_at", touched[::-1]),
        ("waiting", [ids[at] for at in (0, 1, 3, 4)]),
    ):
        assert await found(desk, mark, sort=sort) == wanted
        pages, query = [], {"q": mark, "sort": sort, "limit": 2}
        page = await desk.get(CONVERSATIONS, **query)
        while True:
            pages += [item["id"] for item in page["items"]]
            assert all(item["found"]["text"].startswith(mark) for item in page["items"])
            if page["next"] is None:
                break
            page = await desk.get(CONVERSATIONS, **query, cursor=page["next"])
        assert pages == wanted
    assert await found(desk, mark, sort="-updated_at", status="resolved") == [ids[2]]


async def test_what_is_too_much_is_found_in_its_own_order_alone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inbox.store.search.SORTED", 2)
    mark, person = word(), someone()
    for _ in range(3):
        await desk.letter(mark, **person)
    problem = await desk.problem("GET", f"{CONVERSATIONS}?q={mark}&sort=-updated_at")
    assert (problem["status"], problem["type"]) == (400, "too-many-to-sort")
    assert len(await found(desk, mark)) == 3


async def test_a_search_has_cursors_of_its_own(desk: Desk) -> None:
    await desk.letter(mark := word(), **(person := someone()))
    await desk.letter(mark, **person)
    others = (await desk.get(CONVERSATIONS, limit=1))["next"]
    assert (await desk.problem("GET", f"{CONVERSATIONS}?q={mark}&cursor={others}"))["type"] == "invalid-query"
    ours = (await desk.get(CONVERSATIONS, q=mark, limit=1))["next"]
    assert (await desk.problem("GET", f"{CONVERSATIONS}?cursor={ours}"))["type"] == "invalid-query"
    ordered = f"{CONVERSATIONS}?q={mark}&sort=waiting&cursor={ours}"
    assert (await desk.problem("GET", ordered))["type"] == "invalid-query"
    assert (await desk.problem("GET", f"{CUSTOMERS}?q={mark}&identity=letter:x"))["type"] == "invalid-query"


async def test_what_came_before_there_was_a_search_is_found_once_it_is_migrated(
    desk: Desk, database: str, documents: Any
) -> None:
    name, text, subject = word(), word(), word()
    letter = await desk.letter(text, name=name, subject=subject, **someone())
    words = [document async for document in documents["conversation_words"].find({"of": letter["conversation_id"]})]
    people = [document async for document in documents["customer_words"].find({"of": letter["customer_id"]})]
    for collection in ("conversation_words", "customer_words"):
        await documents[collection].delete_many({"of": {"$in": [letter["conversation_id"], letter["customer_id"]]}})
    assert await found(desk, text) == []
    await documents["meta"].delete_one({"_id": "words"})

    store = await Store.open(database, migrate=True)
    await store.close()

    for asked in (f"{text} {name} {subject}", text):
        assert await found(desk, asked) == [letter["conversation_id"]]
    assert await found(desk, name, CUSTOMERS) == [letter["customer_id"]]
    again = documents["conversation_words"].find({"of": letter["conversation_id"]})
    assert {document["_id"]: document async for document in again} == {document["_id"]: document for document in words}
    assert [document async for document in documents["customer_words"].find({"of": letter["customer_id"]})] == people
    done = await documents["meta"].find_one({"_id": "words"})
    assert done == {"_id": "words", "customers": None, "conversations": None, "messages": None}
