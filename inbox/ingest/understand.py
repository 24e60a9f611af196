"""Understanding journal entries: what their connectors say that they mean, made fit to be stored."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from connectors.errors import UnavailableError
from inbox.ingest.entries import Policy, message_id
from inbox.ingest.patience import Normalize, TooLongError, outcomes_within
from inbox.ingest.reading import Reading
from inbox.store import JournalEntry, Store
from normalizer.codec import clean_structure
from normalizer.effort import TooLongHereError, hurried
from normalizer.outcomes import Change, Draft, Files, Outcome, Raw
from normalizer.schema import Attachment

HEAVY_BYTES = 32 * 1024  # larger originals are understood in another process, so that this one goes on
# A process that says nothing for longer than this and a beat is taken for dead, and the event would hang the next one.
LIGHT_SECONDS = 4.0
HEAVY_SECONDS = 20.0
LEAST_SHARE = 1 / 16  # of these, for a channel whose events hang one after another
RETRY_SECONDS = 0.5


class Intake(msgspec.Struct, frozen=True, kw_only=True):
    """What ingest must know of a channel."""

    connector: str
    normalize: Normalize
    policy: Policy


class Understanding:
    """Asks connectors, and puts the files that events brought into the file store."""

    def __init__(self, store: Store, intakes: Mapping[str, Intake], reading: Reading) -> None:
        self._store = store
        self._intakes = intakes
        self._reading = reading
        self._share: dict[str, float] = {}  # of the time that is usual, for channels that took too long of late

    async def outcomes(self, entry: JournalEntry) -> tuple[Outcome, ...]:
        """What the entry means. A database that is away is waited for: later entries must not overtake this one.

        Raises:
            Exception: whatever the connector raises.
        """
        while True:
            try:
                return await self._outcomes(entry)
            except UnavailableError:
                await asyncio.sleep(RETRY_SECONDS)

    async def _outcomes(self, entry: JournalEntry) -> tuple[Outcome, ...]:
        intake = self._intakes.get(entry.channel)
        if intake is None:
            raise LookupError(f'channel "{entry.channel}" is not in the configuration any more')
        raw = Raw(
            key=entry.id.partition("|")[2],
            body=await self._store.journal.body(entry),
            content_type=entry.content_type,
            received_at=entry.received_at,
            envelope=entry.envelope,
        )
        found = await self._meaning(entry, intake, raw)
        return tuple([await self._keep_files(entry, n, outcome) for n, outcome in enumerate(found)])

    async def _meaning(self, entry: JournalEntry, intake: Intake, raw: Raw) -> tuple[Outcome, ...]:
        """What the connector says, if it says it in time. One that always hangs holds up the others less each time."""
        share = self._share.pop(entry.channel, 1.0)
        try:
            found = _here(intake, raw, LIGHT_SECONDS * share) if entry.size <= HEAVY_BYTES else None
            if found is None:
                return await self._reading.outcomes(entry.channel, raw, HEAVY_SECONDS * share)
        except TooLongError:
            self._share[entry.channel] = max(share / 2, LEAST_SHARE)
            raise
        await asyncio.sleep(0)  # a long batch must not hold up those who wait for an acknowledgement
        return found

    async def close(self) -> None:
        """Ends the process in which large events are understood."""
        await self._reading.close()

    async def _keep_files(self, entry: JournalEntry, number: int, outcome: Outcome) -> Outcome:
        """Makes an outcome fit to be stored: its attachments under ids of ours, their bytes in the file store."""
        match outcome:
            case Draft(message=message) if outcome.files:
                kept, files = await self._shelved(entry, number, message.attachments, outcome.files)
                outcome = replace(outcome, message=replace(message, attachments=kept), files=files)
            case Change(attachments=tuple() as attachments) if outcome.files:
                kept, files = await self._shelved(entry, number, attachments, outcome.files)
                outcome = replace(outcome, attachments=kept, files=files)
        return clean_structure(outcome)

    async def _shelved(
        self, entry: JournalEntry, number: int, attachments: tuple[Attachment, ...], files: Files
    ) -> tuple[tuple[Attachment, ...], Files]:
        """The attachments with ids, and what is left to fetch of their files."""
        kept = list(attachments)
        for index, content in enumerate(files):
            id_ = f"{message_id(entry, number)}.{index + 1}"
            kept[index] = replace(kept[index], id=id_)
            if isinstance(content, bytes):
                await self._store.files.put(id_, content)
            elif content is not None:
                kept[index] = replace(kept[index], state="pending")
        return tuple(kept), tuple(None if isinstance(content, bytes) else content for content in files)


def _here(intake: Intake, raw: Raw, seconds: float) -> tuple[Outcome, ...] | None:
    """What the connector says in this process; None where that takes longer than others can wait."""
    with contextlib.suppress(TooLongHereError), hurried():
        return outcomes_within(seconds, intake.normalize, raw)
    return None
