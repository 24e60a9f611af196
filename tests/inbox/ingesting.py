"""Events handed in and applied, and what is in the database then."""

from __future__ import annotations

from typing import Any

import postbox
from harness import eventually
from postbox import CHANNEL, running
from pymongo.asynchronous.database import AsyncDatabase

from inbox.ingest import Ingest
from inbox.store import Store
from normalizer.outcomes import Raw

Documents = AsyncDatabase[dict[str, Any]]


async def settled(documents: Documents) -> None:
    """Returns when the journal holds nothing that is still to be applied."""

    async def done() -> bool:
        return not await documents["journal"].count_documents({"state": "new"})

    await eventually(done)


async def applied(store: Store, documents: Documents, *events: Raw, ingest: Ingest | None = None) -> None:
    """Receives these, one after another, and returns when all of them are applied or failed."""
    ingest = ingest or postbox.ingest(store)
    async with running(ingest):
        for event in events:
            await ingest.receive(CHANNEL, event)
        await settled(documents)


async def messages(documents: Documents, **query: Any) -> list[dict[str, Any]]:
    return [one async for one in documents["messages"].find(query).sort([("conversation_id", 1), ("seq", 1)])]


async def failed(store: Store) -> list[str]:
    return [entry.id for entry in (await store.queries.failed(after=None, limit=100)).items]


async def everything(documents: Documents) -> dict[str, list[dict[str, Any]]]:
    names = sorted(await documents.list_collection_names())
    return {name: [one async for one in documents[name].find().sort("_id", 1)] for name in names}
