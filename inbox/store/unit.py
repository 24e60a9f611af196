"""A unit of work: what one transaction looks up and changes, and the events that tell of it.

A change reads through `get` and writes through `put` and `remove`; nothing goes to the database before `flush`.
So several changes share one transaction, each seeing what those before it did, and one that raises is undone alone.

Events are made here, from what was put: nothing can change without a word, or be told without having
happened.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, tzinfo

import msgspec
from pymongo import DeleteMany, DeleteOne, InsertOne, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from inbox.filters import View
from inbox.model import CannedReply, Conversation, Customer, CustomerNote, Event, Identity
from inbox.sight import Audience, audience
from inbox.store import counts, reports, words
from inbox.store.client import Database
from inbox.store.documents import COLLECTIONS, AnyStored, Stored, StoredT, to_document
from inbox.store.errors import NotOwnerError
from inbox.store.events import POSITIONS, to_log
from inbox.store.layers import Key, Layers
from inbox.store.telling import erasure_of, event_of
from inbox.tallies import Step, of_conversations, tallied
from normalizer.schema import Message

Versioned = Conversation | Customer | CustomerNote | CannedReply | View
Operation = UpdateOne | DeleteMany | words.Operation


class Unit(Layers):
    """One transaction's changes. Made by `inbox.store.writer.Writer`, valid until it has committed.

    Attributes:
        now: the time that everything in this transaction bears.
        number: that of the transaction.
        events: what it tells, once it is flushed.
    """

    def __init__(
        self, database: Database, session: AsyncClientSession, number: int, now: datetime, zone: tzinfo
    ) -> None:
        """`zone` is that of the days for which reports count."""
        super().__init__(database, session)
        self.now = now
        self.number = number
        self.events: list[Event] = []
        self._zone = zone
        self._steps: list[Step] = []
        self._settled: dict[str, list[str]] = {}
        self._settling: dict[str, list[str]] = {}

    def put(self, value: AnyStored) -> AnyStored:
        """Stores something new, or something that was got, changed. Versions grow by themselves.

        That a conversation is opened again is noted by itself too.

        Returns:
            What is stored.
        """
        if isinstance(value, Versioned):
            before = self._current((type(value), value.id))
            if isinstance(before, Versioned):
                value = msgspec.structs.replace(value, version=before.version + 1)
            if isinstance(before, Conversation) and isinstance(value, Conversation) and _reopened(before, value):
                value = msgspec.structs.replace(value, opened_at=self.now, answered_at=None)
        self._fresh[(type(value), value.id)] = value
        return value

    def remove(self, kind: type[StoredT], id_: str) -> None:
        """Deletes something that was got."""
        self._fresh[(kind, id_)] = None

    def settle(self, owner: str, entry_ids: Iterable[str]) -> None:
        """Marks journal entries as applied; the transaction fails if they are not all `owner`'s and new."""
        self._settling.setdefault(owner, []).extend(entry_ids)

    def keep(self) -> None:
        """What was changed since the last call is part of the transaction."""
        for key, value in self._fresh.items():
            before = self._kept.get(key, self._stored.get(key))
            if isinstance(value or before, Message | Conversation):
                self._steps.append((before, value))  # type: ignore[arg-type]  # both are what the key says
        self._kept.update(self._fresh)
        for owner, ids in self._settling.items():
            self._settled.setdefault(owner, []).extend(ids)
        self.forget()

    def forget(self) -> None:
        """What was changed since `keep` is undone."""
        self._fresh = {}
        self._settling = {}

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not self._kept and not self._settled

    async def flush(self) -> None:
        """Writes everything kept.

        Raises:
            NotOwnerError: journal entries to settle are not ours any more.
        """
        await self._settle()
        self.events = await self._told()
        operations: dict[str, list[Operation]] = {}
        for collection, found_by in (await self._findable()).items():
            operations[collection] = [*found_by]
        for (kind, id_), value in self._kept.items():
            operation = self._operation((kind, id_), value)
            if operation is not None:
                operations.setdefault(COLLECTIONS[kind], []).append(operation)
        operations["counts"] = [*counts.changes(of_conversations(self._steps))]
        operations["reports"] = [*reports.changes(tallied(self._steps, self._conversation, self.now, self._zone))]
        operations.setdefault("events", []).extend(map(InsertOne, to_log(self.events)))
        for collection, batch in operations.items():
            if batch:
                ordered = collection == "counts"  # what is empty goes after it was counted
                await self._database[collection].bulk_write(batch, ordered=ordered, session=self._session)

    def _conversation(self, id_: str) -> Conversation | None:
        found = self._current((Conversation, id_))
        return found if isinstance(found, Conversation) else None

    async def _findable(self) -> words.Operations:
        """The words by which what was kept is found."""
        changes = [(self._stored.get(key), value) for key, value in self._kept.items()]
        named, shown = words.concerned(changes)
        return words.operations(changes, await self._people(named | shown), named)

    async def _people(self, customer_ids: Iterable[str]) -> dict[str, words.Person]:
        """Those of these customers that exist, with all whom they are one with."""
        families = {id_: family for id_ in customer_ids if (family := await self.family_of(id_))}
        members = {member.id for family in families.values() for member in family}
        stored = {id_ for id_ in members if self._stored.get((Customer, id_)) is not None}
        if stored:
            await self._load(Identity, {"customer_id": {"$in": list(stored)}})
        return words.people(families, self._all(Identity), stored)

    async def _settle(self) -> None:
        for owner, ids in self._settled.items():
            result = await self._database["journal"].update_many(
                {"_id": {"$in": ids}, "state": "new", "owner": owner},
                {"$set": {"state": "applied", "applied_at": self.now}, "$unset": {"error": ""}},
                session=self._session,
                hint="_id_",
            )
            if result.matched_count != len(ids):
                raise NotOwnerError(f"{len(ids) - result.matched_count} journal entries have another owner")

    def _operation(self, key: Key, value: Stored | None) -> Operation | None:
        before = self._stored.get(key)
        if value is None:
            return DeleteOne({"_id": key[1]}) if before is not None else None
        document = to_document(value)
        if before is None:
            return InsertOne(document)
        # Not the whole document: the server then leaves the indexes of what stays alone, which are most of them.
        known = to_document(before)
        changed = {name: field for name, field in document.items() if field != known[name]}
        return UpdateOne({"_id": key[1]}, {"$set": changed}) if changed else None

    async def _told(self) -> list[Event]:
        """Messages first, then conversations and customers, each once as it stands at the end."""
        told = [value for value in self._kept.values() if isinstance(value, Message | Conversation | Customer)]
        await self.get(Conversation, {value.conversation_id for value in told if isinstance(value, Message)})
        customers = await self.roots({value.customer_id for value in told if isinstance(value, Conversation)})
        told.sort(key=lambda value: 0 if isinstance(value, Message) else 1)
        events = []
        for offset, value in enumerate(told):
            event = event_of(
                value,
                self.number * POSITIONS + offset,
                self.now,
                customers,
                before=self._stored.get((type(value), value.id)),
                told=self._audience(value),
            )
            events.append(event)
        return events + self._erased(self.number * POSITIONS + len(events))

    def _erased(self, position: int) -> list[Event]:
        """What was removed: nothing is told of it but that it is gone."""
        gone = [self._stored.get(key) for key, value in self._kept.items() if value is None]
        erased = [value for value in gone if isinstance(value, Conversation | Customer)]
        return [erasure_of(value, position + offset, self.now) for offset, value in enumerate(erased)]

    def _audience(self, value: Message | Conversation | Customer) -> Audience | None:
        """Also who saw it until now: they learn that it has gone."""
        if isinstance(value, Customer):
            return None
        key = (Conversation, value.id if isinstance(value, Conversation) else value.conversation_id)
        versions = (self._stored.get(key), self._current(key))
        return audience(*(version for version in versions if isinstance(version, Conversation)))


def _reopened(before: Conversation, after: Conversation) -> bool:
    return before.status == "resolved" and after.status != "resolved"
