"""What a connector's `normalize` does hurts its own event, whatever it does: it hangs, dies, or takes its time."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import postbox
import pytest
from harness import PATIENCE, Santral, eventually, letter
from ingesting import Documents, messages, settled
from postbox import CHANNEL, intake, raw, running, said

from inbox.ingest import reading, understand
from inbox.ingest.understand import HEAVY_BYTES
from inbox.store import Store
from normalizer.effort import takes_long
from normalizer.outcomes import Outcome, Raw

PADDING = b" " * HEAVY_BYTES
# The other process has to be started first, which imports all that is imported here.
LONG_GRACE = round(PATIENCE)


def loops() -> None:
    while True:
        try:
            time.sleep(0.01)
        except Exception:  # noqa: BLE001 (what a careless plugin does)
            continue


def backtracks() -> None:
    re.match(r"(a+)+$", "a" * 64 + "b")


def is_deaf() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    time.sleep(1000)


def dies() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def talks() -> None:
    print("nobody shall take this for an answer" * 100)
    assert not os.read(0, 1)


def raises() -> None:
    raise ValueError("a poor event")


def waits(path: str) -> None:
    while not Path(path).exists():
        time.sleep(0.01)


def needs_time(path: str) -> None:
    takes_long()
    waits(path)


DEEDS: dict[str, Callable[..., None]] = {
    function.__name__: function for function in (loops, backtracks, is_deaf, dies, talks, raises, waits, needs_time)
}


def normalize(event: Raw) -> Sequence[Outcome]:
    """Does what the event's key says, wherever it runs, and then understands it."""
    name, *arguments = event.key.rstrip("0123456789").split()
    if name in DEEDS:
        DEEDS[name](*arguments)
    return postbox.normalize(event)


async def errors(store: Store) -> list[str]:
    return [entry.error or "" for entry in (await store.queries.failed(after=None, limit=100)).items]


def heavy(key: str) -> Raw:
    return raw(key, body=json.dumps([said(key)]).encode() + PADDING)


@pytest.mark.parametrize("deed", ["waits", "needs_time"])
async def test_what_is_large_or_needs_time_does_not_hold_up_who_waits_for_an_acknowledgement(
    deed: str, store: Store, documents: Documents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(understand, "HEAVY_SECONDS", 3600.0)
    ingest = postbox.ingest(store, post=intake(normalize=normalize))
    async with running(ingest):
        key = f"{deed} {tmp_path / 'go'}"
        await ingest.receive(CHANNEL, heavy(key) if deed == "waits" else raw(key, said("needs time")))
        async with asyncio.timeout(PATIENCE):
            for n in range(20):
                await ingest.receive(CHANNEL, raw(f"light {n}", said("light")))
        assert not await messages(documents)
        (tmp_path / "go").touch()
        await settled(documents)
    assert len(await messages(documents)) == 21


@pytest.mark.parametrize("size", ["small", "large"])
@pytest.mark.parametrize("how", ["loops", "backtracks"])
async def test_what_never_comes_to_an_end_is_ended_and_fails_alone(
    how: str, size: str, store: Store, documents: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(understand, "LIGHT_SECONDS", 1.0)
    monkeypatch.setattr(understand, "HEAVY_SECONDS", 1.0)
    monkeypatch.setattr(reading, "GRACE_SECONDS", LONG_GRACE)
    event = heavy if size == "large" else lambda key: raw(key, said(key))
    ingest = postbox.ingest(store, post=intake(normalize=normalize))
    async with running(ingest):
        for key in (how, "good"):
            await ingest.receive(CHANNEL, event(key))
        await settled(documents)
    assert [one["text"] for one in await messages(documents)] == ["good"]
    (told,) = await errors(store)
    assert "TooLongError: to understand it took longer than 1 s" in told
    assert f"in {how}" in told, "it does not say where"


async def test_a_channel_that_always_hangs_holds_up_the_others_less_each_time(
    store: Store, documents: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(understand, "LIGHT_SECONDS", 2.0)
    ingest = postbox.ingest(store, post=intake(normalize=normalize))
    async with running(ingest):
        for n in range(4):
            await ingest.receive(CHANNEL, raw(f"loops{n}", said("never")))
        await settled(documents)
    told = await errors(store)
    assert sorted(re.findall("longer than ([0-9.]+) s", one)[0] for one in told) == ["0.25", "0.5", "1", "2"]


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("dies", "the process that was to understand it ended (-11)"),
        ("is_deaf", "to understand it took longer than 3 s, and could not be interrupted"),
        ("raises", "ValueError: a poor event"),
        ("talks", None),
    ],
)
async def test_a_large_original_can_do_no_harm_to_the_next_one(
    how: str, told: str | None, store: Store, documents: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(understand, "HEAVY_SECONDS", 3.0)
    ingest = postbox.ingest(store, post=intake(normalize=normalize))
    async with running(ingest):
        for key in ("first", how, "next"):
            monkeypatch.setattr(reading, "GRACE_SECONDS", 1 if key == "is_deaf" else LONG_GRACE)
            await ingest.receive(CHANNEL, heavy(key))
            if how == "is_deaf":  # what it is given is all waited for
                await settled(documents)
        await settled(documents)
    texts = [one["text"] for one in await messages(documents)]
    assert texts == ["first", *([] if told else [how]), "next"]
    if told:
        (found,) = await errors(store)
        assert told in found


async def test_the_process_that_understands_large_mails_dies_with_its_santral(mongod_url: str, tmp_path: Path) -> None:
    santral = Santral(tmp_path, storage=mongod_url)
    try:
        await santral.start()
        assert santral.process is not None
        await asyncio.to_thread(santral.send_mail, letter("large", "much to say\r\n" * 10_000))
        children = Path(f"/proc/{santral.process.pid}/task/{santral.process.pid}/children")
        async with santral.desk() as desk:
            await eventually(desk.conversations)
        (pid,) = map(int, children.read_text().split())
        santral.kill()
        await eventually(lambda: _is_gone(pid))
    finally:
        santral.abandon()


async def _is_gone(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"
