"""What agents put at hand: canned replies and views. Nobody is told: who looks at the list again sees what changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from msgspec.structs import replace

from inbox.errors import NotFoundError, RefusedError, VersionConflictError
from inbox.filters import View
from inbox.model import CannedReply, Shortcut
from inbox.store import Store, Unit

KeptT = TypeVar("KeptT", CannedReply, View)


class Keeping:
    """The agents' hand on canned replies and views. Whose they are is settled before."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add_reply(self, reply: CannedReply) -> CannedReply:
        """Keeps a new canned reply.

        Raises:
            RefusedError: another has its shortcut.
        """

        async def change(unit: Unit) -> CannedReply:
            await _take(unit, reply)
            return unit.put(reply)

        return await self._store.write(change)

    async def change_reply(self, reply_id: str, changes: Mapping[str, Any], *, version: int | None) -> CannedReply:
        """Changes fields of a canned reply.

        Args:
            reply_id: which.
            changes: by field, valid already.
            version: the version that the caller saw, or None to change whatever stands.

        Raises:
            NotFoundError: no such canned reply.
            RefusedError: another has its new shortcut.
            VersionConflictError: it has another version by now.
        """

        async def change(unit: Unit) -> CannedReply:
            reply = await _standing(unit, CannedReply, reply_id, version)
            changed = replace(reply, **changes, updated_at=unit.now)
            if changed.shortcut != reply.shortcut:
                await _leave(unit, reply)
                await _take(unit, changed)
            return unit.put(changed)

        return await self._store.write(change)

    async def drop_reply(self, reply_id: str) -> None:
        """Forgets a canned reply.

        Raises:
            NotFoundError: no such canned reply.
        """

        async def change(unit: Unit) -> None:
            await _leave(unit, await _standing(unit, CannedReply, reply_id, None))
            unit.remove(CannedReply, reply_id)

        await self._store.write(change)

    async def add_view(self, view: View) -> View:
        """Keeps a new view."""

        async def change(unit: Unit) -> View:
            return unit.put(view)

        return await self._store.write(change)

    async def change_view(self, view_id: str, changes: Mapping[str, Any], *, version: int | None) -> View:
        """Changes fields of a view.

        Args:
            view_id: which.
            changes: by field, valid already.
            version: the version that the caller saw, or None to change whatever stands.

        Raises:
            NotFoundError: no such view.
            VersionConflictError: it has another version by now.
        """

        async def change(unit: Unit) -> View:
            view = await _standing(unit, View, view_id, version)
            return unit.put(replace(view, **changes, updated_at=unit.now))

        return await self._store.write(change)

    async def drop_view(self, view_id: str) -> None:
        """Forgets a view.

        Raises:
            NotFoundError: no such view.
        """

        async def change(unit: Unit) -> None:
            await _standing(unit, View, view_id, None)
            unit.remove(View, view_id)

        await self._store.write(change)


async def _standing(unit: Unit, kind: type[KeptT], id_: str, version: int | None) -> KeptT:
    found = await unit.one(kind, id_)
    if found is None:
        raise NotFoundError(f"there is no such thing any more: {id_}")
    if version is not None and found.version != version:
        raise VersionConflictError
    return found


async def _take(unit: Unit, reply: CannedReply) -> None:
    if await unit.one(Shortcut, reply.shortcut) is not None:
        raise RefusedError("shortcut-taken", f"another canned reply is called /{reply.shortcut}")
    unit.put(Shortcut(id=reply.shortcut, canned_reply_id=reply.id))


async def _leave(unit: Unit, reply: CannedReply) -> None:
    await unit.one(Shortcut, reply.shortcut)  # only what was got can be removed
    unit.remove(Shortcut, reply.shortcut)
