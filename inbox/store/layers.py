"""What one transaction sees: the database, and over it what the transaction itself has changed by now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeVar

from pymongo.asynchronous.client_session import AsyncClientSession

from inbox.model import Conversation, Customer, Draft, Identity, OutboxItem, ThreadKey
from inbox.staff import Agent
from inbox.store.client import Database, Document
from inbox.store.documents import COLLECTIONS, Stored, StoredT, from_document
from inbox.store.queries import written_by
from normalizer.schema import Message

LOADED_AT_ONCE = 1_000  # documents; the server's own first answer has 101, and a roundtrip more for the rest

HangingT = TypeVar("HangingT", ThreadKey, Draft)
Key = tuple[type[Any], str]


class Layers:
    """Reads in one transaction, each thing once.

    Later layers hide earlier ones: `_stored` is what the database has, `_kept` what the transaction changed, `_fresh`
    what the change at work has changed so far.
    """

    def __init__(self, database: Database, session: AsyncClientSession) -> None:
        self._database = database
        self._session = session
        self._stored: dict[Key, Stored | None] = {}
        self._kept: dict[Key, Stored | None] = {}
        self._fresh: dict[Key, Stored | None] = {}

    async def get(self, kind: type[StoredT], ids: Iterable[str]) -> dict[str, StoredT]:
        """Those of `ids` that exist, as this transaction sees them."""
        wanted = dict.fromkeys(ids)
        missing = [id_ for id_ in wanted if (kind, id_) not in self._stored and not self._touched((kind, id_))]
        if missing:
            self._stored.update(dict.fromkeys(((kind, id_) for id_ in missing), None))
            await self._load(kind, {"_id": {"$in": missing}})
        found = ((id_, self._current((kind, id_))) for id_ in wanted)
        return {id_: value for id_, value in found if isinstance(value, kind)}

    async def one(self, kind: type[StoredT], id_: str) -> StoredT | None:
        """The one with that id, or None."""
        return (await self.get(kind, [id_])).get(id_)

    async def messages_of(self, conversation_id: str) -> list[Message]:
        """All messages of a conversation, in order."""
        await self._load(Message, {"conversation_id": conversation_id})
        mine = [m for m in self._all(Message) if m.conversation_id == conversation_id]
        return sorted(mine, key=lambda message: message.seq)

    async def last_of(
        self, conversation_id: str, customer_ids: Sequence[str] | None, channel: str | None
    ) -> Message | None:
        """The newest message that one of these (None: anybody) wrote in a conversation (on `channel`, if named)."""
        query = written_by(conversation_id, customer_ids, channel)
        found = self._database["messages"].find(query, {"_id": 1}, session=self._session).sort("seq", -1).limit(1)
        async for document in found:
            return await self.one(Message, document["_id"])
        return None

    async def written_before(self, item: OutboxItem) -> Message | None:
        """The newest message before a reply that whom it answers wrote on its channel."""
        query: Document = {
            "conversation_id": item.conversation_id,
            "seq": {"$lt": item.seq},
            "channel": item.channel,
            "direction": "inbound",
            "kind": "message",
            "author.identity_id": item.identity_id,
        }
        found = self._database["messages"].find(query, {"_id": 1}, session=self._session).sort("seq", -1).limit(1)
        async for document in found:
            return await self.one(Message, document["_id"])
        return None

    async def replies_unless(self, conversation_ids: Collection[str]) -> list[OutboxItem]:
        """The replies in these conversations that leave only unless the customer writes before."""
        old = [id_ for id_ in await self.get(Conversation, conversation_ids) if self._stored.get((Conversation, id_))]
        if old:  # in one that is new nothing was stored before
            await self._load(OutboxItem, {"unless_customer_writes": True, "conversation_id": {"$in": old}})
        items = (one for one in self._all(OutboxItem) if one.unless_customer_writes)
        return [one for one in items if one.conversation_id in conversation_ids]

    async def references(self, conversation_id: str, channel: str, before_seq: int, limit: int) -> list[str]:
        """The platform's ids of a conversation's last messages on a channel before `before_seq`, oldest first."""
        query: Document = {
            "conversation_id": conversation_id,
            "seq": {"$lt": before_seq},
            "channel": channel,
            "external.id": {"$type": "string"},
        }
        found = self._database["messages"].find(query, {"external.id": 1}, session=self._session)
        return [document["external"]["id"] async for document in found.sort("seq", -1).limit(limit)][::-1]

    async def unapplied_of(self, senders: Sequence[str], but: Collection[str], until: str) -> dict[str, str]:
        """The `message_id` of the first unapplied entry of each of `senders`, whoever is to apply it.

        Args:
            senders: of whom.
            but: entries that do not count.
            until: nor do those after this `message_id`; a backlog may hold many.
        """
        first: dict[str, str] = {}
        query: Document = {
            "state": "new",
            "sender": {"$in": senders},
            "message_id": {"$lte": until},
            "_id": {"$nin": list(but)},
        }
        fields = {"sender": 1, "message_id": 1}
        async for entry in self._database["journal"].find(query, fields, session=self._session, hint="turns"):
            first[entry["sender"]] = min(entry["message_id"], first.get(entry["sender"], entry["message_id"]))
        return first

    async def identities_of(self, customer_ids: Sequence[str]) -> list[Identity]:
        """The identities of these customers."""
        await self._load(Identity, {"customer_id": {"$in": list(customer_ids)}})
        return [identity for identity in self._all(Identity) if identity.customer_id in customer_ids]

    async def roots(self, customer_ids: Iterable[str]) -> dict[str, Customer]:
        """Whom these customers are known as: themselves, or the one that they were merged into."""
        found = await self.get(Customer, customer_ids)
        while ahead := {one.merged_into for one in found.values() if one.merged_into is not None}:
            into = await self.get(Customer, ahead)
            found = {id_: into.get(one.merged_into, one) if one.merged_into else one for id_, one in found.items()}
        return found

    async def family_of(self, customer_id: str) -> list[Customer]:
        """Whom a customer is known as, and all who were merged into that one."""
        family = list((await self.roots([customer_id])).values())
        ahead = family
        while ahead := list((await self.get(Customer, [id_ for one in ahead for id_ in one.merged])).values()):
            family += ahead
        return family

    async def agent_called(self, email: str) -> Agent | None:
        """The agent who signs in with that address, where they may."""
        login = await self._database["logins"].find_one({"_id": email}, session=self._session)
        agent = await self.agent(login["agent"]) if login else None
        return agent if agent and agent.active else None

    async def agent(self, agent_id: str) -> Agent | None:
        """The agent with that id."""
        found = await self._database["agents"].find_one({"_id": agent_id}, session=self._session)
        return from_document(found, Agent) if found else None

    async def tagged(self, tag: str, limit: int) -> list[Conversation]:
        """Conversations of a list that have a tag, up to `limit` of those stored; some may have lost it just now."""
        stored = set(await self._load(Conversation, {"tags": tag, "merged_into": None}, limit))
        return [one for one in self._all(Conversation) if one.id in stored or (tag in one.tags and not one.merged_into)]

    async def every(self, kind: type[StoredT]) -> list[StoredT]:
        """All that there are, for kinds of which there are few."""
        await self._load(kind, {})
        return self._all(kind)

    async def hanging_on(self, kind: type[HangingT], conversation_id: str) -> list[HangingT]:
        """The thread keys that lead to a conversation, or the drafts in it."""
        await self._load(kind, {"conversation_id": conversation_id})
        return [one for one in self._all(kind) if one.conversation_id == conversation_id]

    async def message_called(self, channel: str, external_id: str, *, ours: bool = False) -> Message | None:
        """The message that the platform calls so; with `ours`, the reply, and no copy of it that came back."""
        of_ours: Document = {"delivery": {"$ne": None}} if ours else {}
        for message in self._all(Message):  # it may have come with this very transaction
            called = message.channel == channel and external_id in (message.external.id, *message.external.ids)
            if called and (message.delivery is not None or not ours):
                return message
        for by in ("external.id", "external.ids"):
            loaded = await self._load(Message, {"channel": channel, by: external_id, **of_ours})
            if loaded:
                return await self.one(Message, loaded[0])
        return None

    async def _load(self, kind: type[StoredT], query: Document, limit: int = 0) -> list[str]:
        """The ids of what is stored and like that, up to `limit` where that is not 0; it is loaded."""
        loaded = []
        collection = self._database[COLLECTIONS[kind]]
        found = collection.find(query, session=self._session, batch_size=LOADED_AT_ONCE, limit=limit)
        async for document in found:
            value = from_document(document, kind)
            self._stored[(kind, value.id)] = value
            loaded.append(value.id)
        return loaded

    def _all(self, kind: type[StoredT]) -> list[StoredT]:
        known = {key for key in (*self._stored, *self._kept, *self._fresh) if key[0] is kind}
        values = (self._current(key) for key in known)
        return [value for value in values if isinstance(value, kind)]

    def _touched(self, key: Key) -> bool:
        return key in self._fresh or key in self._kept

    def _current(self, key: Key) -> Stored | None:
        for layer in (self._fresh, self._kept, self._stored):
            if key in layer:
                return layer[key]
        return None
