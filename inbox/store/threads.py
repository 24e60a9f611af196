"""How threads stand whose recipients fetch what is for them: who has seen them, and who waits."""

from __future__ import annotations

from pymongo import ASCENDING, DESCENDING

from inbox.model import Conversation
from inbox.store.client import Database, Document
from inbox.store.guard import guarded
from inbox.store.indexes import LONG_AGO

MOST_WAITING = 500  # conversations of a channel that are counted; who is behind them is told so


@guarded
class Threads:
    """Reads `conversations` and `messages`, and keeps `sights`: up to where somebody of the company has seen each."""

    def __init__(self, database: Database) -> None:
        self._conversations = database["conversations"]
        self._messages = database["messages"]
        self._sights = database["sights"]

    async def see(self, conversation_id: str, seq: int) -> bool:
        """Says that somebody has seen a conversation up to `seq`; returns whether that is news."""
        before = await self._sights.find_one_and_update(
            {"_id": conversation_id}, {"$max": {"seq": seq}}, projection={"seq": 1}, upsert=True
        )
        return before is None or before["seq"] < seq

    async def seen(self, channel: str, thread_key: str, conversation_id: str) -> str | None:
        """The newest message that came in by a thread and that somebody of the company has seen."""
        sight = await self._sights.find_one({"_id": conversation_id})
        if sight is None:
            return None
        query: Document = {
            "conversation_id": conversation_id,
            "seq": {"$lte": sight["seq"]},
            "direction": "inbound",
            "channel": channel,
            "external.thread_key": thread_key,
        }
        return await self._newest(query)

    async def is_rated(self, channel: str, thread_key: str, conversation: Conversation) -> bool:
        """Whether the thread's recipient has said how it was since the conversation was last opened."""
        query: Document = {
            "conversation_id": conversation.id,
            "channel": channel,
            "external.thread_key": thread_key,
            "parts.type": "rating",
            "created_at": {"$gte": conversation.opened_at or conversation.created_at},
        }
        return await self._newest(query) is not None

    async def waiting(self, channel: str) -> list[str]:
        """Ids of the channel's conversations in which somebody waits and that nobody has taken, the longest first."""
        query: Document = {
            "waiting_since": {"$gt": LONG_AGO},
            "status": "open",
            "assignee": None,
            "channels": channel,
        }
        found = self._conversations.find(query, {"_id": 1}, hint="waiting").sort("waiting_since", ASCENDING)
        return [document["_id"] async for document in found.limit(MOST_WAITING)]

    async def _newest(self, query: Document) -> str | None:
        found = self._messages.find(query, {"_id": 1}).sort("seq", DESCENDING).limit(1)
        async for document in found:
            return str(document["_id"])
        return None
