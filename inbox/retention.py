"""Forgetting by itself what is older than the company wants to keep it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import structlog
from msgspec.structs import replace

from config import RetentionConfig
from connectors.errors import LeaseLostError, UnavailableError
from inbox.leases import hold
from inbox.model import first_id
from inbox.privacy import Privacy
from inbox.store import Store, Unit
from inbox.store.indexes import LONG_AGO
from normalizer.schema import Message

LOOK_SECONDS = 3600.0
AT_ONCE = 100


class Retention:
    """Looks every hour, in one process at a time."""

    def __init__(self, store: Store, owner: str, privacy: Privacy, kept: RetentionConfig) -> None:
        self._store = store
        self._owner = owner
        self._privacy = privacy
        self._kept = kept
        self._logger: Any = structlog.get_logger("santral.retention")

    async def run(self) -> None:
        """Goes on until cancelled; where everything is kept, it does nothing."""
        while True:
            try:
                if self._kept != RetentionConfig():
                    async with hold(self._store, self._owner, "retention"):
                        await self.forget(datetime.now(UTC))
            except (UnavailableError, LeaseLostError) as error:
                self._logger.warning("retention was broken off", reason=str(error))
            await asyncio.sleep(LOOK_SECONDS)

    async def forget(self, now: datetime) -> None:
        """Forgets what is over by `now`."""
        if self._kept.conversations is not None:
            await self._conversations(now - self._kept.conversations)
        if self._kept.attachments is not None:
            await self._attachments(now - self._kept.attachments)
        if self._kept.originals is not None:
            await self._originals(now - self._kept.originals)
        if self._kept.audit is not None:
            await self._store.personal.forget_audit(now - self._kept.audit)

    async def _conversations(self, before: datetime) -> None:
        while over := await self._store.personal.resolved_before(before, AT_ONCE):
            await self._privacy.forget(over)
            self._logger.info("conversations forgotten", count=len(over))

    async def _originals(self, before: datetime) -> None:
        done = await self._store.personal.done_until("originals")
        after = datetime.fromisoformat(done) if done else LONG_AGO
        if after < before:
            await self._store.personal.expire_originals(after, before)
            await self._store.personal.save_done("originals", before.isoformat())

    async def _attachments(self, before: datetime) -> None:
        done = await self._store.personal.done_until("attachments") or ""
        while over := await self._store.personal.with_files(done, first_id(before), AT_ONCE):
            await self._store.personal.drop_files([attachment_id for attachment_id, _ in over])
            messages = {message_id for _, message_id in over}
            gone = {attachment_id for attachment_id, _ in over}
            await self._store.write(lambda unit: _expire(unit, messages, gone), weight=len(messages))  # noqa: B023 (awaited here)
            done = over[-1][0]
            await self._store.personal.save_done("attachments", done)


async def _expire(unit: Unit, message_ids: set[str], gone: set[str]) -> None:
    for message in (await unit.get(Message, message_ids)).values():
        attachments = tuple(replace(one, state="expired") if one.id in gone else one for one in message.attachments)
        unit.put(replace(message, attachments=attachments))
