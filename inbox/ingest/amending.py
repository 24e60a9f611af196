"""What changes a message that stands already, or waits until it does: edits, reports, the next item of an album."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from inbox import albums, changes, delivery, identity, jobs
from inbox.model import Identity, Unique, Upload, WaitingChanges, scoped
from inbox.preview import put_changed
from inbox.store import JournalEntry, Unit
from normalizer.outcomes import Change, DeliveryUpdate, Draft, Files, Reachability, Remote
from normalizer.schema import Attachment, Message

GONE = "gone"  # the owner of files that edits have taken away


class Amending:
    """What one entry changes of what stands."""

    def __init__(self, unit: Unit, entry: JournalEntry) -> None:
        """The entry is applied in that unit."""
        self._unit = unit
        self._entry = entry

    async def change(self, change: Change) -> None:
        """Applies an edit, a deletion or a reaction; one without its message waits for it.

        So does what takes a reaction away before it has come.
        """
        message = await self._unit.message_called(self._entry.channel, change.external_id)
        if message is None:
            await self._wait(change)
            return
        changed = self._changed(message, change)
        if change.reaction_removed and changed == message:
            await self._wait(change)
        elif change.reaction is not None:
            for taken_away in (await self._waiting(change.external_id)).changes:
                changed = self._changed(changed, taken_away)
        await self._put(message, changed)

    async def delivery(self, update: DeliveryUpdate) -> None:
        """Applies what the platform says became of a reply; one without its reply waits for it."""
        message = await self._unit.one(Message, update.message_id) if update.message_id else None
        if message is None and update.external_id:
            message = await self._unit.message_called(self._entry.channel, update.external_id, ours=True)
            if message is None:  # it may be quicker than the platform's answer to the send
                waiting = await self._waiting(update.external_id)
                self._unit.put(replace(waiting, updates=(*waiting.updates, update)))
                return
        if message is None or message.delivery is None or message.channel != self._entry.channel:
            return
        updated = delivery.updated(message.delivery, update)
        if updated != message.delivery:
            self._unit.put(replace(message, delivery=updated))
        if update.state == "failed":
            await self._names(message)

    async def reachability(self, told: Reachability) -> None:
        """Notes whether somebody can be written to by this channel; of a stranger there is nothing to note."""
        known = await self._unit.one(Identity, identity.identity_id(told.person.kind, told.person.value))
        if known is not None:
            self._unit.put(identity.with_reach(known, self._entry.channel, told.reason))

    async def album(self, draft: Draft, message_id: str) -> bool:
        """Whether a message of that album stands, which then has this item too; else this one begins it."""
        group, external_id = draft.message.relations.group_id, draft.message.external.id
        if group is None or external_id is None:
            return False
        mark = scoped(self._entry.channel, f"album|{draft.message.external.thread_key}|{group}")
        known = await self._unit.one(Unique, mark)
        message = await self._unit.one(Message, known.message_id) if known else None
        if message is None:
            self._unit.put(Unique(id=mark, message_id=message_id))
            return False
        grown = albums.grown(message, draft.message, external_id)
        self.fetch_later(grown, draft.message.attachments, draft.files)
        waiting = await self._taken(external_id)
        for change in sorted(waiting.changes, key=lambda one: one.at) if waiting else ():
            grown = self._changed(grown, change)
        await self._put(message, grown)
        return True

    async def overtaken(self, message: Message, external_id: str) -> Message:
        """The message with the changes that came before it."""
        waiting = await self._taken(external_id)
        if waiting is None:
            return message
        caught_up = changes.caught_up(message, waiting)
        for change in waiting.changes:
            self.fetch_later(caught_up, change.attachments or (), change.files)
        return caught_up

    def fetch_later(self, message: Message, attachments: Sequence[Attachment], files: Files) -> None:
        """Asks for those of the files that stand in the message and are not there yet."""
        standing = {one.id for one in message.attachments if one.state == "pending"}
        for attachment, content in zip(attachments, files, strict=False):
            if isinstance(content, Remote) and attachment.id in standing:
                self._unit.put(jobs.fetch(message, attachment, content, self._unit.now))

    def _changed(self, message: Message, change: Change) -> Message:
        changed = changes.changed(message, change)
        self.fetch_later(changed, change.attachments or (), change.files)
        return changed

    async def _wait(self, change: Change) -> None:
        waiting = await self._waiting(change.external_id)
        self._unit.put(replace(waiting, changes=(*waiting.changes, change)))

    async def _waiting(self, external_id: str) -> WaitingChanges:
        """What waits for a message, or for a reaction to it, that has not come yet."""
        id_ = scoped(self._entry.channel, external_id)
        return await self._unit.one(WaitingChanges, id_) or WaitingChanges(id=id_, at=self._unit.now)

    async def _taken(self, external_id: str) -> WaitingChanges | None:
        """What waited, and does no more."""
        waiting = await self._unit.one(WaitingChanges, scoped(self._entry.channel, external_id))
        if waiting is not None:
            self._unit.remove(WaitingChanges, waiting.id)
        return waiting

    async def _put(self, before: Message, message: Message) -> None:
        if message == before:
            return
        await put_changed(self._unit, message)
        standing = {file.id for file in message.attachments}
        gone = {file.id: file for file in before.attachments if file.id not in standing}
        known = await self._unit.get(Upload, gone)
        for file in gone.values():  # its bytes are swept, like those of an upload that nobody sends
            if file.id not in known:
                self._unit.put(Upload(id=file.id, owner=GONE, attachment=file, created_at=self._unit.now))

    async def _names(self, returned: Message) -> None:
        """The report that came with this outcome, where there is one, names the reply that it is about."""
        report = await self._unit.one(Message, self._entry.message_id)
        if report is not None and report.kind == "event":
            self._unit.put(replace(report, relations=replace(report.relations, bounce_of=returned.id)))
