"""What agents do with conversations beside answering: change them, and join two that are one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from inbox.errors import NotFoundError, RefusedError, VersionConflictError
from inbox.joining import join
from inbox.model import Conversation
from inbox.store import Store, Unit


class Conversations:
    """The agents' hand on conversations."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def change(self, conversation_id: str, changes: Mapping[str, Any], *, version: int | None) -> Conversation:
        """Changes a conversation's fields.

        Args:
            conversation_id: which.
            changes: `status`, `assignee`, `team`, `tags`, `priority`, `snoozed_until`, `followers`, `subject`, valid
                already.
            version: the version that the caller saw, or None to change whatever stands.

        Raises:
            NotFoundError: no such conversation.
            VersionConflictError: it has another version by now.
        """

        async def change(unit: Unit) -> Conversation:
            conversation = await _standing(unit, conversation_id)
            if version is not None and conversation.version != version:
                raise VersionConflictError
            status = changes.get("status", conversation.status)
            return unit.put(
                replace(
                    conversation,
                    **{
                        "updated_at": unit.now,
                        "snoozed_until": conversation.snoozed_until if status == "snoozed" else None,
                        "waiting_since": None if status == "resolved" else conversation.waiting_since,
                        **changes,
                    },
                )
            )

        return await self._store.write(change)

    async def merge(self, conversation_id: str, into: str) -> Conversation:
        """Moves all messages of a conversation behind those of another, which is returned.

        Raises:
            NotFoundError: there is none, or it was joined to another already.
            RefusedError: they are the same.
        """
        if conversation_id == into:
            raise RefusedError("merges-itself", "a conversation cannot be merged into itself")

        async def change(unit: Unit) -> Conversation:
            emptied, home = await _standing(unit, conversation_id), await _standing(unit, into)
            home = await join(unit, home, emptied)
            return unit.put(replace(home, updated_at=unit.now))

        return await self._store.write(change)


async def _standing(unit: Unit, conversation_id: str) -> Conversation:
    conversation = await unit.one(Conversation, conversation_id)
    if conversation is None or conversation.merged_into is not None:  # it may have been joined just now
        raise NotFoundError(f"no conversation {conversation_id}")
    return conversation
