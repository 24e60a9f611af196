"""The kit: every check, in the order in which a connector is written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from traceback import extract_tb

from connectors.testing import declaring, receiving, sending, understanding
from connectors.testing.finding import FaultError, Finding, Outcome
from connectors.testing.proof import NotMadeError, Proof

PATIENCE_SECONDS = 10.0

Check = Callable[[Proof, float], Awaitable[None]]

CHECKS: tuple[tuple[str, Check], ...] = (
    ("says who it is", declaring.names),
    ("declares what it can", declaring.capabilities),
    ("keeps identities in one form", declaring.identities),
    ("finds mistakes in options", declaring.mistakes),
    ("refuses unknown options", declaring.unknown_keys),
    ("shows no secret", declaring.secrets),
    ("normalize is pure", understanding.is_pure),
    ("normalize says the same again", understanding.is_repeatable),
    ("normalize fits the schema", understanding.fits_the_schema),
    ("normalize survives junk", understanding.survives_junk),
    ("starts, stops and lets go", receiving.stops_at_once),
    ("runs where it is looked for", receiving.mounting_is_declared),
    ("persists before it acknowledges", receiving.keeps_before_it_acknowledges),
    ("waits for a slow journal", receiving.waits_for_the_journal),
    ("takes a redelivery once", receiving.redelivery_is_one),
    ("edits find their message", receiving.edits_name_their_message),
    ("gives up a lost lease", receiving.lost_lease_ends_it),
    ("fetches files", receiving.files_are_fetched),
    ("describes people", receiving.people_are_described),
    ("gives each piece's receipt first", sending.receipts_come_first),
    ("resumes after what is done", sending.pieces_are_resumed),
    ("keeps to its rates", sending.rates_are_kept),
    ("reaches every recipient", sending.recipients_are_reached),
    ("tells a temporary failure", sending.failing("temporary")),
    ("tells a permanent failure", sending.failing("permanent")),
    ("tells an uncertain failure", sending.failing("uncertain")),
    ("can be cancelled while it sends", sending.can_be_cancelled),
    ("sends the longest text", sending.longest_text_goes),
    ("sends files", sending.files_go),
    ("sends twice what shows once", sending.twice_is_once),
    ("lets replies be fetched", sending.replies_are_fetched),
    ("changes what was sent", sending.sent_is_amended),
)


async def check(proof: Proof, *, patience: float = PATIENCE_SECONDS, only: str | None = None) -> AsyncIterator[Finding]:
    """Makes every check of a connector, one after another.

    Args:
        proof: what its author tells of it.
        patience: seconds that the connector may take for any one thing.
        only: the title of the one check to make, while you mend what it found.

    Yields:
        What each found, as soon as it is known.
    """
    name = getattr(proof.connector, "name", proof.connector.__name__)
    for title, made in CHECKS:
        if only not in (None, title):
            continue
        outcome, text = await _outcome(made, proof, patience)
        yield Finding(connector=str(name), check=title, outcome=outcome, text=text)
        if outcome == "failed" and made is declaring.names:
            return  # nothing else can be told of it


async def prove(proof: Proof, *, patience: float = PATIENCE_SECONDS) -> None:
    """Makes every check: what a connector's own test calls.

    Raises:
        AssertionError: with a line for each check that failed.
    """
    failed = [str(finding) async for finding in check(proof, patience=patience) if finding.outcome == "failed"]
    if failed:
        raise AssertionError("\n".join(failed))


async def _outcome(made: Check, proof: Proof, patience: float) -> tuple[Outcome, str]:
    try:
        await made(proof, patience)
    except NotMadeError as why:
        return "not made", str(why)
    except FaultError as fault:
        return "failed", fault.told(proof.connector)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        return "failed", "it cancelled the task that called it"
    except Exception as error:  # noqa: BLE001 (whatever a connector raises is what is wrong with it)
        last = extract_tb(error.__traceback__)[-1]
        return "failed", f"it raised {type(error).__name__}: {error} ({last.filename}:{last.lineno})"
    return "passed", ""
