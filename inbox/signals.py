"""What is true for a moment only and is never kept: who is looking at a conversation, and who is typing in it.

A signal goes through the one change stream that each process has, and from there to the streams of those who may hear
it. Whoever comes to a conversation asks who is there, and each process answers for its own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from inbox.model import new_id
from inbox.sight import Audience
from inbox.store import EventLog, Store
from inbox.store.events import Thread
from normalizer.codec import from_builtins, to_builtins
from normalizer.schema import Author

SAY_AGAIN_SECONDS = 30.0  # how often whoever looks at a conversation says so
HERE_SECONDS = 2 * SAY_AGAIN_SECONDS + 5  # after which somebody of whom nothing was heard has gone
MOST_WATCHED = 10_000  # conversations that are remembered before old ones are cleared away

SignalKind = Literal["here", "gone", "typing", "changed", "ended"]


class Signal(Struct, frozen=True, kw_only=True):
    """Somebody is in a conversation, has left it, or types there; or its threads' recipients have something to ask for.

    Attributes:
        author: who: an agent, a bot or the customer.
        audience: which agents may hear of it (`inbox.sight`), None all.
        threads: those of the conversation, whose recipients are shown that an agent types; `changed` (it may stand
            otherwise) and `ended` (the recipient has signed out) are for them alone.
        asks: an agent looks at the conversation, and wants to know who else is there.
        id: makes each one another than the one before.
    """

    kind: SignalKind
    conversation_id: str
    author: Author
    audience: Audience | None = None
    threads: tuple[Thread, ...] = ()
    asks: bool = False
    id: str = ""


Listener = Callable[[Signal], None]


class Signals:
    """Sends signals, and hands out those of all processes."""

    def __init__(self, store: Store) -> None:
        self._log: EventLog = store.events
        self._all: set[Listener] = set()
        self._of_thread: dict[Thread, set[Listener]] = {}
        self._here: dict[str, Counter[Signal]] = {}
        # Which agents are where, in any process, as far as was heard here; and until when that surely holds.
        self._looking: dict[str, dict[str | None, tuple[Signal, float]]] = {}

    async def send(self, signal: Signal) -> None:
        """Tells all processes, this one too.

        Raises:
            UnavailableError: the database is away.
        """
        await self._log.signal(to_builtins(replace(signal, id=new_id())))

    def watched(self, conversation_id: str) -> bool:
        """Whether an agent has said lately, in any process, that they are looking at a conversation."""
        return any(self._still(conversation_id))

    def looking(self) -> list[Signal]:
        """Which agents look at which conversations, as far as this process has heard lately."""
        return [signal for conversation_id in self._looking for signal in self._still(conversation_id)]

    @contextlib.contextmanager
    def present(self, signal: Signal) -> Iterator[None]:
        """Answers for somebody who is here, while the block lasts. `signal` is the one that says so."""
        here = self._here.setdefault(signal.conversation_id, Counter())
        here[signal] += 1
        try:
            yield
        finally:
            here[signal] -= 1
            if here[signal] == 0:
                del here[signal]
            if not here:
                self._here.pop(signal.conversation_id, None)

    @contextlib.contextmanager
    def listening(self, listener: Listener, thread: Thread | None = None) -> Iterator[None]:
        """Calls `listener` with each signal, of one thread where that is given, while the block lasts."""
        listeners = self._all if thread is None else self._of_thread.setdefault(thread, set())
        listeners.add(listener)
        try:
            yield
        finally:
            listeners.discard(listener)
            if thread is not None and not listeners:
                self._of_thread.pop(thread, None)

    async def heard(self, plain: dict[str, object]) -> None:
        """Hands a signal out; called by the hub with what the change stream told."""
        signal = from_builtins(plain, Signal)
        self._note(signal)
        listeners = set(self._all)
        for thread in signal.threads:
            listeners |= self._of_thread.get(thread, set())
        for listener in listeners:
            listener(signal)
        for one in list(self._here.get(signal.conversation_id, ())):
            # Who asks is told of the others; and who has left in one window may still be here in another.
            is_self = one.author == signal.author
            if (signal.asks and not is_self) or (signal.kind == "gone" and is_self):
                await self.send(one)

    def _note(self, signal: Signal) -> None:
        if signal.kind not in {"here", "gone"} or signal.author.type != "agent":
            return
        now = asyncio.get_running_loop().time()
        if len(self._looking) > MOST_WATCHED:
            self._looking = {id_: there for id_, there in self._looking.items() if any(self._still(id_))}
        there = self._looking.setdefault(signal.conversation_id, {})
        if signal.kind == "here":
            there[signal.author.id] = (replace(signal, asks=False), now + HERE_SECONDS)
        else:
            there.pop(signal.author.id, None)
        if not there:
            del self._looking[signal.conversation_id]

    def _still(self, conversation_id: str) -> Iterator[Signal]:
        now = asyncio.get_running_loop().time()
        return (signal for signal, until in self._looking.get(conversation_id, {}).values() if until > now)
