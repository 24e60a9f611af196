"""Those who fetch what is for them: how their conversation stands, and the word that it stands otherwise."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from connectors.context import Standing
from connectors.errors import UnavailableError
from inbox.addressing import Addressing
from inbox.model import Conversation, scoped
from inbox.signals import Signal, Signals
from inbox.store import Store
from inbox.store.events import Thread
from inbox.store.reports import Scope
from inbox.tallies import merged, quantile
from normalizer.schema import Author

QUEUE_SECONDS = 5.0  # how old a channel's queue may be: all who wait ask for it
WAIT_DAYS = 7  # of which first answers tell how long one waits


class _Queue(Struct, frozen=True):
    """Who waited on a channel at a moment of the event loop's clock, and how long it usually takes, in seconds."""

    at: float
    waiting: dict[str, int]
    wait_seconds: float | None


class Recipients:
    """Knows how threads stand."""

    def __init__(self, store: Store, addressing: Addressing, signals: Signals) -> None:
        self._store = store
        self._addressing = addressing
        self._signals = signals
        self._queues: dict[str, _Queue] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    async def threads(self, conversation_id: str) -> tuple[Thread, ...]:
        """The threads of a conversation whose recipients fetch what is for them."""
        keys = [key.split("|", 1) for key in await self._store.queries.thread_keys(conversation_id)]
        return tuple((channel, key) for channel, key in keys if self._addressing.pulls(channel))

    async def changed(self, conversation: Conversation) -> None:
        """Tells them that a conversation may stand otherwise. Who does not hear it asks when they come back."""
        if not any(map(self._addressing.pulls, conversation.channels)):
            return
        with contextlib.suppress(UnavailableError):
            threads = await self.threads(conversation.id)
            author = Author(type="system")
            signal = Signal(kind="changed", conversation_id=conversation.id, author=author, threads=threads)
            if threads:
                await self._signals.send(signal)

    async def seen(self, conversation: Conversation, seq: int) -> None:
        """Notes that somebody of the company has seen a conversation up to `seq`, and tells them."""
        pulls = any(map(self._addressing.pulls, conversation.channels))
        if pulls and await self._store.threads.see(conversation.id, seq):
            await self.changed(conversation)

    async def standing(self, channel: str, thread_key: str) -> Standing:
        """How a thread's newest conversation stands."""
        conversation = await self._store.queries.conversation_of(scoped(channel, thread_key))
        if conversation is None:
            return Standing()
        threads = self._store.threads
        resolved = conversation.status == "resolved" and conversation.answered_at is not None
        ahead, wait_seconds = await self._place(channel, conversation)
        return Standing(
            conversation_id=conversation.id,
            agent=await self._agent(conversation.assignee),
            read=await threads.seen(channel, thread_key, conversation.id),
            resolved=resolved,
            rated=resolved and await threads.is_rated(channel, thread_key, conversation),
            ahead=ahead,
            wait_seconds=wait_seconds,
        )

    async def _agent(self, principal_id: str | None) -> Author | None:
        agent = await self._store.staff.principal(principal_id) if principal_id else None
        return Author(type="agent", id=agent.id, name=agent.name) if agent else None

    async def _place(self, channel: str, conversation: Conversation) -> tuple[int | None, float | None]:
        if conversation.waiting_since is None or conversation.assignee is not None or conversation.status != "open":
            return None, None
        queue = await self._queue(channel)
        return queue.waiting.get(conversation.id, len(queue.waiting)), queue.wait_seconds

    async def _queue(self, channel: str) -> _Queue:
        """The channel's queue, asked for once for all who wait; who came after it was asked for stands at its end."""
        clock = asyncio.get_running_loop().time
        async with self._asking.setdefault(channel, asyncio.Lock()):
            queue = self._queues.get(channel)
            if queue is None or clock() - queue.at > QUEUE_SECONDS:
                waiting = await self._store.threads.waiting(channel)
                places = {id_: place for place, id_ in enumerate(waiting)}
                queue = self._queues[channel] = _Queue(clock(), places, await self._wait_seconds(channel))
        return queue

    async def _wait_seconds(self, channel: str) -> float | None:
        today = datetime.now(UTC).astimezone(self._store.reports.zone).date()
        scope = Scope(first=today - timedelta(days=WAIT_DAYS), last=today, channel=channel)
        return quantile(merged((await self._store.reports.first_responses(scope)).values()), 0.5)
