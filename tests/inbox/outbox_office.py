"""An inbox whose replies leave for a platform of the test."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import postbox
from harness import eventually
from ingesting import Documents, applied
from postbox import CHANNEL, Platform, Postbox, raw, said

from inbox.addressing import Addressing
from inbox.attachments import Attachments
from inbox.outbox import OutboxWorker
from inbox.replies import NewReply, Replies
from inbox.staff import Principal
from inbox.store import Store
from normalizer.schema import Delivery, Message

ADA = Principal(id="agent-ada", name="Ada", role="agent")
BOB = Principal(id="agent-bob", name="Bob", role="agent")


class Office:
    """An inbox with one channel, whose platform stands beside it."""

    def __init__(self, store: Store, documents: Documents, kind: type[Postbox] = Postbox) -> None:
        self.store = store
        self.documents = documents
        self.platform = Platform()
        self.postbox = kind(self.platform)
        self.worker = self.another_worker("me")
        addressing = Addressing({CHANNEL: self.postbox})
        self.replies = Replies(store, addressing, Attachments(store), self.worker)
        self._letters = 0

    def another_worker(self, owner: str, **connectors: Postbox) -> OutboxWorker:
        known = connectors or {CHANNEL: self.postbox}
        return OutboxWorker(self.store, owner, known, Attachments(self.store), postbox.metrics())

    @contextlib.asynccontextmanager
    async def working(self, worker: OutboxWorker | None = None) -> AsyncIterator[None]:
        async with postbox.working(worker or self.worker):
            yield

    async def receive(self, *items: dict[str, Any]) -> None:
        """Applies an event."""
        self._letters += 1
        await applied(self.store, self.documents, raw(f"k{self._letters}", *items))

    async def conversation(self, sender: str = "ada", thread: str = "t") -> str:
        """A conversation in which the customer waits for an answer."""
        await self.receive(said(sender=sender, thread=thread, id=f"{thread}-first"))
        key = await self.documents["thread_keys"].find_one({"_id": f"{CHANNEL}|{thread}"})
        assert key is not None
        return str(key["conversation_id"])

    async def reply(self, conversation_id: str, text: str = "answer", **fields: Any) -> str:
        return (await self.replies.reply(ADA, conversation_id, NewReply(text=text, **fields))).id

    async def message(self, id_: str) -> Message:
        message = await self.store.queries.message(id_)
        assert message is not None
        return message

    async def delivery(self, id_: str) -> Delivery:
        found = (await self.message(id_)).delivery
        assert found is not None
        return found

    async def until(self, id_: str, *states: str) -> Delivery:
        async def there() -> Delivery | None:
            found = await self.delivery(id_)
            return found if found.state in states else None

        found = await eventually(there)
        assert found is not None
        return found

    async def until_error(self, id_: str) -> Delivery:
        async def there() -> Delivery | None:
            found = await self.delivery(id_)
            return found if found.error and found.state == "queued" else None

        found = await eventually(there)
        assert found is not None
        return found

    async def hurry(self, id_: str) -> None:
        """Lets the time pass that a reply waits for."""
        await self.documents["outbox"].update_one({"_id": id_}, {"$set": {"due_at": datetime.now(UTC)}})
        self.worker.wake()

    async def items(self) -> list[dict[str, Any]]:
        return [one async for one in self.documents["outbox"].find()]
