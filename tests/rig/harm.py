"""Everything that is done to Santral and to its database, drawn from the seed."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
from collections.abc import Awaitable, Callable, Iterator

from msgspec import Struct

from rig.chronicle import Chronicle
from rig.kept import Kept
from rig.replica_set import Member, ReplicaSet

Doing = Callable[["Draw"], Awaitable[None]]

# How often each is drawn, of all of them together; what is done to one thing is done one after another.
KINDS = {
    "kill santral": 40,
    "kill primary": 26,
    "stop santral": 6,
    "stop primary": 5,
    "cut connections": 14,
    "slow connections": 9,
}
KILLS = ("kill santral", "kill primary")
DATABASE = ("kill primary", "stop primary")


class Draw(Struct, frozen=True, kw_only=True):
    """One harm: what, to whom, and for how long (0 to 1 of the longest)."""

    kind: str
    victim: int
    measure: float
    gap: float


def drawn(chances: random.Random, kinds: Iterator[str], santrals: int) -> Iterator[Draw]:
    """The harms in their order; the same for the same chances."""
    for kind in kinds:
        yield Draw(
            kind=kind, victim=chances.randrange(santrals), measure=chances.random(), gap=chances.uniform(0.5, 5.0)
        )


def any_kinds(chances: random.Random, kills: int) -> Iterator[str]:
    """Kinds by their weights, until so many of them were kills."""
    while kills:
        (kind,) = chances.choices(list(KINDS), list(KINDS.values()))
        kills -= kind in KILLS
        yield kind


class Harm:
    """Does what was drawn."""

    def __init__(
        self, chronicle: Chronicle, replica_set: ReplicaSet, kept: list[Kept], *, longest_stop: float, hurry: float
    ) -> None:
        """`longest_stop`: seconds that anybody stands still; `hurry`: what the gaps between harms are divided by."""
        self._chronicle = chronicle
        self._set = replica_set
        self._kept = kept
        self._longest_stop = longest_stop
        self._hurry = hurry
        self._busy = {name: asyncio.Lock() for name in ("database", "network", *map(str, range(len(kept))))}
        self._kinds: dict[str, Doing] = {
            "kill santral": self._kill_santral,
            "kill primary": self._kill_primary,
            "stop santral": self._stop_santral,
            "stop primary": self._stop_primary,
            "cut connections": self._cut,
            "slow connections": self._slow,
        }

    async def run(self, draws: Iterator[Draw], *, until: float) -> None:
        """Does one after another, overlapping where they touch different things, and returns when all are over.

        Args:
            draws: what to do.
            until: the second of the run after which nothing new is begun.
        """
        async with asyncio.TaskGroup() as tasks:
            for draw in draws:
                await asyncio.sleep(draw.gap / self._hurry)
                lock = self._busy[self._touched(draw)]
                await lock.acquire()
                if self._chronicle.now() > until:
                    lock.release()
                    return
                tasks.create_task(self._do(draw, lock))

    def _touched(self, draw: Draw) -> str:
        if draw.kind.endswith("santral"):
            return str(draw.victim)
        return "database" if draw.kind in DATABASE else "network"

    async def _do(self, draw: Draw, lock: asyncio.Lock) -> None:
        try:
            await self._kinds[draw.kind](draw)
        finally:
            lock.release()

    async def _kill_santral(self, draw: Draw) -> None:
        rest = 0.2 + 2.5 * draw.measure
        self._chronicle.harmed(draw.kind, f"SIGKILL santral {draw.victim}, again after {rest:.1f} s")
        self._kept[draw.victim].kill(rest)
        await asyncio.sleep(rest)

    async def _stop_santral(self, draw: Draw) -> None:
        seconds = self._stop_seconds(draw)
        self._chronicle.harmed(draw.kind, f"SIGSTOP santral {draw.victim} for {seconds:.1f} s")
        kept = self._kept[draw.victim]
        kept.freeze()
        try:
            await asyncio.sleep(seconds)
        finally:
            kept.thaw()

    async def _kill_primary(self, draw: Draw) -> None:
        member, number = await self._primary()
        rest = 0.2 + 3.0 * draw.measure
        self._chronicle.harmed(draw.kind, f"SIGKILL primary (member {number}), again after {rest:.1f} s")
        member.kill()
        try:
            await asyncio.sleep(rest)
        finally:
            member.begin()
        await self._set.whole()

    async def _stop_primary(self, draw: Draw) -> None:
        member, number = await self._primary()
        seconds = self._stop_seconds(draw)
        self._chronicle.harmed(draw.kind, f"SIGSTOP primary (member {number}) for {seconds:.1f} s")
        member.signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            member.signal(signal.SIGCONT)
        await self._set.whole()

    async def _cut(self, draw: Draw) -> None:
        """Cuts one member off, or all; every other time nobody gets through for a while either."""
        members = self._set.members if draw.measure < 0.5 else [self._set.members[draw.victim % len(self._set.members)]]
        seconds = 4 * (draw.measure % 0.5) if int(draw.measure * 100) % 2 else 0.0
        with contextlib.ExitStack() as stack:
            cut = 0
            for member in members:
                member.proxy.refusing = seconds > 0
                stack.callback(setattr, member.proxy, "refusing", False)
                cut += member.proxy.cut()
            who = "every member" if len(members) > 1 else f"member {self._set.members.index(members[0])}"
            self._chronicle.harmed(
                draw.kind, f"cut {cut} connections to {who}" + (f", none for {seconds:.1f} s" if seconds else "")
            )
            await asyncio.sleep(seconds)

    async def _slow(self, draw: Draw) -> None:
        delay, seconds = 0.02 + 0.25 * draw.measure, 2 + 4 * draw.measure
        self._chronicle.harmed(draw.kind, f"every block {1000 * delay:.0f} ms late for {seconds:.1f} s")
        try:
            for member in self._set.members:
                member.proxy.delay = delay
            await asyncio.sleep(seconds)
        finally:
            for member in self._set.members:
                member.proxy.delay = 0.0

    def _stop_seconds(self, draw: Draw) -> float:
        return 1.0 + (self._longest_stop - 1.0) * draw.measure**2

    async def _primary(self) -> tuple[Member, int]:
        member = await self._set.primary()
        return member, self._set.members.index(member)
