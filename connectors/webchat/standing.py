"""How a visitor's conversation stands, as their browser is told: who took it, what was seen, who waits longer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

from connectors.context import Standing
from connectors.errors import UnavailableError
from connectors.tasks import end
from connectors.webchat.portraits import Portraits
from connectors.webchat.protocol import AskRating, Queue, Seen, ServerFrame, Taken
from normalizer.schema import Message

ASK_AGAIN_SECONDS = 10.0  # while one waits; each time half as long again, since nobody tells who is behind
LONGEST_SECONDS = 60.0


class Told:
    """What one browser was told of a standing."""

    def __init__(self, standing: Standing, portraits: Portraits, *, asks_rating: bool) -> None:
        """`standing` was told by the welcome, but for the queue."""
        self._portraits = portraits
        self._asks_rating = asks_rating
        self._agent, self._read, self._rating = standing.agent, standing.read, self.rating(standing)
        self._place: int | None = None

    @property
    def waits(self) -> bool:
        """Whether the visitor was told that they wait."""
        return bool(self._place)

    def rating(self, standing: Standing) -> str | None:
        """The conversation that waits for a rating, or None."""
        wanted = self._asks_rating and standing.resolved and not standing.rated
        return standing.conversation_id if wanted else None

    def news(self, standing: Standing) -> Iterator[ServerFrame]:
        """What is new of it."""
        place = 0 if standing.ahead is None else standing.ahead + 1
        if place != (self._place or 0):
            wait = standing.wait_seconds
            yield Queue(position=place, wait_seconds=None if wait is None else round(wait))
        if standing.agent is not None and standing.agent != self._agent:
            yield Taken(author=self._portraits.shown(standing.agent))
        if standing.read is not None and standing.read != self._read:
            yield Seen(message_id=standing.read)
        rating = self.rating(standing)
        if rating is not None and rating != self._rating:
            yield AskRating(conversation_id=rating)
        self._place, self._agent, self._read, self._rating = place, standing.agent, standing.read, rating

    def concerns(self, message: Message) -> bool:
        """Whether a message may have changed the standing: a first one of the visitor's, an answer to who waits."""
        if message.direction == "outbound":
            return self.waits
        return not self.waits and self._agent is None and message.kind == "message"


class Outlook:
    """Tells a browser how its conversation stands as long as it is open.

    Args:
        ask: how it stands now.
        send: writes to the browser; it may raise ConnectionError.
        told: what the browser knows.
    """

    def __init__(
        self, ask: Callable[[], Awaitable[Standing]], send: Callable[[ServerFrame], Awaitable[None]], told: Told
    ) -> None:
        self.told = told
        self._ask = ask
        self._send = send
        self._stirred = asyncio.Event()
        self._telling: asyncio.Task[None] | None = None

    def changed(self) -> None:
        """It may stand otherwise."""
        self._stirred.set()
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell())

    async def close(self) -> None:
        """Tells nothing more."""
        if self._telling is not None:
            await end(self._telling)

    async def _tell(self) -> None:
        pause = ASK_AGAIN_SECONDS
        try:
            while self._stirred.is_set() or self.told.waits:
                self._stirred.clear()
                for frame in self.told.news(await self._ask()):
                    await self._send(frame)
                if self.told.waits:
                    await self._rest(pause)
                    pause = min(pause * 1.5, LONGEST_SECONDS)
        except (ConnectionError, UnavailableError):
            pass  # whoever comes back is told anew; a database that is away is asked at the next change

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stirred.wait()
        except TimeoutError:
            pass
