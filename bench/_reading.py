"""What agents read all day, at a size that hurts: each call beside its bare query and a bare answer of the same bytes.

The database is filled with documents as Santral writes them; a conversation has ten messages, a customer five
conversations. Calls of both sides take turns, one at a time, and the 99th percentiles are compared.
"""

from __future__ import annotations

import http.client
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import quantiles
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from pymongo import DESCENDING
from pymongo.database import Database as SyncDatabase

from inbox.model import Conversation, Customer, Identity, Preview, Status, new_id
from inbox.store.counts import Count, cells
from inbox.store.documents import to_document
from normalizer.schema import Author, External, Message

Document = dict[str, Any]

EACH = 10  # messages of a conversation
CONVERSATIONS_EACH = 5  # of a customer
BATCH = 2_000
CALLS = 1_000
STATUSES: tuple[Status, ...] = (
    "open",
    "pending",
    "snoozed",
    "resolved",
    "resolved",
    "resolved",
    "resolved",
    "resolved",
)
TEXT = "I ordered a lamp on Monday, and it has not come. Could you look where it is? " * 5


class Read(Struct, frozen=True):
    """One call: what it took, and what its bare query and a bare answer took (99th percentiles, milliseconds)."""

    name: str
    call: float
    query: float
    answer: float

    @property
    def share(self) -> float:
        """The call, in bare sums."""
        return self.call / (self.query + self.answer)


def fill(database: SyncDatabase[Document], begin: int, end: int) -> None:
    """Adds conversations with these numbers, with all that belongs to them, and counts them."""
    counted: dict[str, Count] = {}
    for first in range(begin, end, BATCH):
        made = [numbered(number) for number in range(first, min(end, first + BATCH))]
        for kind, values in _with_theirs(made):
            database[kind].insert_many([to_document(value) for value in values], ordered=False)
        for conversation in made:
            for cell in cells(conversation):
                before = counted.get(cell.id)
                counted[cell.id] = Count(**cell._asdict(), n=(before.n if before else 0) + 1)
    for id_, count in counted.items():
        fields = {name: getattr(count, name) for name in ("status", "team", "assignee", "kind", "value")}
        database["counts"].update_one({"_id": id_}, {"$inc": {"n": count.n}, "$setOnInsert": fields}, upsert=True)


def fill_long(database: SyncDatabase[Document], count: int) -> str:
    """Adds a conversation of so many messages; returns its id."""
    conversation = replace(numbered(0), last_seq=count)
    messages = [_message(conversation, seq) for seq in range(1, count + 1)]
    messages[-1] = replace(messages[-1], text="the last of them")
    database["conversations"].insert_one(to_document(conversation))
    database["messages"].insert_many([to_document(one) for one in messages], ordered=False)
    return conversation.id


def measured(
    database: SyncDatabase[Document], santral: http.client.HTTPConnection, bare: http.client.HTTPConnection, token: str
) -> list[Read]:
    """Each call with its bare query and answer, in turns."""
    conversations = [document["_id"] for document in database["conversations"].find({}, {"_id": 1}).limit(5_000)]
    customers = [document["_id"] for document in database["customers"].find({}, {"_id": 1}).limit(5_000)]

    def page(query: Document) -> Callable[[str], object]:
        newest = [("updated_at", DESCENDING), ("_id", DESCENDING)]
        return lambda _: list(database["conversations"].find(query).sort(newest).limit(51))

    def messages(id_: str) -> object:
        return list(database["messages"].find({"conversation_id": id_}).sort("seq", DESCENDING).limit(51))

    def timeline(id_: str) -> object:
        return list(database["messages"].find({"customer_id": id_}).sort("_id", 1).limit(51))

    def counts(_: str) -> object:
        return list(database["counts"].find({"kind": {"$in": ["all", "channel", "tag"]}}))

    asked = [
        ("inbox page", "/conversations?status=open", page({"status": "open", "merged_into": None}), conversations),
        ("conversation", "/conversations/{id}/messages", messages, conversations),
        ("timeline of a customer", "/customers/{id}/timeline", timeline, customers),
        ("counts of every queue", "/counts", counts, customers),
    ]
    servers = (santral, bare, token)
    return [read(name, servers, f"/api/v1{path}", query, ids) for name, path, query, ids in asked]


def read(
    name: str,
    servers: tuple[http.client.HTTPConnection, http.client.HTTPConnection, str],
    path: str,
    query: Callable[[str], object],
    ids: list[str],
    *,
    calls: int = CALLS,
) -> Read:
    """Calls Santral, its bare query and a bare answer of the same bytes in turns; `servers` end with the token."""
    santral, bare, token = servers
    times: dict[str, list[float]] = {"call": [], "query": [], "answer": []}
    size = 2
    for number in range(calls + 20):
        id_ = random.choice(ids)
        turns: tuple[tuple[str, Callable[[], object]], ...] = (
            ("call", partial(_get, santral, path.replace("{id}", id_), token)),
            ("query", partial(query, id_)),
            ("answer", partial(_get, bare, f"/{size}", "")),
        )
        for what, work in turns:
            began = time.perf_counter()
            found = work()
            took = (time.perf_counter() - began) * 1000
            if what == "call":
                size = max(2, len(found))  # type: ignore[arg-type]
            if number >= 20:  # the first ones warm both up
                times[what].append(took)
    p99 = {what: quantiles(found, n=100)[98] for what, found in times.items()}
    return Read(name, p99["call"], p99["query"], p99["answer"])


def _get(connection: http.client.HTTPConnection, path: str, token: str) -> bytes:
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise AssertionError(f"{path}: {answer.status} {body!r}")
    return body


def numbered(number: int) -> Conversation:
    """The conversation with that number."""
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number * 10)
    channel = f"channel-{number % 4}"
    return Conversation(
        id=new_id(),
        customer_id=f"customer-{number // CONVERSATIONS_EACH}",
        subject=f"Order {number}",
        status=STATUSES[number % len(STATUSES)],
        assignee=f"agent-{number % 20}" if number % 3 else None,
        tags=(f"tag-{number % 30}",),
        channels=(channel,),
        last_seq=EACH,
        inbound=EACH // 2,
        last_message=Preview(
            id=new_id(),
            seq=EACH,
            kind="message",
            direction="inbound",
            channel=channel,
            author="Ada",
            text=TEXT[:160],
            at=at,
        ),
        created_at=at,
        updated_at=at,
    )


def _with_theirs(made: list[Conversation]) -> Iterator[tuple[str, list[Any]]]:
    yield "conversations", made
    customers = {one.customer_id: one.created_at for one in made}
    yield (
        "customers",
        [Customer(id=id_, name=f"Ada {id_}", created_at=at, updated_at=at) for id_, at in customers.items()],
    )
    yield (
        "identities",
        [
            Identity(
                id=f"email:{id_}@example.com", kind="email", value=f"{id_}@example.com", customer_id=id_, created_at=at
            )
            for id_, at in customers.items()
        ],
    )
    yield "messages", [_message(one, seq) for one in made for seq in range(1, EACH + 1)]


def _message(conversation: Conversation, seq: int) -> Message:
    inbound = seq % 2 == 1
    return Message(
        id=new_id(),
        conversation_id=conversation.id,
        customer_id=conversation.customer_id,
        seq=seq,
        direction="inbound" if inbound else "outbound",
        channel=conversation.channels[0],
        connector="email",
        author=Author(type="customer" if inbound else "agent", id=conversation.customer_id, name="Ada"),
        external=External(id=f"{conversation.id}.{seq}@example.com", thread_key=conversation.id),
        text=TEXT,
        received_at=conversation.created_at,
        created_at=conversation.created_at,
    )
