"""By which words a conversation and a customer are found: written with what they stand in, in the same transaction.

A document of `conversation_words` holds the words of one message, or of a conversation's subject and its customer's
names and addresses; one of `customer_words` those of one customer. `of` is the conversation or customer that is found
by them, `slot` the beginning of that id, so of some days: within it beginnings of words cost what these days have.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from pymongo import DeleteOne, InsertOne, ReplaceOne, UpdateMany

from inbox.model import Conversation, Customer, Identity
from inbox.store.client import Document
from inbox.store.documents import DATABASE_VERSION, Stored
from normalizer.folding import WORDS, tokens
from normalizer.schema import Message

COLLECTIONS: Mapping[type[Any], str] = {Conversation: "conversation_words", Customer: "customer_words"}
SLOT = 5  # hexadecimal digits of an id that is ordered by time: three days

Operation = InsertOne[Document] | ReplaceOne[Document] | UpdateMany | DeleteOne
Operations = dict[str, list[Operation]]
Change = tuple[Stored | None, Stored | None]
"""Something as it was and as it is."""


class Person(Struct, frozen=True, kw_only=True):
    """Who is known as one customer, with all who were merged into them, and by which words each of these is found.

    `is_new`: nothing of them is stored yet.
    """

    root: str
    words: Mapping[str, Sequence[str]]
    is_new: bool = False

    @property
    def all(self) -> list[str]:
        """The words of all of them."""
        return _distinct(self.words.values())


def slot(id_: str) -> str:
    """The beginning of an id."""
    return id_[:SLOT]


def of_message(message: Stored | None) -> Document | None:
    """The words of a message; none where it was deleted."""
    if not isinstance(message, Message) or message.deleted_at is not None:
        return None
    texts = (message.text, message.subject or "", *(file.filename for file in message.attachments))
    words = _distinct(tokens(text) for text in texts if text)
    return _document(message.id, message.conversation_id, words) if words else None


def of_head(conversation: Stored | None, person: Person | None) -> Document | None:
    """The words of a conversation's subject and customer; none where it was joined to another."""
    if not isinstance(conversation, Conversation) or conversation.merged_into is not None:
        return None
    subject = tokens(conversation.subject or "")
    words = _distinct((subject, person.all if person else ()))
    told = {"customer_id": conversation.customer_id, "subject": subject}
    return _document(conversation.id, conversation.id, words) | told


def of_customer(customer_id: str, person: Person) -> Document:
    """The words of a customer, found as whom they are known."""
    return _document(customer_id, person.root, person.words[customer_id])


def people(
    families: Mapping[str, Sequence[Customer]], identities: Iterable[Identity], stored: Collection[str]
) -> dict[str, Person]:
    """Who these are known as, by the id that they were asked for.

    Args:
        families: each with all whom they are one with, first the one that they are known as.
        identities: theirs, and perhaps others'.
        stored: the ids of those who are not new.
    """
    theirs: dict[str, list[Identity]] = {member.id: [] for family in families.values() for member in family}
    for identity in identities:
        if identity.customer_id in theirs:
            theirs[identity.customer_id].append(identity)
    return {
        id_: Person(
            root=family[0].id,
            words={member.id: _of_customer(member, theirs[member.id]) for member in family},
            is_new=not any(member.id in stored for member in family),
        )
        for id_, family in families.items()
    }


def concerned(changes: Iterable[Change]) -> tuple[set[str], set[str]]:
    """The customers whose words change, and those whose words stand in a conversation that changes."""
    named: set[str] = set()
    shown: set[str] = set()
    for versions in changes:
        if _same(*versions):
            continue
        for value in versions:
            if isinstance(value, Customer):
                named.add(value.id)
            elif isinstance(value, Identity):
                named.add(value.customer_id)
            elif isinstance(value, Conversation):
                shown.add(value.customer_id)
    return named, shown


def operations(changes: Iterable[Change], people: Mapping[str, Person], named: Collection[str]) -> Operations:
    """What to write for what was and what is.

    Args:
        changes: each thing as it was and as it is.
        people: customers of whom `concerned` speaks, by id.
        named: those of them whose words change.
    """
    of_conversations: list[Operation] = []
    of_customers: list[Operation] = []
    for before, after in changes:
        if _same(before, after):
            continue
        if isinstance(before or after, Message):
            of_conversations += _written(of_message(before), of_message(after))
        elif isinstance(before or after, Conversation):
            person = people.get(after.customer_id) if isinstance(after, Conversation) else None
            of_conversations += _written(of_head(before, None), of_head(after, person))
        elif isinstance(before, Customer) and after is None:
            of_customers.append(DeleteOne({"_id": before.id}))
    for person in {people[id_].root: people[id_] for id_ in named if id_ in people}.values():
        of_customers += _of_people(person)
        if not person.is_new:
            of_conversations.append(_renamed(person))
    return {COLLECTIONS[Conversation]: of_conversations, COLLECTIONS[Customer]: of_customers}


def _of_customer(customer: Customer, identities: Iterable[Identity]) -> list[str]:
    names = [customer.name or ""]
    for identity in identities:
        names += [identity.value, identity.name or ""]
    return _distinct(map(tokens, names))


def _same(before: Stored | None, after: Stored | None) -> bool:
    """Whether nothing changed by which something is found, as with most of what is written."""
    return before is not None and after is not None and _told(before) == _told(after)


def _told(value: Stored) -> tuple[object, ...]:
    """All that decides by which words something is found."""
    match value:
        case Message():
            names = [file.filename for file in value.attachments]
            return value.conversation_id, value.text, value.subject, names, value.deleted_at is None
        case Conversation():
            return value.subject, value.customer_id, value.merged_into
        case Customer():
            return value.name, value.merged, value.merged_into
        case Identity():
            return value.customer_id, value.value, value.name
    return ()


def _written(before: Document | None, after: Document | None) -> Iterator[Operation]:
    if after is None:
        if before is not None:
            yield DeleteOne({"_id": before["_id"]})
    elif before is None:
        yield InsertOne(after)
    else:
        yield _put(after)


def _of_people(person: Person) -> Iterator[Operation]:
    for id_ in person.words:
        document = of_customer(id_, person)
        yield InsertOne(document) if person.is_new else _put(document)


def _renamed(person: Person) -> UpdateMany:
    """The heads of a person's conversations, in one operation: there may be many."""
    words: Document = {"$setUnion": ["$subject", {"$literal": person.all}]}
    return UpdateMany({"customer_id": {"$in": list(person.words)}}, [{"$set": {"words": words}}])


def _put(document: Document) -> Operation:
    """In the place of what stands there; in a database from before there were words it may not."""
    return ReplaceOne({"_id": document["_id"]}, document, upsert=True)


def _document(id_: str, of: str, words: Sequence[str]) -> Document:
    return {"_id": id_, "slot": slot(of), "of": of, "words": list(words), "schema_version": DATABASE_VERSION}


def _distinct(several: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(word for words in several for word in words))[:WORDS]
