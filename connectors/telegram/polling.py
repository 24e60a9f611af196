"""Asking Telegram for updates: one poller a bot, over all processes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from connectors.context import Context
from connectors.errors import PermanentError, TemporaryError
from connectors.telegram.api import UNKNOWN_BOT, BotApi
from connectors.telegram.arrival import Arrival, arrival

# Telegram keeps updates for 24 hours, so what an older cursor confirms is gone anyway.
CURSOR_HOURS = 24


class Cursor(Struct, frozen=True):
    """How far a bot's updates were read: the next that is wanted, as of when."""

    bot: int
    offset: int
    at: datetime

    def dump(self) -> bytes:
        """As the lease keeps it."""
        return json.dumps([self.bot, self.offset, self.at.isoformat()]).encode()

    @classmethod
    def load(cls, kept: bytes | None, bot: int, now: datetime) -> Cursor | None:
        """The cursor that was kept; None for one that is too old, or of another version, or of another bot."""
        try:
            whose, offset, at = json.loads(kept or b"")
            cursor = cls(int(whose), int(offset), datetime.fromisoformat(at))
        except (ValueError, TypeError):
            return None
        return cursor if cursor.bot == bot and now - cursor.at < timedelta(hours=CURSOR_HOURS) else None


class Poller:
    """Asks again and again; an update is confirmed when it is journaled, and not before.

    Confirmed is what stands before an `offset` once it was asked for. Then it is left out: after a quiet week Telegram
    numbers anew (https://core.telegram.org/bots/api#update), and would take all below the old offset for confirmed.
    """

    def __init__(self, api: BotApi, context: Context, answer: Callable[[Arrival], None]) -> None:
        """`answer` is called with each update that is journaled."""
        self._api = api
        self._context = context
        self._answer = answer

    async def run(self) -> None:
        """Receives until cancelled.

        Raises:
            TemporaryError: Telegram cannot be asked now, sends what cannot be confirmed, or another program polls.
            PermanentError: it refuses, and not for the token: that is tried again too.
            UnavailableError: an update could not be journaled: it will come again.
            LeaseLostError: another process may be the poller by now.
        """
        async with self._context.lease("poller") as lease:
            try:
                with self._api.calling():
                    await self._api.bot.delete_webhook()
                self._context.heard()
                cursor = Cursor.load(await lease.load_cursor(), self._api.id, self._context.now())
                while True:
                    offset = cursor.offset if cursor else None
                    updates = await self._api.updates(offset)
                    self._context.heard()
                    last = await self._receive(updates)
                    cursor = Cursor(self._api.id, last + 1, self._context.now()) if last is not None else None
                    if updates and (cursor is None or cursor.offset == offset):  # else it would ask without a pause
                        raise TemporaryError("Telegram's updates have no numbers by which they could be confirmed")
                    if cursor is not None:
                        await lease.save_cursor(cursor.dump())
            except PermanentError as error:
                if error.code != UNKNOWN_BOT:  # a proxy's own refusal, for one, passes
                    raise
                self._context.fail(f"{error.reason}; ask BotFather for the token, and put it into the configuration")

    async def _receive(self, updates: Sequence[bytes]) -> int | None:
        """Journals what has come, in its order; returns the number of the last."""
        now = self._context.now()
        arrivals = [arrival(update, now, self._api.id) for update in updates]
        received = await asyncio.gather(*(self._context.receive(one.raw) for one in arrivals), return_exceptions=True)
        for outcome in received:
            if isinstance(outcome, BaseException):
                raise outcome
        for one in arrivals:
            self._answer(one)
        numbers = [one.update_id for one in arrivals if one.update_id is not None]
        return numbers[-1] if numbers else None
