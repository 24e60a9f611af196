"""Whoever dies, and whenever: what was acknowledged is there, once, in its order; what was not may be sent again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import smtplib
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import postbox
import pytest
from harness import PATIENCE, Desk, Santral, Visitor, environment, eventually, letter
from imap_server import PASSWORD, Dovecot

from connectors.tasks import end
from inbox.attachments import Attachments
from inbox.ingest import Ingest, Reading
from inbox.model import Customer, OutboxItem
from inbox.outbox import OutboxWorker
from inbox.store import Store, Unit
from inbox.store.processes import DEAD_AFTER_SECONDS

VISITORS = 3
SENDERS = 2
BROKEN = (aiohttp.ClientError, OSError, TimeoutError, TypeError, AssertionError, smtplib.SMTPException)


class Load:
    """Customers who write one thing after another, and say it again until it is acknowledged."""

    def __init__(self, santral: Santral) -> None:
        self.santral = santral
        self.acknowledged: dict[str, list[str]] = {}
        self.refused: Counter[str] = Counter()
        self._over = asyncio.Event()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Writes meanwhile; at the end everybody has finished what he was saying."""
        names = [*[f"visitor{n}" for n in range(VISITORS)], *[f"sender{n}" for n in range(SENDERS)]]
        self.acknowledged = {name: [] for name in names}
        async with asyncio.TaskGroup() as tasks:
            for name in names:
                tasks.create_task(self._chat(name) if name.startswith("visitor") else self._mail(name))
            try:
                yield
            finally:
                self._over.set()

    async def more(self, count: int = 10) -> None:
        """Returns when everybody has been heard so many times more."""
        wanted = {name: len(said) + count for name, said in self.acknowledged.items()}

        async def heard() -> bool:
            return all(len(self.acknowledged[name]) >= number for name, number in wanted.items())

        await eventually(heard)

    async def _chat(self, name: str) -> None:
        visitor = Visitor(self.santral.url)
        while not self._over.is_set():
            with contextlib.suppress(*BROKEN):
                async with visitor.connected() as socket:
                    while not self._over.is_set():
                        text = f"{name}-{len(self.acknowledged[name])}"
                        frame = await visitor.say(socket, text)
                        if frame["type"] == "ack":
                            self.acknowledged[name].append(text)
                        else:
                            self.refused[frame["code"]] += 1
                        await asyncio.sleep(0.03)
            await asyncio.sleep(0.05)

    async def _mail(self, name: str) -> None:
        while not self._over.is_set():
            text = f"{name}-{len(self.acknowledged[name])}"
            mail = letter(text, text, sender=f"{name}@example.org", References=f"<{name}@example.org>")
            try:
                await asyncio.to_thread(self.santral.send_mail, mail, f"{name}@example.org")
            except smtplib.SMTPResponseException as error:
                self.refused[str(error.smtp_code)] += 1
                await asyncio.sleep(0.05)
            except BROKEN:
                await asyncio.sleep(0.05)
            else:
                self.acknowledged[name].append(text)

    async def check(self, desk: Desk) -> None:
        """Everything acknowledged is there once, in order, in one conversation of its customer."""

        async def all_there() -> bool:
            nonlocal stored
            stored = await desk.everything()
            said = {one["text"] for messages in stored.values() for one in messages}
            return said >= {text for texts in self.acknowledged.values() for text in texts}

        stored: dict[str, list[dict[str, object]]] = {}
        await eventually(all_there, pause=0.2)
        assert max(Counter(str(one["text"]) for messages in stored.values() for one in messages).values()) == 1
        assert len(stored) == len(self.acknowledged)
        for messages in stored.values():
            assert [one["seq"] for one in messages] == list(range(1, len(messages) + 1))
            texts = [str(one["text"]) for one in messages]
            name = texts[0].partition("-")[0]
            assert texts == [f"{name}-{n}" for n in range(len(texts))], texts
            assert texts[: len(self.acknowledged[name])] == self.acknowledged[name]


@pytest.fixture
async def embedded(tmp_path: Path) -> AsyncIterator[Santral]:
    """A Santral with a database of its own."""
    santral = Santral(tmp_path / "own")
    await santral.start()
    yield santral
    santral.abandon()


def mongod_pid(santral: Santral) -> int:
    facts = json.loads((santral.folder / "santral-data" / "santral.json").read_text())
    return int(facts["mongod"]["pid"])


async def frozen(pid: int) -> None:
    """Stops a process, and returns when it stands still: each of its threads does so when it is next scheduled."""
    os.kill(pid, signal.SIGSTOP)

    async def stands_still() -> bool:
        threads = [(thread / "stat").read_text() for thread in Path(f"/proc/{pid}/task").iterdir()]
        return all(stat.rpartition(")")[2].split()[0] == "T" for stat in threads)

    await eventually(stands_still)


async def test_santral_killed_under_load_loses_nothing_and_doubles_nothing(embedded: Santral) -> None:
    load = Load(embedded)
    async with load.running():
        for _ in range(2):
            await load.more()
            embedded.kill()
            await embedded.start()
        await load.more()
    async with embedded.desk() as desk:
        await load.check(desk)
    await embedded.stop()


async def test_santral_stopped_under_load_ends_in_order_each_time(embedded: Santral) -> None:
    load = Load(embedded)
    async with load.running():
        for _ in range(4):
            await load.more(5)
            assert await embedded.stop() < 10
            await embedded.start()
        await load.more(5)
    async with embedded.desk() as desk:
        await load.check(desk)
    await embedded.stop()


async def test_the_database_killed_under_load_loses_nothing_and_comes_back(embedded: Santral) -> None:
    load = Load(embedded)
    async with load.running():
        await load.more()
        os.kill(mongod_pid(embedded), signal.SIGKILL)
        await load.more()
    assert set(load.refused) <= {"451", "unavailable"}
    async with embedded.desk() as desk:
        await load.check(desk)
    await embedded.stop()


async def test_a_database_that_stands_still_for_a_while_loses_nothing(embedded: Santral) -> None:
    load = Load(embedded)
    async with load.running():
        await load.more()
        pid = mongod_pid(embedded)
        await frozen(pid)
        try:
            async with embedded.desk() as desk:
                await desk.get("/healthz")
                timeout = aiohttp.ClientTimeout(PATIENCE)
                async with desk.http.get("/readyz", timeout=timeout) as answer:
                    assert answer.status == 503
                    assert (await answer.json())["status"] == "unavailable"
            await asyncio.sleep(2)
        finally:
            os.kill(pid, signal.SIGCONT)
        await load.more()
    assert set(load.refused) <= {"451", "unavailable"}
    async with embedded.desk() as desk:
        await load.check(desk)
    await embedded.stop()


async def test_one_of_two_killed_under_load_is_inherited_by_the_other(
    santral: Callable[..., object], mongod_url: str
) -> None:
    dying, heir = await santral(), await santral()  # type: ignore[misc]
    load = Load(dying)
    async with load.running():
        await load.more()
        dying.kill()
    async with heir.desk() as desk:
        await load.check(desk)


INSIDE = """
import asyncio, sys
from inbox.model import Customer, OutboxItem
from inbox.store import Store

async def main(url):
    store = await Store.open(url)
    await store.processes.beat("dead", store.session_id, {})
    async def change(unit):
        await unit.one(Customer, "c")
        print("inside", flush=True)
        await asyncio.sleep(3600)
    await store.write(change)

asyncio.run(main(sys.argv[1]))
"""


@contextlib.asynccontextmanager
async def somebody_dead_inside(url: str) -> AsyncIterator[None]:
    """A process has died inside a transaction."""
    dying = subprocess.Popen([sys.executable, "-c", INSIDE, url], stdout=subprocess.PIPE, text=True, env=environment())
    try:
        assert dying.stdout is not None
        assert await asyncio.to_thread(dying.stdout.readline) == "inside\n"
        dying.kill()
        yield
    finally:
        dying.kill()
        dying.communicate()


async def test_who_dies_inside_a_transaction_holds_up_nobody_for_long(mongod_url: str, store: Store) -> None:
    ingest = Ingest(store, "me", {}, Reading(dict), postbox.metrics())
    outbox = OutboxWorker(store, "me", {}, Attachments(store), postbox.metrics())
    housekeeping = postbox.housekeeping(store, "me", ingest, outbox)
    await housekeeping.begin()
    keeping = asyncio.create_task(housekeeping.run())
    try:
        async with somebody_dead_inside(mongod_url):
            begun = time.monotonic()
            await store.write(_change)  # it raises where nobody frees the way for 15 seconds
            assert time.monotonic() - begun > 1
            assert await store.processes.alive() == ["me"]
    finally:
        await end(keeping)


async def test_who_dies_inside_a_transaction_holds_up_no_start_that_takes_over_from_another(
    mongod_url: str, store: Store
) -> None:
    left = OutboxItem(
        id="m", lane="l", channel="c", conversation_id="c", identity_id="i", seq=1, state="claimed", owner="gone",
        due_at=datetime.now(UTC),
    )  # fmt: skip
    await store.write(lambda unit: _put(unit, left))
    outbox = OutboxWorker(store, "me", {}, Attachments(store), postbox.metrics())
    housekeeping = postbox.housekeeping(store, "me", outbox)
    async with somebody_dead_inside(mongod_url):
        begun = time.monotonic()
        await housekeeping.begin()
        assert time.monotonic() - begun < DEAD_AFTER_SECONDS
        await store.processes.bury(all_but="me")


async def _put(unit: Unit, value: OutboxItem) -> None:
    unit.put(value)


async def _change(unit: Unit) -> None:
    unit.put(Customer(id="c", created_at=unit.now, updated_at=unit.now))


async def test_who_dies_while_reading_a_mailbox_goes_on_there(embedded: Santral, dovecot: Dovecot, user: str) -> None:
    texts = [f"mail number {number}" for number in range(600)]
    dovecot.put(user, *(letter(number, text) for number, text in enumerate(texts)))
    mailbox = {"host": "127.0.0.1", "port": dovecot.plain, "tls": "none", "username": user, "password": PASSWORD}
    channel = {"id": "box", "connector": "email", "address": "box@example.com", "receive": {"imap": mailbox}}
    embedded.kill()
    embedded.config["channels"].append(channel)
    for wanted in (1, 200, 400):
        await embedded.start()
        async with embedded.desk() as desk:
            await eventually(lambda desk=desk, wanted=wanted: _count(desk, wanted), pause=0.005)
        embedded.kill()
    await embedded.start()
    async with embedded.desk() as desk:
        await eventually(lambda: _count(desk, len(texts)))
        found = [message["text"] for messages in (await desk.everything()).values() for message in messages]
    assert sorted(found) == sorted(texts)
    await embedded.stop()


async def _count(desk: Desk, least: int) -> bool:
    return len(await desk.conversations()) >= least
