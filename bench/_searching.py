"""Search over a million messages: each kind of question beside a bare indexed query, a page of the inbox.

Conversations of ten messages lie over two years; words are as frequent as words are (Zipf), so that the first of them
is in every other conversation and the last in hardly any.
"""

from __future__ import annotations

import http.client
import itertools
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from pymongo import DESCENDING
from pymongo.database import Database as SyncDatabase

from bench import _reading
from bench._processes import free_port, running
from bench._table import Line
from bench._targets import Santral
from inbox.model import Conversation, first_id, new_id
from inbox.store import words
from inbox.store.documents import to_document
from normalizer.schema import Author, Message

Document = dict[str, Any]

EACH = 10  # messages of a conversation
BATCH = 500  # conversations at once
BEGAN = datetime(2024, 12, 1, tzinfo=UTC)
LASTED = timedelta(days=730)
SYLLABLES = ("ka", "si", "pa", "ris", "ge", "lo", "mu", "te", "ya", "bo", "zu", "ni", "ket", "var", "al", "su")
VOCABULARY = [
    "".join(syllables) + mark for mark in ("", "lar", "im") for syllables in itertools.product(SYLLABLES, repeat=3)
]
random.Random(1).shuffle(VOCABULARY)
WEIGHTS = list(itertools.accumulate(1 / place for place in range(5, len(VOCABULARY) + 5)))
SAID = 40  # words of a message
# Each in half of the conversations, and never together.
APART = ("elma", "armut")


def lines(santral: Santral, folder: Path, conversations: int) -> list[Line]:
    """All of it, with so many conversations in the database."""
    port = free_port()
    database = santral.database["santral"]
    table = []
    with running("-m", "bench._answer", str(port), says="ready", log=folder / "found.log"):
        fill(database, conversations)
        ours = http.client.HTTPConnection("127.0.0.1", santral.http_port)
        bare = http.client.HTTPConnection("127.0.0.1", port)
        for read in measured(database, ours, bare, santral.token):
            told = f"p99 {read.call:.1f} ms ({read.query:.1f} + {read.answer:.1f}); at most 50"
            table.append(Line(f"search: {read.name} / bare page", told, read.share, good=read.call <= 50))
    return table


def fill(database: SyncDatabase[Document], count: int) -> None:
    """Adds that many conversations with their messages and words."""
    for first in range(0, count, BATCH):
        made = [_conversation(number, count) for number in range(first, min(count, first + BATCH))]
        messages = [message for number, one in enumerate(made) for message in _messages(one, APART[number % 2])]
        database["conversations"].insert_many([to_document(one) for one in made], ordered=False)
        database["messages"].insert_many([to_document(one) for one in messages], ordered=False)
        found_by = [*map(words.of_message, messages), *(words.of_head(one, None) for one in made)]
        database["conversation_words"].insert_many([one for one in found_by if one], ordered=False)


def measured(
    database: SyncDatabase[Document], santral: http.client.HTTPConnection, bare: http.client.HTTPConnection, token: str
) -> Iterator[_reading.Read]:
    """Each kind of question, beside a page of the inbox and a bare answer of the same bytes."""
    newest = [("updated_at", DESCENDING), ("_id", DESCENDING)]

    def page(_: str) -> object:
        return list(database["conversations"].find({"merged_into": None}).sort(newest).limit(51))

    common, rare = VOCABULARY[:30], VOCABULARY[-3_000:]
    asked = {
        "a common word": common,
        "two common words": [f"{one}+{other}" for one, other in itertools.pairwise(common)],
        "a common and a rare word": [f"{one}+{other}" for one, other in zip(common * 100, rare, strict=True)],
        "a rare word": rare,
        "three letters": sorted({word[:3] for word in VOCABULARY[:300]}),
        "a common word of what is assigned to nobody": [f"{one}&assignee=nobody" for one in common[:3]],
        "two words that never meet": ["+".join(APART)],
    }
    for name, queries in asked.items():
        calls = _reading.CALLS if len(queries) > 3 else 20
        path = "/api/v1/conversations?q={id}"
        yield _reading.read(name, (santral, bare, token), path, page, queries, calls=calls)


def _conversation(number: int, of: int) -> Conversation:
    at = BEGAN + LASTED * number / of
    conversation = _reading.numbered(number)
    return replace(conversation, id=first_id(at) + new_id()[13:], created_at=at, updated_at=at)


def _messages(conversation: Conversation, apart: str) -> Iterator[Message]:
    for seq in range(1, EACH + 1):
        yield Message(
            id=new_id(),
            conversation_id=conversation.id,
            customer_id=conversation.customer_id,
            seq=seq,
            channel=conversation.channels[0],
            connector="email",
            author=Author(type="customer"),
            text=" ".join([*random.choices(VOCABULARY, cum_weights=WEIGHTS, k=SAID), apart]),
            received_at=conversation.created_at,
            created_at=conversation.created_at,
        )
