"""What a recipient who fetches replies may see of their own thread: implements `connectors.base.Feed`."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from msgspec.structs import replace

from connectors.context import Attendant, CursorExpiredError, FeedPage, Presence, Standing
from connectors.errors import UnavailableError
from inbox.events import PAGE, Hub, from_cursor, to_cursor
from inbox.model import Event, scoped
from inbox.recipients import Recipients
from inbox.sight import audience
from inbox.signals import Signal, Signals
from inbox.store import Store
from normalizer.codec import from_builtins
from normalizer.schema import Author, Message

# A reply is for its recipient's eyes once it is on its way to them, and not when it was held back or called off.
UNSEEN = frozenset({"scheduled", "queued", "cancelled", "failed"})


class ChannelFeed:
    """The threads of one channel."""

    def __init__(self, store: Store, hub: Hub, signals: Signals, recipients: Recipients, channel: str) -> None:
        self._store = store
        self._hub = hub
        self._signals = signals
        self._recipients = recipients
        self._channel = channel

    async def history(self, thread_key: str, *, limit: int = 100) -> FeedPage:
        """The newest `limit` messages, and the cursor of this moment."""
        position = await self._hub.newest()
        while True:
            messages = await self._store.queries.thread(self._channel, thread_key, limit)
            newer = await self._hub.backlog(position, limit, thread=(self._channel, thread_key))
            if not newer:
                break
            position = newer[-1].id
        return FeedPage(
            messages=tuple(message for message in messages if _visible(message)),
            cursor=to_cursor(position),
            conversation_id=messages[-1].conversation_id if messages else None,
        )

    async def since(self, thread_key: str, cursor: str) -> FeedPage:
        """The messages and changes after `cursor`, and the cursor from which `follow` goes on.

        Raises:
            CursorExpiredError: the cursor cannot be honoured.
        """
        newest = await self._hub.newest()
        position = _position(cursor)
        events = await self._hub.backlog(position, PAGE, thread=(self._channel, thread_key))
        # A quiet thread's cursor moves up with the log, so that it does not expire while nothing happens.
        reached = [event.id for event in events[-1:]] or [position]
        if len(events) < PAGE:
            reached.append(newest)
        last = await self._store.queries.thread(self._channel, thread_key, 1)
        return FeedPage(
            messages=tuple(message for message in map(_shown, events) if message is not None),
            cursor=to_cursor(max(reached)),
            conversation_id=last[-1].conversation_id if last else None,
        )

    async def follow(self, thread_key: str, cursor: str) -> AsyncGenerator[tuple[Message, str], None]:
        """Every message and change after `cursor`, then live.

        Raises:
            CursorExpiredError: the cursor cannot be honoured.
        """
        async with aclosing(self._hub.follow(_position(cursor), thread=(self._channel, thread_key))) as events:
            async for event in events:
                message = _shown(event)
                if message is not None:
                    yield message, to_cursor(event.id)

    async def tell(self, thread_key: str, presence: Presence) -> None:
        """Tells agents that the recipient is here, types, or has left. Where there is no conversation yet, nobody."""
        signal = await self._signal(thread_key, presence)
        if signal is not None and self._signals.watched(signal.conversation_id):
            await self._signals.send(signal)

    async def standing(self, thread_key: str) -> Standing:
        """How the thread's newest conversation stands."""
        return await self._recipients.standing(self._channel, thread_key)

    async def end(self, thread_key: str) -> None:
        """Tells all attendants of a thread that its recipient has ended it."""
        threads = ((self._channel, thread_key),)
        await self._signals.send(
            Signal(kind="ended", conversation_id="", author=Author(type="customer"), threads=threads)
        )

    @asynccontextmanager
    async def attended(self, thread_key: str, attendant: Attendant) -> AsyncIterator[None]:
        """The recipient is here while the block lasts, and `attendant` hears of the thread."""

        def heard(signal: Signal) -> None:
            if signal.kind == "typing" and signal.author.type != "customer":
                attendant.typing(signal.author)
            elif signal.kind == "changed":
                attendant.changed()
            elif signal.kind == "ended":
                attendant.ended()

        here = await self._signal(thread_key, "here")
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._signals.listening(heard, (self._channel, thread_key)))
            if here is not None:
                stack.enter_context(self._signals.present(here))
            try:
                if here is not None:
                    await self._say(here)
                yield
            finally:
                if here is not None:
                    await self._say(replace(here, kind="gone"))

    async def _say(self, signal: Signal) -> None:
        """Says so to agents who are looking: nobody else is told when thousands come back at once."""
        if self._signals.watched(signal.conversation_id):
            with contextlib.suppress(UnavailableError):  # it is true for a moment only
                await self._signals.send(signal)

    async def _signal(self, thread_key: str, kind: Presence) -> Signal | None:
        conversation = await self._store.queries.conversation_of(scoped(self._channel, thread_key))
        if conversation is None:
            return None
        return Signal(
            kind=kind,
            conversation_id=conversation.id,
            author=Author(type="customer", id=conversation.customer_id),
            audience=audience(conversation),
        )


def _position(cursor: str) -> int:
    try:
        return from_cursor(cursor)
    except ValueError:
        raise CursorExpiredError from None


def _shown(event: Event) -> Message | None:
    message = from_builtins(event.data["message"], Message)
    # That a reply was delivered or read is no news to its recipient; that it is no longer held back, or called off, is.
    if event.type == "message.delivery_updated":
        return message if message.delivery and message.delivery.state in ("waiting", "cancelled") else None
    return message if _visible(message) else None


def _visible(message: Message) -> bool:
    return message.direction != "note" and (message.delivery is None or message.delivery.state not in UNSEEN)
