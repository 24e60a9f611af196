"""Checks of the way in: nothing is acknowledged before it is kept, and nothing that was kept is lost or doubled."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable

from msgspec import Struct

from connectors.base import Connector
from connectors.errors import LeaseLostError, UnavailableError
from connectors.testing.finding import FaultError
from connectors.testing.proof import NotMadeError, Proof, Told
from connectors.testing.stage import Stage, on_stage
from connectors.testing.understanding import fits
from normalizer.outcomes import Change, Draft, Remote

LOOK = "start"
FIRST = "proof-1"
SECOND = "proof-2"
EDITED = "proof-edited"
GRACE_SECONDS = 0.1  # a platform that is told too early is told within this
FILE = b"A file that stays on the platform until it is fetched.\n" * 100


async def _told(stage: Stage, saying: Awaitable[Told], when: str) -> Told:
    late = f"the platform was told nothing within {stage.patience:g} s {when}; it must be told `ok` or `again`"
    return await stage.within(saying, late, LOOK)


async def _say(stage: Stage, id_: str, text: str = "Is anybody there?") -> None:
    """The customer says something, and the platform is told that it is kept, and it is."""
    count = len(stage.context.journal)
    told = await _told(stage, stage.platform.say(stage.door, id_, text), "of a message")
    if told != "ok":
        raise FaultError(f"the platform was told `{told}` of a message although the journal kept it", LOOK)
    if len(stage.context.journal) != count + 1:
        raise FaultError("the platform was told `ok` of a message that the journal does not have", LOOK)


async def keeps_before_it_acknowledges(proof: Proof, patience: float) -> None:
    """While the journal is away, the platform is told to try again; then it is kept, once."""
    async with on_stage(proof, patience) as stage:
        stage.context.trouble = UnavailableError("the database is away")
        when = "while the journal was away"
        told = await _told(stage, stage.platform.say(stage.door, FIRST, "Is anybody there?"), when)
        if told == "ok":
            raise FaultError(
                "it acknowledges before `receive`: the journal was away, and the platform was told `ok`", LOOK
            )
        if told == "no":
            raise FaultError("the journal was away, and the platform was told `no`, so the event is lost", LOOK)
        stage.context.trouble = None
        told = await _told(stage, stage.platform.say(stage.door, FIRST, "Is anybody there?"), "when it tried again")
        if told != "ok" or len(stage.context.journal) != 1:
            kept = len(stage.context.journal)
            raise FaultError(
                f"the platform tried again, was told `{told}`, and the journal has {kept} events, not 1", LOOK
            )


async def waits_for_the_journal(proof: Proof, patience: float) -> None:
    """While `receive` takes its time, the platform is not told `ok`."""
    async with on_stage(proof, patience) as stage:
        context = stage.context
        context.door.clear()
        saying = asyncio.ensure_future(stage.platform.say(stage.door, FIRST, "Is anybody there?"))
        try:
            await stage.until(
                lambda: context.entered > 0 or saying.done(), "an event of the platform never reached `receive`", LOOK
            )
            await asyncio.wait((saying,), timeout=GRACE_SECONDS)
            if saying.done() and saying.result() == "ok":
                raise FaultError(
                    "it acknowledges before `receive` returns: the journal was slow, and the platform was told `ok`",
                    LOOK,
                )
            context.door.set()
            await _told(stage, saying, "after a slow journal had kept it")
        finally:
            context.door.set()
            saying.cancel()
        await stage.until(lambda: bool(context.journal), "a slow journal never got the event", LOOK)


async def redelivery_is_one(proof: Proof, patience: float) -> None:
    """The same event twice has the same key; two events have two; each is a message that says what was said."""
    async with on_stage(proof, patience) as stage:
        await _say(stage, FIRST, "Where is my order?")
        told = await _told(stage, stage.platform.say(stage.door, FIRST, "Where is my order?"), "of a redelivery")
        if told != "ok":
            raise FaultError(f"a redelivery was answered with `{told}`, so the platform sends it for ever", LOOK)
        if len(stage.context.journal) != 1:
            raise FaultError(
                "the same event twice has two keys, so it becomes two messages; take the platform's own mark", LOOK
            )
        await _say(stage, SECOND, "Where is my order?")
        _journaled_well(stage)
        texts = [one.message.text for one in stage.understood() if isinstance(one, Draft)]
        if len(texts) != 2 or not all("Where is my order?" in text for text in texts):
            raise FaultError(f"two messages came, and `normalize` says {texts}", "normalize")


def _journaled_well(stage: Stage) -> None:
    for raw in stage.context.received:
        if not raw.key:
            raise FaultError("it gives an event an empty key: every such event would be the same one", LOOK)
        if raw.received_at.tzinfo is None:
            raise FaultError("`Raw.received_at` has no time zone; use `context.now()`", LOOK)
        try:
            json.dumps(dict(raw.envelope))
        except (TypeError, ValueError):
            raise FaultError("`Raw.envelope` holds what is no JSON", LOOK) from None
        fits(stage.connector.normalize(raw), "for what its platform sent")


class _Ids(Struct):
    created: set[str | None]
    changed: set[str | None]

    @classmethod
    def of(cls, stage: Stage) -> _Ids:
        outcomes = stage.understood()
        return cls(
            created={one.message.external.id for one in outcomes if isinstance(one, Draft)},
            changed={one.external_id for one in outcomes if isinstance(one, Change)},
        )


async def edits_name_their_message(proof: Proof, patience: float) -> None:
    """An edit names its message as the message named itself, whichever comes first."""
    if not proof.connector.capabilities.edits:
        raise NotMadeError("it declares no `edits`")
    for edit_first in (False, True):
        async with on_stage(proof, patience) as stage:
            if not edit_first:
                await _say(stage, EDITED, "Hello")
            told = await _told(stage, stage.platform.edit(stage.door, EDITED, "Hello!"), "of an edit")
            if told != "ok":
                raise FaultError(f"the platform was told `{told}` of an edit", LOOK)
            if edit_first:
                await _say(stage, EDITED, "Hello")
            ids = _Ids.of(stage)
            if not ids.changed:
                raise FaultError("it declares `edits`, but an edit becomes no `Change`", "normalize")
            if ids.changed != ids.created:
                order = "that came before its message" if edit_first else "that came after its message"
                raise FaultError(
                    f"an edit {order} names it {sorted(map(str, ids.changed))}, the message itself is "
                    f"{sorted(map(str, ids.created))}: they would never meet",
                    "normalize",
                )


async def lost_lease_ends_it(proof: Proof, patience: float) -> None:
    """It stops when its lease is lost, and who comes next goes on from the cursor and misses nothing."""
    async with on_stage(proof, patience) as stage:
        await _say(stage, FIRST, "before")
        if not stage.context.leases.tokens:
            raise NotMadeError("it takes no lease")
        stage.context.door.clear()
        saying = asyncio.ensure_future(stage.platform.say(stage.door, SECOND, "between"))
        try:
            reached = stage.context.entered
            await stage.until(lambda: stage.context.entered > reached, "it does not poll on after a first event", LOOK)
            starts = len(stage.ended)
            stage.context.leases.lose()
            await stage.until(
                lambda: len(stage.ended) > starts, f"it goes on for {patience:g} s after its lease was lost", LOOK
            )
            if not isinstance(stage.ended[starts], LeaseLostError):
                raise FaultError(
                    f"its lease was lost, and `start` ended with {stage.ended[starts]!r}, not `LeaseLostError`", LOOK
                )
            stage.context.door.set()
            await stage.until(
                lambda: len(stage.context.journal) == 2, "what came while the lease was lost never came again", LOOK
            )
        finally:
            stage.context.door.set()
            await asyncio.wait((saying,), timeout=patience)
            saying.cancel()
        if not stage.context.leases.cursors:
            raise FaultError("it takes a lease and saves no cursor, so who comes next reads everything again", LOOK)
        await _say(stage, "proof-3", "after")


async def files_are_fetched(proof: Proof, patience: float) -> None:
    """What `normalize` left on the platform, `fetch` brings, as often as it is asked."""
    async with on_stage(proof, patience) as stage:
        told = await _told(stage, stage.platform.attach(stage.door, FIRST, FILE), "of a file")
        if told != "ok":
            raise FaultError(f"the platform was told `{told}` of a file", LOOK)
        files = [file for one in stage.understood() if isinstance(one, Draft | Change) for file in one.files]
        if not files:
            raise FaultError("a file came, and no outcome has `files`", "normalize")
        for file in files:
            if isinstance(file, Remote):
                for _ in range(2):
                    await _fetched(stage, file)
            elif file != FILE:
                raise FaultError("a file came, and its bytes are others", "normalize")


async def _fetched(stage: Stage, remote: Remote) -> None:
    if type(stage.connector).fetch is Connector.fetch:
        raise FaultError("`normalize` leaves a file on the platform, and there is no `fetch`", "normalize")

    async def whole() -> bytes:
        return b"".join([piece async for piece in stage.connector.fetch(remote)])

    content = await stage.within(whole(), f"`fetch` did not end within {stage.patience:g} s", "fetch")
    if content != FILE:
        raise FaultError(
            f"`fetch` brings {len(content)} bytes that are not those of the file ({len(FILE)} bytes)", "fetch"
        )


async def people_are_described(proof: Proof, patience: float) -> None:
    """Who wrote can be asked about."""
    if not proof.connector.capabilities.profiles:
        raise NotMadeError("it declares no `profiles`")
    async with on_stage(proof, patience) as stage:
        await _say(stage, FIRST)
        people = [one.customer for one in stage.understood() if isinstance(one, Draft)]
        for person in people:
            late = f"`describe` did not end within {patience:g} s"
            profile = await stage.within(stage.connector.describe(person), late, "describe")
            if not (profile.name or profile.avatar or profile.email):
                raise FaultError(
                    "`describe` tells nothing of somebody who wrote; raise `PermanentError` where that is so",
                    "describe",
                )


async def mounting_is_declared(proof: Proof, patience: float) -> None:
    """Who answers HTTP runs in the part of Santral that does."""
    async with on_stage(proof, patience) as stage:
        mounted, part = stage.context.handlers, stage.connector.part
        if mounted and part != "web":
            raise FaultError('it mounts HTTP, and its `part` is not "web": with `--only` it would answer nowhere')
        if not mounted and part == "web" and stage.context.is_ready:
            raise FaultError('its `part` is "web", and it mounts nothing')


async def stops_at_once(proof: Proof, patience: float) -> None:
    """`start` ends when it is cancelled, `close` lets go, and a second one starts where the first stood."""
    async with on_stage(proof, patience):
        pass
    async with on_stage(proof, patience) as stage:
        await _say(stage, FIRST)
        secrets = [value for value in stage.context.log.lines if "Is anybody there?" in value]
        if secrets:
            raise FaultError("its log holds the text of a message", LOOK)
