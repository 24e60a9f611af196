"""Several processes at once, one new identity: one customer, one conversation, no gap."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

from harness import environment, eventually
from pymongo.asynchronous.database import AsyncDatabase

from inbox.store import Store

PROCESSES = 4
EACH = 60

Documents = AsyncDatabase[dict[str, Any]]


async def burst(url: str, kind: str) -> None:
    """Lets processes of their own receive and apply, beginning at the same moment."""
    bursters = [
        subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("burster.py")), url, str(number), str(EACH), kind],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    try:
        for one in bursters:
            assert one.stdout is not None
            assert await asyncio.to_thread(one.stdout.readline) == "ready\n"
        for one in bursters:
            assert one.stdin is not None
            one.stdin.write("go\n")
            one.stdin.flush()
        for one in bursters:
            out, _ = await asyncio.to_thread(one.communicate, None, 60)
            assert (one.returncode, out) == (0, "done\n")
    finally:
        for one in bursters:
            one.kill()
            one.communicate()


async def everything(documents: Documents, collection: str, **query: Any) -> list[dict[str, Any]]:
    return [one async for one in documents[collection].find(query)]


async def test_one_stranger_in_four_processes_is_one_customer_with_one_conversation(
    mongod_url: str, store: Store, documents: Documents
) -> None:
    await burst(mongod_url, "one-thread")
    (customer,) = await everything(documents, "customers")
    (identity,) = await everything(documents, "identities")
    (conversation,) = await everything(documents, "conversations")
    assert identity["customer_id"] == customer["_id"] == conversation["customer_id"]
    messages = sorted(await everything(documents, "messages"), key=lambda one: int(one["seq"]))
    total = PROCESSES * EACH
    assert [one["seq"] for one in messages] == list(range(1, total + 1))
    assert (conversation["last_seq"], conversation["inbound"]) == (total, total)
    assert len({one["text"] for one in messages}) == total
    for number in range(PROCESSES):
        own = [one["text"] for one in messages if one["text"].startswith(f"{number}-")]
        assert own == [f"{number}-{n}" for n in range(EACH)]
    created = await everything(documents, "events", type="message.created")
    assert [one["message_id"] for one in sorted(created, key=lambda one: int(one["_id"]))] == [
        one["_id"] for one in messages
    ]


async def test_the_same_events_in_four_processes_are_applied_once(
    mongod_url: str, store: Store, documents: Documents
) -> None:
    await burst(mongod_url, "same-events")
    messages = await everything(documents, "messages")
    assert sorted(one["seq"] for one in messages) == list(range(1, EACH + 1))
    assert len({one["text"] for one in messages}) == EACH


async def test_one_persons_chain_torn_over_four_processes_becomes_one_conversation(
    mongod_url: str, store: Store, documents: Documents
) -> None:
    await burst(mongod_url, "torn-chain")

    async def one_stands() -> bool:
        return await documents["conversations"].count_documents({"merged_into": None}) == 1

    await eventually(one_stands)
    (home,) = await everything(documents, "conversations", merged_into=None)
    messages = await everything(documents, "messages")
    assert {one["conversation_id"] for one in messages} == {home["_id"]}
    assert sorted(one["seq"] for one in messages) == list(range(1, PROCESSES * EACH + 1))
