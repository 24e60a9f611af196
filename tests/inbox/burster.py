"""A process of its own for `test_bursts`: `burster.py URL NUMBER COUNT KIND` receives and applies as Santral does."""

from __future__ import annotations

import asyncio
import random
import sys
from typing import Any

import postbox
from postbox import CHANNEL, raw, said

from connectors.tasks import end
from inbox.store import Store

PROCESSES = 4


def event(kind: str, number: int, turn: int, count: int) -> tuple[str, dict[str, Any]]:
    """The key of an event and what it means."""
    match kind:
        case "one-thread":
            return f"{number}-{turn}", said(f"{number}-{turn}", thread="t", name="Ada")
        case "same-events":
            return f"{turn}", said(f"{turn}", thread="t")
        case _:
            mine = random.Random(7).sample(range(PROCESSES * count), PROCESSES * count)[number::PROCESSES][turn]
            return f"{mine}", said(f"{mine}", id=f"m{mine}", refers=[f"m{mine - 1}"] if mine else [])


async def main(url: str, number: int, count: int, kind: str) -> None:
    store = await Store.open(url)
    owner = f"burster {number}"
    await store.processes.beat(owner, store.session_id, {})
    ingest = postbox.ingest(store, owner)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    applying = asyncio.create_task(ingest.run())
    for turn in range(count):
        key, item = event(kind, number, turn, count)
        await ingest.receive(CHANNEL, raw(key, item))
    while await store.journal.unapplied(owner, 1):
        await asyncio.sleep(0.02)
    await end(applying)
    await store.close()
    print("done", flush=True)


if __name__ == "__main__":
    address, which, many, what = sys.argv[1:]
    asyncio.run(main(address, int(which), int(many), what))
