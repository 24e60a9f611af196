"""Customers and their identities, and all that was ever said with one of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pymongo import ASCENDING, DESCENDING

from inbox.model import Customer, CustomerNote, Identity
from inbox.staff import Principal
from inbox.store.client import Database, Document
from inbox.store.documents import from_document
from inbox.store.guard import guarded
from inbox.store.paging import Place, Slice, beyond, slice_of
from inbox.store.seen import seen
from normalizer.schema import Message


@guarded
class People:
    """Reads over customers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def customer(self, customer_id: str) -> Customer | None:
        """One customer, or None."""
        document = await self._database["customers"].find_one({"_id": customer_id})
        return from_document(document, Customer) if document else None

    async def by_id(self, customer_ids: Collection[str]) -> dict[str, Customer]:
        """Those of these customers that exist."""
        found = self._database["customers"].find({"_id": {"$in": list(customer_ids)}})
        customers = [from_document(document, Customer) async for document in found]
        return {customer.id: customer for customer in customers}

    async def roots(self, customer_ids: Collection[str]) -> dict[str, Customer]:
        """Whom these customers are known as: themselves, or the one that they were merged into."""
        found = await self.by_id(customer_ids)
        while ahead := {one.merged_into for one in found.values() if one.merged_into is not None}:
            into = await self.by_id(ahead)
            found = {id_: into.get(one.merged_into, one) if one.merged_into else one for id_, one in found.items()}
        return found

    async def family(self, customer_id: str) -> list[Customer]:
        """Whom a customer is known as, and all who were merged into that one; nobody where there is no customer."""
        roots = list((await self.roots([customer_id])).values())
        return [member for family in (await self.families(roots)).values() for member in family]

    async def families(self, customers: Sequence[Customer]) -> dict[str, list[Customer]]:
        """Each of these with all who were merged into them, themselves first."""
        families = {one.id: [one] for one in customers}
        ahead = {id_: one.id for one in customers for id_ in one.merged}
        while ahead:
            found = await self.by_id(ahead)
            for id_, member in found.items():
                families[ahead[id_]].append(member)
            ahead = {id_: ahead[member.id] for member in found.values() for id_ in member.merged}
        return families

    async def customers(self, *, after: Place | None, limit: int) -> Slice[Customer]:
        """A page of customers, the last changed first, without those who are known as another."""
        found = self._database["customers"].find(beyond({"merged_into": None}, "updated_at", DESCENDING, after))
        found = found.sort([("updated_at", DESCENDING), ("_id", DESCENDING)])
        return await slice_of(found, Customer, limit, lambda item: Place(item.updated_at, item.id))

    async def identity(self, identity_id: str) -> Identity | None:
        """One identity, or None."""
        document = await self._database["identities"].find_one({"_id": identity_id})
        return from_document(document, Identity) if document else None

    async def identities(self, customer_ids: list[str]) -> list[Identity]:
        """The identities of these customers, oldest first."""
        found = self._database["identities"].find({"customer_id": {"$in": customer_ids}}).sort("created_at", ASCENDING)
        return [from_document(document, Identity) async for document in found]

    async def notes(self, customer_ids: Sequence[str], *, after: Place | None, limit: int) -> Slice[CustomerNote]:
        """A page of the notes about these customers, the newest first."""
        query: Document = {"customer_id": {"$in": list(customer_ids)}}
        if after is not None:
            query["_id"] = {"$lt": after.id}
        found = self._database["customer_notes"].find(query).sort("_id", DESCENDING)
        return await slice_of(found, CustomerNote, limit, lambda item: Place(None, item.id))

    async def timeline(
        self, customer_ids: Sequence[str], *, reader: Principal, after: Place | None, limit: int
    ) -> Slice[Message]:
        """A page of what these customers' conversations hold on every channel, oldest first, as `reader` sees it."""
        shown: list[Message] = []
        while len(shown) <= limit:
            query: Document = {"customer_id": {"$in": list(customer_ids)}}
            if after is not None:
                query["_id"] = {"$gt": after.id}
            found = self._database["messages"].find(query).sort("_id", ASCENDING)
            read = await slice_of(found, Message, limit + 1, lambda item: Place(None, item.id))
            visible = await seen(self._database, reader, {message.conversation_id for message in read.items})
            shown += [message for message in read.items if message.conversation_id in visible]
            if read.end is None:
                break
            after = read.end
        items = shown[:limit]
        more = len(shown) > limit
        return Slice(items, Place(None, items[-1].id) if more else None)
