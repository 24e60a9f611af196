"""What supervisors do with tags: describe them, rename them, make two one, and drop them.

All conversations follow. A few hundred do so in the transaction of the call itself; where there are more, it leaves a
`TagChange` behind, which the part `outbox` carries out in slices, so that nothing else has to wait for it. Any process
may go on with it, and doing a slice twice changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from connectors.errors import UnavailableError
from inbox.errors import NotFoundError, RefusedError
from inbox.filters import View, renamed
from inbox.model import new_id
from inbox.store import Store, Unit
from inbox.tagging import Tag, TagChange, retagged
from normalizer.codec import clean_structure

AT_ONCE = 200  # conversations in one transaction
LOOK_SECONDS = 1.0
REST_SECONDS = 0.05  # between two slices, in which others write


class Tags:
    """The supervisors' hand on tags."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, name: str, fields: Mapping[str, Any]) -> Tag:
        """Keeps a tag that no conversation has yet.

        Raises:
            RefusedError: there is one of that name.
        """

        async def change(unit: Unit) -> Tag:
            await _check_free(unit, name)
            return unit.put(clean_structure(Tag(id=name, **fields, created_at=unit.now)))

        return await self._store.write(change)

    async def change(self, name: str, changes: Mapping[str, Any]) -> Tag:
        """Changes a tag's `name`, `colour` and `description`; conversations and views follow its name.

        Raises:
            NotFoundError: no such tag.
            RefusedError: there is one of its new name: they can be merged.
        """
        into = changes.get("name", name)
        fields = {field: value for field, value in changes.items() if field != "name"}

        async def change(unit: Unit) -> Tag:
            tag = clean_structure(replace(await _standing(unit, name), id=into, **fields))
            if into != name:
                await _check_free(unit, into)
                await _leave(unit, name, into)
            return unit.put(tag)

        return await self._store.write(change, weight=AT_ONCE)

    async def merge(self, name: str, into: str) -> Tag:
        """Gives all that has a tag another one in its place, which is returned.

        Raises:
            NotFoundError: no such tag.
            RefusedError: they are the same.
        """
        if name == into:
            raise RefusedError("merges-itself", "a tag cannot be merged into itself")

        async def change(unit: Unit) -> Tag:
            await _standing(unit, name)
            home = await _standing(unit, into)
            await _leave(unit, name, into)
            return home

        return await self._store.write(change, weight=AT_ONCE)

    async def drop(self, name: str) -> None:
        """Takes a tag off all that has it. Views that ask for it find nothing by it any more.

        Raises:
            NotFoundError: no such tag.
        """

        async def change(unit: Unit) -> None:
            await _standing(unit, name)
            await _leave(unit, name, None)

        await self._store.write(change, weight=AT_ONCE)


class TagWorker:
    """Carries out what was too much for one transaction, one change after the other."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def run(self) -> None:
        """Goes on until cancelled. A database that is away is waited for."""
        while True:
            waiting: list[TagChange] = []
            with contextlib.suppress(UnavailableError):
                waiting = await self._store.kept.tag_changes()
                if waiting:
                    first = waiting[0].id
                    await self._store.write(lambda unit, id_=first: _go_on(unit, id_), weight=AT_ONCE)  # type: ignore[misc]
            await asyncio.sleep(REST_SECONDS if waiting else LOOK_SECONDS)


async def _go_on(unit: Unit, change_id: str) -> None:
    change = await unit.one(TagChange, change_id)
    if change is not None and await _carry_out(unit, change):
        unit.remove(TagChange, change_id)


async def _carry_out(unit: Unit, change: TagChange) -> bool:
    """Changes some conversations; whether these were all. In the list they stay where they are: nothing was said."""
    found = await unit.tagged(change.name, AT_ONCE)
    for conversation in found:
        if change.name in conversation.tags:
            unit.put(replace(conversation, tags=retagged(conversation.tags, change)))
    return len(found) < AT_ONCE


async def _leave(unit: Unit, name: str, into: str | None) -> None:
    """A tag goes, from now on or in its turn; with `into`, what asks for it asks for that."""
    if await unit.one(Tag, name) is not None:
        unit.remove(Tag, name)
    if into is not None:
        for view in await unit.every(View):
            filter_ = renamed(view.filter, "tag", name, into)
            if filter_ != view.filter:
                unit.put(replace(view, filter=filter_, updated_at=unit.now))
    change = TagChange(id=f"{unit.number:020}|{new_id()}", name=name, into=into)
    if await unit.every(TagChange) or not await _carry_out(unit, change):
        unit.put(change)


async def _standing(unit: Unit, name: str) -> Tag:
    """The tag of that name, as it is kept or as conversations have it, unless it is on its way out."""
    leaving = any(change.name == name for change in await unit.every(TagChange))
    kept = await unit.one(Tag, name)
    if kept is None and (leaving or not await unit.tagged(name, 1)):
        raise NotFoundError(f"no tag {name}")
    return kept or Tag(id=name, created_at=unit.now)


async def _check_free(unit: Unit, name: str) -> None:
    if await unit.one(Tag, name) is not None or await unit.tagged(name, 1):
        raise RefusedError("tag-taken", f'there is a tag "{name}"; one can be merged into the other')
