"""A database that is too slow: memory stays bounded, each way in says *try again*, nothing acknowledged is missing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import smtplib
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import psutil
import pytest
from harness import Santral, Visitor, eventually, letter

from rig.clients import SECRET
from rig.plugin.courier import SIGNATURE, signature
from rig.replica_set import ReplicaSet

PLUGIN = Path(__file__).parent / "plugin"
MAILERS, CHATTERS, CALLERS = 40, 8, 8
LARGE = b"x" * 78 + b"\r\n"
MEGABYTES = 6  # of each mail: all of them together are more than may be in memory
SLOW_SECONDS = 25.0  # that each block of bytes takes
BOUND = 700  # MB


class Flood:
    """Everybody says one thing, and says it again until it is acknowledged."""

    def __init__(self, santral: Santral) -> None:
        self.santral = santral
        self.begun = asyncio.Event()
        self.welcome = 0
        self.acknowledged: list[str] = []
        self.refused: Counter[str] = Counter()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for number in range(MAILERS):
                tasks.create_task(self._mail(f"mail-{number}"))
            for number in range(CHATTERS):
                tasks.create_task(self._chat(f"chat-{number}"))
            for number in range(CALLERS):
                tasks.create_task(self._call(f"call-{number}"))

    async def _mail(self, text: str) -> None:
        await self.begun.wait()
        body = letter(text, text, sender=f"{text}@example.org") + LARGE * (MEGABYTES * 1024 * 1024 // len(LARGE))
        while True:
            try:
                await asyncio.to_thread(self.santral.send_mail, body, f"{text}@example.org")
            except smtplib.SMTPResponseException as error:
                self.refused[str(error.smtp_code)] += 1
                await asyncio.sleep(1)
            except (OSError, smtplib.SMTPException):
                await asyncio.sleep(1)
            else:
                break
        self.acknowledged.append(text)

    async def _chat(self, text: str) -> None:
        visitor = Visitor(self.santral.url)
        while True:
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError, TypeError, AssertionError):
                async with visitor.connected() as socket:
                    self.welcome += 1
                    await self.begun.wait()
                    while (frame := await visitor.say(socket, text))["type"] == "error":
                        self.refused[frame["code"]] += 1
                        await asyncio.sleep(1)
                    break
            await asyncio.sleep(1)
        self.acknowledged.append(text)

    async def _call(self, text: str) -> None:
        event = json.dumps({"id": text, "from": text, "thread": text, "text": text, "files": {}}).encode()
        headers = {SIGNATURE: signature(SECRET, event)}
        await self.begun.wait()
        async with aiohttp.ClientSession(self.santral.url) as http:
            while True:
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    async with http.post("/hooks/courier", data=event, headers=headers) as answer:
                        if answer.status == 200:
                            break
                        self.refused[f"hook {answer.status}"] += 1
                await asyncio.sleep(1)
        self.acknowledged.append(text)


@pytest.fixture
async def replica_set(tmp_path: Path) -> AsyncIterator[ReplicaSet]:
    made = ReplicaSet(tmp_path / "set", members=1)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def santral(replica_set: ReplicaSet, tmp_path: Path) -> AsyncIterator[Santral]:
    courier = {"id": "courier", "connector": "courier", "url": "http://127.0.0.1:9", "secret": SECRET}
    made = Santral(tmp_path / "santral", storage=replica_set.url, more=[courier], PYTHONPATH=str(PLUGIN))
    await made.start()
    yield made
    made.abandon()


@pytest.mark.timeout(400)
async def test_a_slow_database_bounds_memory_and_loses_nothing(santral: Santral, replica_set: ReplicaSet) -> None:
    assert santral.process is not None
    process = psutil.Process(santral.process.pid)
    proxy = replica_set.members[0].proxy
    flood, most = Flood(santral), 0
    flooding = asyncio.create_task(flood.run())

    async def all_chat() -> bool:
        return flood.welcome == CHATTERS

    await eventually(all_chat)
    proxy.delay = SLOW_SECONDS
    flood.begun.set()

    async def everybody_was_refused() -> bool:
        nonlocal most
        most = max(most, process.memory_info().rss >> 20)
        return {"451", "unavailable", "hook 503"} <= set(flood.refused)

    try:
        await eventually(everybody_was_refused, patience=120)
    except AssertionError:
        raise AssertionError(f"only {dict(flood.refused)} were refused") from None
    proxy.delay = 0.0
    proxy.cut()  # what is still on its way at the old pace
    began = time.monotonic()
    while not flooding.done():
        most = max(most, process.memory_info().rss >> 20)
        assert time.monotonic() - began < 200
        await asyncio.sleep(0.1)
    await flooding
    print(f"refused {dict(flood.refused)}; at most {most} MB resident")
    assert most < BOUND
    assert set(flood.refused) <= {"451", "452", "unavailable", "hook 503"}
    async with santral.desk() as desk:

        async def all_there() -> bool:
            found = await desk.conversations()
            assert all(one["last_seq"] == 1 for one in found)
            return sorted(one["last_message"]["text"].split()[0] for one in found) == sorted(flood.acknowledged)

        await eventually(all_there, pause=0.5)
