"""Notes about a customer: what colleagues should know of them, whichever conversation is open.

Each is kept with the customer on whom it was written. Every change is told as a change of who they are known as, so
that whoever shows them reads the notes again.
"""

from __future__ import annotations

from msgspec.structs import replace

from inbox.errors import NotFoundError, VersionConflictError
from inbox.model import Customer, CustomerNote, new_id
from inbox.staff import Principal
from inbox.store import Store, Unit
from normalizer.codec import clean_structure
from normalizer.schema import Author


class CustomerNotes:
    """The agents' hand on notes about customers."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, customer_id: str, text: str, writer: Principal) -> CustomerNote:
        """Writes a note.

        Raises:
            NotFoundError: no such customer, or they are known as another.
        """
        id_ = new_id()

        async def change(unit: Unit) -> CustomerNote:
            customer = await unit.one(Customer, customer_id)
            if customer is None or customer.merged_into is not None:
                raise NotFoundError(f"no customer {customer_id}")
            unit.put(replace(customer, updated_at=unit.now))
            note = CustomerNote(
                id=id_,
                customer_id=customer_id,
                author=_author(writer),
                text=text,
                created_at=unit.now,
                updated_at=unit.now,
            )
            return unit.put(clean_structure(note))

        return await self._store.write(change)

    async def change(
        self, customer_id: str, note_id: str, text: str, editor: Principal, *, version: int | None
    ) -> CustomerNote:
        """Gives a note another text.

        Args:
            customer_id: as whom its customer is known.
            note_id: which.
            text: what it says from now on.
            editor: who changes it.
            version: the version that the caller saw, or None to change whatever stands.

        Raises:
            NotFoundError: no such note of that customer.
            VersionConflictError: it has another version by now.
        """

        async def change(unit: Unit) -> CustomerNote:
            note = await _standing(unit, customer_id, note_id)
            if version is not None and note.version != version:
                raise VersionConflictError
            return unit.put(clean_structure(replace(note, text=text, editor=_author(editor), updated_at=unit.now)))

        return await self._store.write(change)

    async def drop(self, customer_id: str, note_id: str) -> None:
        """Forgets a note of who is known as that customer.

        Raises:
            NotFoundError: no such note of that customer.
        """

        async def change(unit: Unit) -> None:
            await _standing(unit, customer_id, note_id)
            unit.remove(CustomerNote, note_id)

        await self._store.write(change)


async def _standing(unit: Unit, customer_id: str, note_id: str) -> CustomerNote:
    """The note, which is about to change: that is told as a change of its customer."""
    note = await unit.one(CustomerNote, note_id)
    family = await unit.family_of(customer_id)
    if note is None or note.customer_id not in {one.id for one in family}:
        raise NotFoundError(f"no note {note_id}")
    unit.put(replace(family[0], updated_at=unit.now))
    return note


def _author(principal: Principal) -> Author:
    return Author(type="agent", id=principal.id, name=principal.name)
