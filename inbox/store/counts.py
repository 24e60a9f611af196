"""How many conversations there are of each kind, counted as they change and not when somebody asks.

A cell is a status, a team and an assignee, and for each channel and each tag one more. Each transaction adds what it
changed to the cells that it touched (`inbox.store.unit`), so a number costs the same with a thousand conversations and
with millions; a message that leaves its conversation where it was costs nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from msgspec import Struct
from pymongo import DeleteMany, UpdateOne

from inbox.model import Conversation, Status
from inbox.staff import Principal
from inbox.store.client import Database, Document
from inbox.store.documents import from_document
from inbox.store.guard import guarded
from inbox.store.seen import seen_by

Kind = Literal["all", "channel", "tag"]


class Cell(NamedTuple):
    """What is counted together; `value` is the channel or the tag."""

    status: Status
    team: str | None
    assignee: str | None
    kind: Kind
    value: str

    @property
    def id(self) -> str:
        """What the cell is found by."""
        return "|".join((self.status, self.team or "", self.assignee or "", self.kind, self.value))


class Count(Struct, frozen=True, kw_only=True):
    """A cell with its number."""

    status: Status
    team: str | None
    assignee: str | None
    kind: Kind
    value: str
    n: int


def cells(conversation: Conversation | None) -> Iterator[Cell]:
    """The cells that a conversation counts in; none where it was joined to another."""
    if conversation is None or conversation.merged_into is not None:
        return
    where = (conversation.status, conversation.team, conversation.assignee)
    yield Cell(*where, "all", "")
    for channel in conversation.channels:
        yield Cell(*where, "channel", channel)
    for tag in conversation.tags:
        yield Cell(*where, "tag", tag)


def _where(conversation: Conversation) -> tuple[object, ...]:
    """All that decides in which cells a conversation counts."""
    return (
        conversation.status,
        conversation.team,
        conversation.assignee,
        conversation.channels,
        conversation.tags,
        conversation.merged_into,
    )


def changes(versions: Iterable[tuple[Conversation | None, Conversation | None]]) -> Sequence[UpdateOne | DeleteMany]:
    """What to write for conversations that were and that are."""
    changed: Counter[Cell] = Counter()
    for before, after in versions:
        if before is not None and after is not None and _where(before) == _where(after):
            continue  # as with nearly every message
        changed.subtract(cells(before))
        changed.update(cells(after))
    touched = {cell: n for cell, n in changed.items() if n}
    operations: list[UpdateOne | DeleteMany] = [
        UpdateOne({"_id": cell.id}, {"$inc": {"n": n}, "$setOnInsert": cell._asdict()}, upsert=True)
        for cell, n in touched.items()
    ]
    if emptied := [cell.id for cell, n in touched.items() if n < 0]:
        operations.append(DeleteMany({"_id": {"$in": emptied}, "n": 0}))
    return operations


@guarded
class Counts:
    """The `counts` collection."""

    def __init__(self, database: Database) -> None:
        self._counts = database["counts"]

    async def seen_by(self, reader: Principal, *, kinds: Sequence[Kind]) -> list[Count]:
        """The cells of what `reader` sees."""
        query: Document = {"kind": {"$in": list(kinds)}, **seen_by(reader)}
        return [from_document(document, Count) async for document in self._counts.find(query)]


async def recount(database: Database) -> None:
    """Counts everything anew; for a database in which nobody has counted yet."""
    found = database["conversations"].find()
    versions = [(None, from_document(document, Conversation)) async for document in found]
    await database["counts"].delete_many({})
    if operations := changes(versions):
        await database["counts"].bulk_write(operations)
