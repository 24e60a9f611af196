"""What agents do with customers: make them, say more of them, and tell that two are one person, or are not.

Two who are one stay two: each keeps identities, conversations and messages, also those that come later by an identity
of theirs, and `merged_into` says as whom one is known. So parting them is exact at any time, whatever happened between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from inbox.addressing import Addressing
from inbox.errors import NotFoundError, RefusedError, VersionConflictError
from inbox.identity import identity_id, merged
from inbox.model import Customer, FieldValue, Identity, new_id
from inbox.store import Store, Unit
from normalizer.codec import clean_structure


class NewIdentity(Struct, frozen=True, kw_only=True):
    """An address that an agent was told. What is typed is not verified."""

    kind: str
    value: str
    name: str | None = None


class Customers:
    """The agents' hand on customers."""

    def __init__(self, store: Store, addressing: Addressing) -> None:
        self._store = store
        self._addressing = addressing

    async def add(
        self, *, name: str | None, fields: Mapping[str, FieldValue], identities: Sequence[NewIdentity]
    ) -> Customer:
        """Makes a customer.

        Raises:
            RefusedError: an identity is another customer's, or none of its kind.
        """

        async def change(unit: Unit) -> Customer:
            kept = _without_nulls(fields)
            customer = Customer(id=new_id(), name=name, fields=kept, created_at=unit.now, updated_at=unit.now)
            for identity in identities:
                await self._give(unit, customer, identity)
            return unit.put(clean_structure(customer))

        return await self._store.write(change)

    async def change(self, customer_id: str, changes: Mapping[str, Any], *, version: int | None) -> Customer:
        """Changes `name`, and of `fields` those that are named (RFC 7396: null removes one).

        Raises:
            NotFoundError: no such customer.
            VersionConflictError: it has another version than the caller saw.
        """

        async def change(unit: Unit) -> Customer:
            customer = await _standing(unit, customer_id)
            if version is not None and customer.version != version:
                raise VersionConflictError
            fields = {**customer.fields, **changes.get("fields", {})}
            others = {name for one in await unit.family_of(customer_id) if one.id != customer_id for name in one.fields}
            kept = {name: value for name, value in fields.items() if value is not None or name in others}
            name = changes.get("name", customer.name)
            return unit.put(clean_structure(replace(customer, name=name, fields=kept, updated_at=unit.now)))

        return await self._store.write(change)

    async def add_identity(self, customer_id: str, identity: NewIdentity) -> Customer:
        """Notes one more address of a customer.

        Raises:
            NotFoundError: no such customer.
            RefusedError: it is another customer's, or none of its kind.
        """

        async def change(unit: Unit) -> Customer:
            customer = await _standing(unit, customer_id)
            await self._give(unit, customer, identity)
            return unit.put(replace(customer, updated_at=unit.now))

        return await self._store.write(change)

    async def merge(self, customer_id: str, into: str) -> Customer:
        """Says that a customer is the same person as another, as whom they are known from now on.

        Raises:
            NotFoundError: there is none, or it is known as another already.
            RefusedError: they are the same.
        """
        if customer_id == into:
            raise RefusedError("merges-itself", "a customer cannot be merged into themselves")

        async def change(unit: Unit) -> Customer:
            customer, known_as = await _standing(unit, customer_id), await _standing(unit, into)
            customer, known_as = merged(customer, known_as, unit.now)
            unit.put(customer)
            return unit.put(known_as)

        return await self._store.write(change)

    async def unmerge(self, customer_id: str) -> Customer:
        """Parts a customer from the one that they were merged into; each has what was ever theirs.

        Raises:
            NotFoundError: no such customer.
            RefusedError: they were not merged.
        """

        async def change(unit: Unit) -> Customer:
            customer = await unit.one(Customer, customer_id)
            if customer is None:
                raise NotFoundError(f"no customer {customer_id}")
            if customer.merged_into is None:
                raise RefusedError("not-merged", "this customer was not merged into another")
            known_as = await unit.one(Customer, customer.merged_into)
            if known_as is not None:
                left = tuple(one for one in known_as.merged if one != customer_id)
                unit.put(replace(known_as, merged=left, updated_at=unit.now))
            return unit.put(replace(customer, merged_into=None, updated_at=unit.now))

        return await self._store.write(change)

    async def _give(self, unit: Unit, customer: Customer, new: NewIdentity) -> None:
        value = self._addressing.canonical(new.kind, new.value)
        if value is None:
            raise RefusedError("bad-address", f'"{new.value}" is no address of kind "{new.kind}"')
        id_ = identity_id(new.kind, value)
        known = await unit.one(Identity, id_)
        family = {one.id for one in await unit.family_of(customer.id)} | {customer.id}
        if known is not None and known.customer_id not in family:
            raise RefusedError(
                "identity-taken",
                f"{value} is another customer's; merge the two where they are one person",
                members={"customer_id": known.customer_id},
            )
        if known is None:
            identity = Identity(
                id=id_, kind=new.kind, value=value, customer_id=customer.id, name=new.name, created_at=unit.now
            )
            unit.put(clean_structure(identity))


def family_fields(family: Sequence[Customer]) -> dict[str, FieldValue]:
    """What is noted of a customer and of those who were merged into them, whose notes stand behind theirs."""
    fields: dict[str, FieldValue] = {}
    for member in reversed(family):
        fields |= member.fields
    return _without_nulls(fields)


def _without_nulls(fields: Mapping[str, FieldValue]) -> dict[str, FieldValue]:
    return {name: value for name, value in fields.items() if value is not None}


async def _standing(unit: Unit, customer_id: str) -> Customer:
    customer = await unit.one(Customer, customer_id)
    if customer is None or customer.merged_into is not None:
        raise NotFoundError(f"no customer {customer_id}")
    return customer
