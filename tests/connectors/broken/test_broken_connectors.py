"""The kit finds what is wrong with a connector and says it in a sentence; a well-behaved one passes everything."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from breakers import (
    AcknowledgesFirst,
    BoastsOfAmending,
    BoastsOfEdits,
    BoastsOfFiles,
    BoastsOfProfiles,
    BoastsOfText,
    CallsItTemporary,
    ChangesItsInput,
    Chokes,
    Counts,
    ForgetsErrors,
    Hides,
    HoldsOn,
    Hurries,
    Lax,
    Leaks,
    LeavesATask,
    NamesEditsElse,
    NeverEnds,
    NewKeyEachTime,
    NoOptions,
    OffSchema,
    PollsAhead,
    RaisesAtStart,
    ReadsAFile,
    ReadsTheClock,
    RefusesForGood,
    ReturnsQuietly,
    SaysNothing,
    SendsAgain,
    SendsAllAtOnce,
    SwallowsItsEnd,
)
from harness import PATIENCE
from pager import Pager, PollingPager, proof

from connectors.tasks import end
from connectors.testing import Finding, check, prove, receiving

# What hangs for ever is waited for that long, and everything else that the kit asks of it has as long to be done.
HANGING: dict[type[Pager], float] = dict.fromkeys((HoldsOn, LeavesATask, NeverEnds), 5.0)


# What is broken, the check that finds it, and words of what it says.
BROKEN: list[tuple[type[Pager], str, str]] = [
    (BoastsOfAmending, "changes what was sent", "after `edit` its recipient reads"),
    (AcknowledgesFirst, "persists before it acknowledges", "acknowledges before `receive`"),
    (AcknowledgesFirst, "waits for a slow journal", "acknowledges before `receive` returns"),
    (ForgetsErrors, "persists before it acknowledges", "acknowledges before `receive`"),
    (RefusesForGood, "persists before it acknowledges", "told `no`, so the event is lost"),
    (NewKeyEachTime, "takes a redelivery once", "the same event twice has two keys"),
    (PollsAhead, "persists before it acknowledges", "acknowledges before `receive`"),
    (HoldsOn, "gives up a lost lease", "after its lease was lost"),
    (ReadsTheClock, "normalize is pure", "`normalize` reads the clock in change"),
    (ChangesItsInput, "normalize is pure", "`normalize` changes its input"),
    (ReadsAFile, "normalize is pure", "`normalize` reads or writes a file in open"),
    (Counts, "normalize says the same again", "`normalize` says something else the second time"),
    (Chokes, "normalize survives junk", "`normalize` raised JSONDecodeError for an empty body"),
    (SaysNothing, "normalize fits the schema", "`normalize` gives nothing for event 0"),
    (OffSchema, "normalize fits the schema", "gives a Change that is not of the schema"),
    (NamesEditsElse, "edits find their message", "they would never meet"),
    (SendsAgain, "resumes after what is done", "a customer gets them twice"),
    (SendsAllAtOnce, "gives each piece's receipt first", "left before the receipt of piece 1 was given"),
    (Hurries, "keeps to its rates", "awaited `reply.pace()` 0 times"),
    (ReturnsQuietly, "tells a temporary failure", "was swallowed: `send` returned quietly"),
    (ReturnsQuietly, "tells a permanent failure", "was swallowed: `send` returned quietly"),
    (CallsItTemporary, "tells an uncertain failure", "raised OSError, not UncertainError"),
    (SwallowsItsEnd, "can be cancelled while it sends", "swallowed its cancellation"),
    (LeavesATask, "sends files", "left a task behind"),
    (NeverEnds, "starts, stops and lets go", "`start` did not end within 5 s after it was cancelled"),
    (RaisesAtStart, "starts, stops and lets go", "`start` raised RuntimeError: not today"),
    (BoastsOfText, "sends the longest text", "declares a `text_limit` of 2000, and of 2000 characters 1200 arrived"),
    (BoastsOfFiles, "sends files", "a file of 4096 bytes did not arrive"),
    (BoastsOfProfiles, "declares what it can", "declares `profiles` but has no `describe`"),
    (BoastsOfEdits, "edits find their message", "an edit becomes no `Change`"),
    (Hides, "runs where it is looked for", 'its `part` is not "web"'),
    (Leaks, "shows no secret", "an error of its options shows `token`"),
    (Lax, "refuses unknown options", 'an unknown key in the channel is accepted; give the model `extra="forbid"`'),
    (NoOptions, "says who it is", "`options_model` is no subclass of `connectors.Options`"),
]


async def found(kind: type[Pager], title: str) -> Finding:
    patience = HANGING.get(kind, PATIENCE)
    (finding,) = [finding async for finding in check(proof(kind), patience=patience, only=title)]
    return finding


@pytest.mark.parametrize(("kind", "title", "words"), BROKEN, ids=[f"{one.__name__}-{two}" for one, two, _ in BROKEN])
async def test_what_is_broken_is_named_and_where(
    kind: type[Pager], title: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        receiving, "GRACE_SECONDS", PATIENCE
    )  # who acknowledges too early does it in time, however late
    finding = await found(kind, title)
    assert finding.outcome == "failed", finding
    assert words in finding.text
    assert f"Look at {kind.__name__}" in finding.text
    assert ".py:" in finding.text
    assert "\n" not in str(finding)


@pytest.mark.parametrize("kind", [Pager, PollingPager])
async def test_a_well_behaved_connector_passes_everything(kind: type[Pager]) -> None:
    findings = [finding async for finding in check(proof(kind), patience=PATIENCE)]
    assert not [str(one) for one in findings if one.outcome == "failed"]
    left_out = {one.check: one.text for one in findings if one.outcome == "not made"}
    expected = {
        "reaches every recipient": "it declares no `recipients`",
        "lets replies be fetched": "it declares no `pull`: the outbox calls `send`",
    }
    assert left_out == (expected if kind is PollingPager else expected | {"gives up a lost lease": "it takes no lease"})
    await prove(proof(kind), patience=PATIENCE)


async def test_without_a_platform_the_rest_is_checked_and_the_report_says_what_is_not() -> None:
    alone = proof(Pager)
    alone.platform = super(type(alone).__mro__[1], alone).platform  # type: ignore[method-assign]
    findings = {finding.check: finding async for finding in check(alone, patience=PATIENCE)}
    assert findings["normalize survives junk"].outcome == "passed"
    assert findings["shows no secret"].outcome == "passed"
    assert (findings["persists before it acknowledges"].outcome, findings["sends files"].text) == (
        "not made",
        "its proof has no platform",
    )


async def test_prove_says_every_fault_at_once() -> None:
    with pytest.raises(AssertionError) as failed:
        await prove(proof(Lax), patience=PATIENCE)
    (line,) = str(failed.value).splitlines()
    assert line.startswith("pager: refuses unknown options: FAILED: ")


async def test_what_others_do_on_the_same_loop_is_not_the_connectors_fault() -> None:
    async def others() -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.Event().wait(), 0.05)  # each time a task of its own

    busy = asyncio.create_task(others())
    try:
        await prove(proof(PollingPager), patience=PATIENCE)
    finally:
        await end(busy)
