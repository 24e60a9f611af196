"""Checks of `normalize`: that it is pure, never raises, and gives what can be stored."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, get_args

import msgspec

from connectors.base import Connector
from connectors.testing.finding import FaultError
from connectors.testing.guard import watched
from connectors.testing.junk import junk
from connectors.testing.proof import NotMadeError, Proof
from connectors.testing.stage import make
from normalizer.codec import clean_structure
from normalizer.outcomes import (
    Change,
    ConversationEvent,
    DeliveryUpdate,
    Draft,
    Files,
    Ignored,
    Outcome,
    Person,
    Remote,
)

SEED = 20261123
LOOK = "normalize"
PEOPLE = ("customer", "author")


def _ready(proof: Proof) -> Connector[Any]:
    if not proof.events:
        raise NotMadeError("its proof has no `events`")
    return make(proof, "http://127.0.0.1")


async def is_pure(proof: Proof, _: float) -> None:
    """No I/O, no clock, no chance; the input stays as it is."""
    connector = _ready(proof)
    for number, event in enumerate(proof.events):
        before = copy.deepcopy(event)
        connector.normalize(event)  # what a library loads once, at its first use, is no deed of this event
        with watched() as deeds:
            connector.normalize(event)
        if deeds:
            raise FaultError(f"`normalize` {deeds[0]}, for event {number}; take what you need from the event", LOOK)
        if event != before:
            raise FaultError(f"`normalize` changes its input, event {number}", LOOK)


async def is_repeatable(proof: Proof, _: float) -> None:
    """The same again, in another order, in another thread, in another object: the same."""
    connector, other = _ready(proof), _ready(proof)
    first = [_plain(connector.normalize(event)) for event in proof.events]
    runs = {
        "the second time": [_plain(connector.normalize(event)) for event in proof.events],
        "in another order": [_plain(connector.normalize(event)) for event in reversed(proof.events)][::-1],
        "in another process": [_plain(other.normalize(event)) for event in proof.events],
        "in another thread": [_plain(await asyncio.to_thread(connector.normalize, event)) for event in proof.events],
    }
    for when, run in runs.items():
        for number, (one, again) in enumerate(zip(first, run, strict=True)):
            if one != again:
                raise FaultError(f"`normalize` says something else {when}, for event {number}", LOOK)


def _plain(outcomes: Sequence[Outcome]) -> str:
    return repr(list(outcomes))


async def survives_junk(proof: Proof, _: float) -> None:
    """Whatever the bytes are, it says what they are, and raises nothing."""
    connector = _ready(proof)
    for what, raw in junk(proof.events, SEED):
        try:
            outcomes = connector.normalize(raw)
        except Exception as error:
            raise FaultError(
                f"`normalize` raised {type(error).__name__} for {what}; "
                "what cannot be read is a placeholder or `Ignored`",
                LOOK,
            ) from error
        fits(outcomes, f"for {what}")


async def fits_the_schema(proof: Proof, _: float) -> None:
    """Every outcome of every sample event can be stored, and can be found again."""
    connector = _ready(proof)
    seen: dict[str, int] = {}
    for number, event in enumerate(proof.events):
        if not event.key:
            raise FaultError(f"the key of event {number} is empty: every such event would be the same one")
        if seen.setdefault(event.key, number) != number and event.body != proof.events[seen[event.key]].body:
            raise FaultError(f"events {seen[event.key]} and {number} differ but have the same key")
        fits(connector.normalize(event), f"for event {number}")
    if proof.connector.capabilities.threads:
        for number, event in enumerate(proof.events):
            for outcome in connector.normalize(event):
                if isinstance(outcome, Draft) and not outcome.keys:
                    raise FaultError(f"it declares `threads`, and event {number} gives a Draft without `keys`", LOOK)


def fits(outcomes: Sequence[Outcome], when: str) -> None:
    """That outcomes can be stored.

    Raises:
        FaultError: they cannot.
    """
    if not outcomes:
        raise FaultError(f"`normalize` gives nothing {when}; say `Ignored` and why", LOOK)
    for outcome in outcomes:
        fault = next(_faults(outcome), None)
        if fault is not None:
            raise FaultError(f"`normalize` {fault} {when}", LOOK)


def _faults(outcome: Outcome) -> Iterator[str]:
    if not isinstance(outcome, get_args(Outcome)):
        yield f"gives a {type(outcome).__name__}, which is no outcome,"
        return
    yield from _off_schema(outcome)
    for field in PEOPLE:
        person = getattr(outcome, field, None)
        if isinstance(person, Person) and not (person.kind and person.value):
            yield f"gives a {field} without kind or value"
    match outcome:
        case Draft(message=message):
            yield from _empty(message.external.id, "an external id")
            yield from (fault for key in outcome.keys for fault in _empty(key, "a thread key"))
            yield from _files(message.attachments, outcome.files)
            if message.id or message.conversation_id or message.seq or message.customer_id:
                yield "fills in what is the inbox's to give (id, conversation_id, customer_id, seq)"
        case Change():
            yield from _empty(outcome.external_id, "an external id", required=True)
            yield from _files(outcome.attachments or (), outcome.files)
        case ConversationEvent():
            yield from _empty(outcome.thread_key, "a thread key", required=True)
        case DeliveryUpdate(message_id=None, external_id=None):
            yield "gives a DeliveryUpdate that names no message"
        case Ignored():
            yield from _empty(outcome.reason, "the reason of an Ignored", required=True)
        case _:
            pass


def _off_schema(outcome: Outcome) -> Iterator[str]:
    """Structures are not checked when they are made: here they are, as the database's reader would."""
    changed = {"files": ()} if isinstance(outcome, Draft | Change) else {}
    structure = msgspec.structs.replace(outcome, **changed)
    try:
        plain = msgspec.to_builtins(structure, builtin_types=(datetime, bytes))
        msgspec.convert(plain, type(outcome))
        clean_structure(structure)
    except (msgspec.ValidationError, TypeError, ValueError) as error:
        yield f"gives a {type(outcome).__name__} that is not of the schema ({error})"


def _empty(text: str | None, what: str, *, required: bool = False) -> Iterator[str]:
    if text is None and not required:
        return
    if not isinstance(text, str) or not text.strip():
        yield f"gives {what} that is empty"


def _files(attachments: Sequence[object], files: Files) -> Iterator[str]:
    if files and len(files) != len(attachments):
        yield f"gives {len(files)} files for {len(attachments)} attachments"
    for file in files:
        if isinstance(file, Remote):
            try:
                json.dumps(dict(file.ref))
            except (TypeError, ValueError):
                yield "gives a Remote whose `ref` is no JSON"
