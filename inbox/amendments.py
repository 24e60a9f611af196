"""What agents change of messages that stand on a platform: the text of a reply, its deletion, a reaction.

The platform is asked first, and what it has done is stored: so an agent never reads what the customer does not. Asked
again, it does the same again; where nobody knows whether it was done, the agent is told to try again.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import structlog
from msgspec.structs import replace

from connectors.base import Amendment, Amends, Connector
from connectors.errors import ConnectorError, PermanentError, UnavailableError
from inbox import changes
from inbox.clock import utc_now
from inbox.errors import NotFoundError, RefusedError
from inbox.model import OutboxItem
from inbox.pacing import Pacer
from inbox.preview import put_changed
from inbox.replies import sanitized
from inbox.staff import Principal
from inbox.store import Store, Unit
from normalizer.codec import clean_text
from normalizer.outcomes import Change
from normalizer.schema import Author, Message, Reaction

PATIENCE_SECONDS = 30.0
STANDS = ("sent", "delivered", "read")
NOT_YET = ("queued", "scheduled", "waiting")

Changed = Callable[[Message, Unit], Message]


class Amendments:
    """Changes what stands, there and here."""

    def __init__(self, store: Store, connectors: Mapping[str, Connector[Any]]) -> None:
        """`connectors` are those of the configuration, by channel."""
        self._store = store
        self._connectors = connectors
        self._pacer = Pacer(store)
        self._logger: Any = structlog.get_logger("santral.amendments")

    async def edit(self, message_id: str, text: str, html: str | None) -> Message:
        """Gives a reply another text; what it said before is a revision.

        Raises:
            NotFoundError: no such message.
            RefusedError: it cannot be changed, or the platform does not.
            UnavailableError: the platform cannot be asked now.
        """
        message = await self._reply(message_id)
        text, html = clean_text(text), sanitized(html) if html else None
        if not _waits(message):
            await self._there("edit", message, replace(message, text=text, html=html))

        def changed(stored: Message, unit: Unit) -> Message:
            return changes.changed(stored, Change(external_id="", at=unit.now, text=text, html=html))

        return await self._store.write(lambda unit: self._put(unit, message_id, changed))

    async def delete(self, message_id: str) -> Message:
        """Takes a reply back; it stays here, marked.

        Raises:
            NotFoundError: no such message.
            RefusedError: it cannot be deleted, or the platform does not.
            UnavailableError: the platform cannot be asked now.
        """
        message = await self._reply(message_id)
        if _waits(message) and not self._pulls(message):
            raise RefusedError("not-amendable", "it has not left yet: cancel it")
        await self._there("delete", message, message)

        def changed(stored: Message, unit: Unit) -> Message:
            return replace(stored, deleted_at=stored.deleted_at or unit.now)

        return await self._store.write(lambda unit: self._put(unit, message_id, changed))

    async def react(self, principal: Principal, message_id: str, emoji: str, *, on: bool) -> Message:
        """Puts an emoji under a message, or takes it away.

        Raises:
            NotFoundError: no such message.
            RefusedError: the platform does not take it.
            UnavailableError: the platform cannot be asked now.
        """
        message = await self._known(message_id)
        if message.external.id is None or message.direction == "note" or message.deleted_at:
            raise RefusedError("not-amendable", "only what stands on a platform can be reacted to")
        author = Author(type="agent", id=principal.id, name=principal.name)
        reaction = Reaction(emoji=emoji, author=author, at=utc_now())

        def changed(stored: Message, _: Unit | None = None) -> Message:
            return changes.reacted(stored, reaction, removed=not on)

        await self._there("react" if on else "unreact", message, changed(message), emoji=emoji)
        return await self._store.write(lambda unit: self._put(unit, message_id, changed))

    async def _known(self, message_id: str) -> Message:
        message = await self._store.queries.message(message_id)
        if message is None:
            raise NotFoundError(f"no message {message_id}")
        return message

    async def _reply(self, message_id: str) -> Message:
        message = await self._known(message_id)
        if message.delivery is None or message.author.type == "customer":
            raise RefusedError("not-a-reply", "only replies can be changed, and this message is none")
        if message.deleted_at is not None or message.delivery.state not in (*STANDS, *NOT_YET):
            gone = "it is deleted" if message.deleted_at else f"it is {message.delivery.state}"
            raise RefusedError("not-amendable", f"only what waits or has left can be changed: {gone}")
        return message

    def _pulls(self, message: Message) -> bool:
        connector = self._connectors.get(message.channel)
        return connector is not None and connector.capabilities.pull

    async def _there(self, kind: Amends, before: Message, message: Message, *, emoji: str | None = None) -> None:
        """Has the platform do it. Whose recipients fetch replies is told by the change itself."""
        connector = self._connectors.get(message.channel)
        if connector is None:
            raise RefusedError("channel-gone", f'channel "{message.channel}" is not in the configuration')
        if kind not in connector.capabilities.amends:
            raise RefusedError("not-amendable", f'channel "{message.channel}" cannot {_WORDS[kind]} a message')
        if connector.capabilities.pull:
            return
        key = message.external.thread_key
        rates = connector.rates(key)
        pace = functools.partial(self._pacer.wait, message.channel, connector.paced_by(key), rates)
        async with self._told(message):
            await connector.amend(Amendment(kind=kind, message=message, before=before, emoji=emoji, pace=pace))

    @contextlib.asynccontextmanager
    async def _told(self, message: Message) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                yield
        except PermanentError as error:
            raise RefusedError("refused-there", error.reason) from error
        except ConnectorError as error:
            raise UnavailableError(error.reason, retry_after=getattr(error, "retry_after", None)) from error
        except TimeoutError as error:
            raise UnavailableError(f'channel "{message.channel}" does not answer') from error
        except Exception as error:
            self._logger.exception("connector raised", channel=message.channel, message=message.id)
            raise UnavailableError(f'channel "{message.channel}" failed unexpectedly') from error

    async def _put(self, unit: Unit, message_id: str, changed: Changed) -> Message:
        stored = await unit.one(Message, message_id)
        if stored is None:
            raise NotFoundError(f"no message {message_id}")
        item = await unit.one(OutboxItem, message_id)
        if item is not None and item.state == "sending":
            raise UnavailableError("it is just leaving")
        message = changed(stored, unit)
        return await put_changed(unit, message)


def _waits(message: Message) -> bool:
    """Whether it has not left yet, and so is ours alone."""
    return message.delivery is not None and message.delivery.state in NOT_YET


_WORDS: Mapping[Amends, str] = {"edit": "change", "delete": "delete", "react": "react to", "unreact": "react to"}
