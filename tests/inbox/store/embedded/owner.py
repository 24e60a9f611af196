"""A Santral reduced to its database, for tests to kill: `owner.py FOLDER [uvloop]` tells of itself as JSON lines."""

import asyncio
import json
import signal
import sys
from pathlib import Path

import uvloop
from pymongo import AsyncMongoClient

from inbox.store.embedded import EmbeddedDatabaseError, start


def tell(**said: object) -> None:
    print(json.dumps(said), flush=True)


async def main(folder: Path) -> None:
    told_to_stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
    try:
        database = await start(folder)
    except EmbeddedDatabaseError as error:
        tell(kind=type(error).__name__, error=str(error))
        return
    tell(url=database.url, pid=database.pid)
    await told_to_stop.wait()
    async with AsyncMongoClient(database.url) as client:
        await client.test.drained.insert_one({})
        tell(drained=await client.test.drained.count_documents({}), pid=database.pid)
    await database.stop()
    tell(stopped=True)


if __name__ == "__main__":
    run = uvloop.run if "uvloop" in sys.argv else asyncio.run
    run(main(Path(sys.argv[1])))
