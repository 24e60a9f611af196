"""The words of what came before there was a search."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from pymongo import ASCENDING, UpdateOne

from inbox.model import Conversation, Customer
from inbox.store import words
from inbox.store.client import Database, Document
from inbox.store.documents import COLLECTIONS, from_document
from inbox.store.people import People
from normalizer.schema import Message

AT_ONCE = 500


async def fill(database: Database) -> None:
    """Writes all words that are missing. One that was cut off goes on where it came to; done once, it does nothing.

    What stands is left alone: it was written with what it is about.
    """
    done = await database["meta"].find_one({"_id": "words"}) or {}
    for kind, of, documents in (
        (Customer, Customer, _of_customers),
        (Conversation, Conversation, _of_heads),
        (Message, Conversation, _of_messages),
    ):
        name = COLLECTIONS[kind]
        await _fill(database, name, words.COLLECTIONS[of], documents, done.get(name, ""))


Documents = Callable[[Database, Sequence[Document]], Awaitable[list[Document]]]


async def _fill(database: Database, name: str, into: str, documents: Documents, after: str | None) -> None:
    while after is not None:
        found = database[name].find({"_id": {"$gt": after}}).sort("_id", ASCENDING).limit(AT_ONCE)
        read = [document async for document in found]
        after = read[-1]["_id"] if read else None
        missing = [
            UpdateOne({"_id": document.pop("_id")}, {"$setOnInsert": document}, upsert=True)
            for document in await documents(database, read)
        ]
        if missing:
            await database[into].bulk_write(missing, ordered=False)
        await database["meta"].update_one({"_id": "words"}, {"$set": {name: after}}, upsert=True)


async def _of_messages(_: Database, read: Sequence[Document]) -> list[Document]:
    found = (words.of_message(from_document(document, Message)) for document in read)
    return [document for document in found if document is not None]


async def _of_heads(database: Database, read: Sequence[Document]) -> list[Document]:
    conversations = [from_document(document, Conversation) for document in read]
    people = await _people(database, [one.customer_id for one in conversations])
    found = (words.of_head(one, people.get(one.customer_id)) for one in conversations)
    return [document for document in found if document is not None]


async def _of_customers(database: Database, read: Sequence[Document]) -> list[Document]:
    people = await _people(database, [document["_id"] for document in read])
    return [words.of_customer(id_, person) for id_, person in people.items()]


async def _people(database: Database, customer_ids: Sequence[str]) -> dict[str, words.Person]:
    known = People(database)
    roots = await known.roots(set(customer_ids))
    families = await known.families(list(roots.values()))
    members = [member.id for family in families.values() for member in family]
    return words.people(
        {id_: families[root.id] for id_, root in roots.items()}, await known.identities(members), members
    )
