"""What a recipient who fetches replies may see of their own thread: implements `connectors.base.Feed`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from connectors.base import CursorExpiredError, FeedPage
from inbox.events import Hub, from_cursor, to_cursor
from inbox.model import Event
from inbox.store import Store
from normalizer.codec import from_builtins
from normalizer.schema import Message

# A reply is for its recipient's eyes once it is on its way to them, and not when it was held back or called off.
UNSEEN = frozenset({"scheduled", "queued", "cancelled", "failed"})


class ChannelFeed:
    """The threads of one channel."""

    def __init__(self, store: Store, hub: Hub, channel: str) -> None:
        self._store = store
        self._hub = hub
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

    async def follow(self, thread_key: str, cursor: str) -> AsyncIterator[tuple[Message, str]]:
        """Every message and change after `cursor`, then live.

        Raises:
            CursorExpiredError: the cursor cannot be honoured.
        """
        try:
            position = from_cursor(cursor)
        except ValueError:
            raise CursorExpiredError from None
        async with aclosing(self._hub.follow(position, thread=(self._channel, thread_key))) as events:
            async for event in events:
                message = _shown(event)
                if message is not None:
                    yield message, to_cursor(event.id)


def _shown(event: Event) -> Message | None:
    message = from_builtins(event.data["message"], Message)
    # That a reply was delivered or read is no news to its recipient; that it is no longer held back, or called off, is.
    if event.type == "message.delivery_updated":
        return message if message.delivery and message.delivery.state in ("waiting", "cancelled") else None
    return message if _visible(message) else None


def _visible(message: Message) -> bool:
    return message.direction != "note" and (message.delivery is None or message.delivery.state not in UNSEEN)
