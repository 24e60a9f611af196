"""The connector contract kept in memory: what the inbox does for a web chat, without an inbox."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import msgspec
import structlog
from uuid_utils.compat import uuid7

from connectors.base import Channel, CursorExpiredError, FeedPage, Received
from connectors.errors import PermanentError, UnavailableError
from normalizer.chat import normalize
from normalizer.outcomes import ConversationEvent, DeliveryUpdate, Draft
from normalizer.schema import Attachment, Author, Delivery, Message


class MemoryFeed:
    """A log of snapshots a thread; a cursor is a position in it."""

    def __init__(self):
        self.logs = {}
        self.oldest = 0
        self._news = asyncio.Condition()

    async def add(self, thread_key, message):
        self.logs.setdefault(thread_key, []).append(message)
        async with self._news:
            self._news.notify_all()

    def newest(self, thread_key):
        return {message.id: message for message in self.logs.get(thread_key, [])}

    async def history(self, thread_key, *, limit=100):
        messages = tuple(self.newest(thread_key).values())[-limit:]
        cursor = str(self.oldest + len(self.logs.get(thread_key, [])))
        return FeedPage(
            messages=tuple(message for message in messages if message.direction != "note"),
            cursor=cursor,
            conversation_id=messages[-1].conversation_id if messages else None,
        )

    async def follow(self, thread_key, cursor):
        if not cursor.isdecimal() or int(cursor) < self.oldest:
            raise CursorExpiredError
        at = int(cursor) - self.oldest
        while True:
            log = self.logs.setdefault(thread_key, [])
            while at < len(log):
                at += 1
                if log[at - 1].direction != "note":
                    yield log[at - 1], str(self.oldest + at)
            async with self._news:
                await self._news.wait_for(lambda at=at: at < len(log))


class MemoryFiles:
    def __init__(self):
        self.kept = {}

    async def open(self, attachment_id):
        yield self.kept[attachment_id][1]

    async def save(self, content, *, filename, owner, limit):
        body = b""
        async for chunk in content:
            body += chunk
            if len(body) > limit:
                raise PermanentError("too large")
        kind = "image/png" if body.startswith(b"\x89PNG") else "text/html" if b"<" in body else "text/plain"
        file = Attachment(id=str(uuid7()), filename=filename, content_type=kind, size=len(body), sha256="0" * 64)
        self.kept[file.id] = (file, body, owner)
        return file

    async def find(self, attachment_id, *, owner):
        file, _, of = self.kept.get(attachment_id, (None, None, None))
        return file if of == owner else None


class MemoryKeys:
    def __init__(self):
        self.keys = {"k1": b"1" * 32}

    async def current(self):
        return next(reversed(self.keys.items()))

    async def find(self, kid):
        return self.keys.get(kid)


class MemoryContext:
    """Journals in a dictionary and applies at once."""

    def __init__(self, channel):
        self.channel = Channel(id=channel, public_url="https://inbox.example.com")
        self.feed = MemoryFeed()
        self.files = MemoryFiles()
        self.keys = MemoryKeys()
        self.log = structlog.get_logger()
        self.journal = {}
        self.events = []
        self.handler = None
        self.away = False

    def mount(self, prefix, handler):
        assert prefix == "chat"
        self.handler = handler

    def now(self):
        return datetime.now(UTC)

    async def receive(self, raw):
        await asyncio.sleep(0)
        if self.away:
            raise UnavailableError("the database is away")
        if raw.key in self.journal:
            return msgspec.structs.replace(self.journal[raw.key][1], duplicate=True)
        received = Received(message_id=str(uuid7()), received_at=raw.received_at)
        self.journal[raw.key] = (raw, received)
        await self._apply(raw, received)
        return received

    async def _apply(self, raw, received):
        (outcome,) = normalize(raw)
        if isinstance(outcome, Draft):
            message = self._stored(outcome.message, received.message_id, received.received_at)
            await self.feed.add(outcome.keys[0], message)
        elif isinstance(outcome, DeliveryUpdate):
            await self._deliver(outcome)
        elif isinstance(outcome, ConversationEvent):
            self.events.append(outcome)
            event = Message(kind="event", author=outcome.author, text=outcome.part.text, parts=(outcome.part,))
            await self.feed.add(outcome.thread_key, self._stored(event, received.message_id, received.received_at))

    async def _deliver(self, update):
        for thread_key in list(self.feed.logs):
            message = self.feed.newest(thread_key).get(update.message_id)
            if message is not None:
                delivery = msgspec.structs.replace(message.delivery, state=update.state)
                await self.change(thread_key, message.id, delivery=delivery)

    def _stored(self, message, message_id, at):
        return msgspec.structs.replace(
            message, id=message_id, conversation_id="conv-1", customer_id="secret-customer", received_at=at
        )

    async def reply(self, visitor, text, *, direction="outbound", state="waiting", **fields):
        author = Author(type="agent", id="secret-agent", name="Ayşe")
        message = Message(
            author=author,
            direction=direction,
            text=text,
            delivery=Delivery(state=state) if direction == "outbound" else None,
            channel_data={"secret": "data"},
            **fields,
        )
        message = self._stored(message, str(uuid7()), self.now())
        await self.feed.add(visitor, message)
        return message

    async def change(self, visitor, message_id, **fields):
        message = msgspec.structs.replace(self.feed.newest(visitor)[message_id], **fields)
        await self.feed.add(visitor, message)
        return message

    def state(self, visitor, message_id):
        return self.feed.newest(visitor)[message_id].delivery.state

    def said(self):
        return [raw for raw, _ in self.journal.values() if b'"type":"message"' in raw.body]
