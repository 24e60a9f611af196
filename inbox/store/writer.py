"""Every change of the inbox goes through here: many changes, one transaction; all transactions, one order.

The first operation of each transaction takes the next number from one counter document. MongoDB lets only one open
transaction hold that document, so transactions of all processes commit one after another. That gives, for the price
measured in `bench/apply_batches.py`:

- events whose positions are in the order of commit: a reader that has seen position *n* has missed nothing before it;
- no write skew: what a transaction looks up cannot change under it, so two processes never make two customers of one;
- conflicts that show at the first operation, before any work is done.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import tzinfo
from typing import Any, TypeVar, cast

from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import ConnectionFailure, ExecutionTimeout, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern

from inbox.clock import utc_now
from inbox.group_commit import GroupCommit
from inbox.model import Event
from inbox.store.client import MAJORITY, Client, Database
from inbox.store.errors import StoreUnavailableError
from inbox.store.guard import answering
from inbox.store.unit import Unit

BATCH = 256  # messages' weight in one transaction
BACKLOG = 4096
WAIT_MILLISECONDS = 500
PATIENCE_SECONDS = 15.0
LONGEST_SECONDS = 30.0  # that anybody waits for a transaction

T = TypeVar("T")
Change = Callable[[Unit], Awaitable[T]]
Measured = Callable[[float, Sequence[Event]], None]
"""Is told how many seconds a transaction took, the waiting for others included, and its events."""


def unmeasured(_seconds: float, _events: Sequence[Event]) -> None:
    """A `Measured` that forgets it."""


class Writer:
    """Commits changes, each the work of a function that gets a `Unit`. Such a function may run more than once."""

    def __init__(
        self,
        client: Client,
        database: Database,
        committed: Callable[[int, Sequence[Event]], None],
        measured: Measured,
        zone: tzinfo,
    ) -> None:
        """Made once for each process.

        Args:
            client: that of the database.
            database: what is written to.
            committed: called after each transaction that wrote something, with its number and its events.
            measured: called then too, with how long it took.
            zone: that of the days for which reports count.
        """
        self._database = database
        self._zone = zone
        self._measured = measured
        self._committed = committed
        self._session = client.start_session(causal_consistency=False)
        self._group: GroupCommit[Change[Any], Any] = GroupCommit(
            self._commit, batch=BATCH, backlog=BACKLOG, patience=LONGEST_SECONDS
        )

    async def prepare(self) -> None:
        """Makes sure that there is a counter: where it is missing, two first transactions would not see each other."""
        await self._database["counters"].update_one(
            {"_id": "transactions"}, {"$setOnInsert": {"number": 0}}, upsert=True
        )
        # The first signal would be an insert, of which the stream does not tell.
        await self._database["counters"].update_one({"_id": "signals"}, {"$setOnInsert": {"signal": {}}}, upsert=True)

    async def write(self, change: Change[T], *, weight: int = 1) -> T:
        """Runs `change` in a transaction and returns its result once that is committed.

        Args:
            change: what to do; it raises to undo what it did, and the exception comes out here.
            weight: about how many messages it writes; bounds the transaction.

        Raises:
            StoreUnavailableError: the database is away. It may have committed all the same, so a change must bear
                being done twice.
        """
        return cast("T", await self._group.submit(change, weight))

    @property
    def session_id(self) -> Mapping[str, Any]:
        """The server's name for the session of our transactions, by which others can end one that we left open."""
        return self._session.session_id

    async def close(self) -> None:
        """Returns when all changes taken are committed or refused."""
        await self._group.close()
        await self._session.end_session()

    async def _commit(self, changes: Sequence[Change[Any]]) -> Sequence[Any]:
        began = time.perf_counter()
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while True:
            try:
                with answering():
                    return await self._attempt(changes, began)
            except PyMongoError as error:
                if not error.has_error_label("TransientTransactionError"):
                    raise
                if asyncio.get_running_loop().time() > deadline:
                    raise StoreUnavailableError("the database is too busy: no transaction came through") from error
            await self._turn()

    async def _attempt(self, changes: Sequence[Change[Any]], began: float) -> Sequence[Any]:
        session = self._session
        await session.start_transaction(read_concern=ReadConcern("snapshot"), write_concern=MAJORITY)
        try:
            number, now = await self._number(session), utc_now()
            unit = Unit(self._database, session, number, now, self._zone)
            outcomes = [await _run(change, unit) for change in changes]
            await unit.flush()
        except BaseException:
            await session.abort_transaction()
            raise
        if unit.empty:
            await session.abort_transaction()
        else:
            await _commit(session)
            self._committed(unit.number, unit.events)
            self._measured(time.perf_counter() - began, unit.events)
        return outcomes

    async def _turn(self) -> None:
        """Waits until the transaction in whose way we were has ended.

        A plain write to the document that it holds waits inside the server, which costs half the CPU of asking again
        and again; bounded, because the holder may have died (its session is then ended by `Processes.bury`).
        """
        command = {
            "update": "counters",
            "updates": [{"q": {"_id": "transactions"}, "u": {"$inc": {"waits": 1}}}],
            "maxTimeMS": WAIT_MILLISECONDS,
            "writeConcern": {"w": 1},
        }
        with answering(), contextlib.suppress(ExecutionTimeout):
            await self._database.command(command)

    async def _number(self, session: AsyncClientSession) -> int:
        counter = await self._database["counters"].find_one_and_update(
            {"_id": "transactions"},
            {"$inc": {"number": 1}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        assert counter is not None  # an upsert that returns the document after it
        return int(counter["number"])


async def _run(change: Change[Any], unit: Unit) -> Any:  # noqa: ANN401 (each change has a result of its own)
    try:
        result = await change(unit)
    except PyMongoError:
        raise
    except Exception as error:  # noqa: BLE001 (its caller shall see it, and its neighbours shall not)
        unit.forget()
        return error
    unit.keep()
    return result


async def _commit(session: AsyncClientSession) -> None:
    """Commits, and asks again while nobody knows whether it was done (the server remembers)."""
    for attempt in range(4):
        try:
            await session.commit_transaction()
        except (ConnectionFailure, OperationFailure) as error:
            if attempt == 3 or not error.has_error_label("UnknownTransactionCommitResult"):
                raise
        else:
            return
