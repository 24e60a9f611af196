"""Processes known by more than a number: a pid is given to a stranger as soon as its process is gone."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from msgspec import Struct

# proc(5): fields of stat, counted from the first one after the name, which is the third.
_STATE, _START_TIME = 3 - 3, 22 - 3


class ProcessId(Struct, frozen=True):
    """A process of this machine, told from a later one that got the same pid.

    Attributes:
        pid: its number.
        started: clock ticks between the boot of the machine and its start, as proc(5) has it.
    """

    pid: int
    started: int

    @classmethod
    def of(cls, pid: int) -> ProcessId:
        """Looks the process up. Raises OSError where there is none."""
        return cls(pid, int(_stat(pid)[_START_TIME]))

    def is_alive(self) -> bool:
        """Whether this very process runs: one that waits to be reaped does not."""
        try:
            stat = _stat(self.pid)
        except OSError:
            return False
        return int(stat[_START_TIME]) == self.started and stat[_STATE] not in "ZX"

    def arguments(self) -> list[str]:
        """Its command line; empty where it is gone or not ours to read."""
        try:
            return os.fsdecode(Path(f"/proc/{self.pid}/cmdline").read_bytes()).split("\0")
        except OSError:
            return []

    def stands_in(self, folder: Path) -> bool:
        """Whether that folder is its working directory, by whatever name it is called today."""
        try:
            return folder.samefile(f"/proc/{self.pid}/cwd")
        except OSError:
            return False


def _stat(pid: int) -> list[str]:
    # The name, in parentheses, may itself hold spaces and parentheses.
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()


class Handle:
    """A process that can be waited for and ended, also where it is not our child. Close it after use."""

    def __init__(self, pid: int) -> None:
        """Takes hold of a process. Raises OSError where there is none."""
        self._fd = os.pidfd_open(pid)

    def close(self) -> None:
        """Lets go of it."""
        os.close(self._fd)

    async def gone(self, timeout: float) -> bool:  # noqa: ASYNC109  # running out of time is an answer here
        """Waits at most `timeout` seconds for its end. Returns whether it ended."""
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        loop.add_reader(self._fd, ended.set)
        try:
            await asyncio.wait_for(ended.wait(), timeout)
        except TimeoutError:
            return False
        finally:
            loop.remove_reader(self._fd)
        return True

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal; to a process that is gone, nothing."""
        try:
            signal.pidfd_send_signal(self._fd, number)
        except ProcessLookupError:
            return

    async def end(self, patience: float) -> bool:
        """Asks it to end, and after `patience` seconds makes it. Returns whether it is gone."""
        self.signal(signal.SIGTERM)
        if await self.gone(patience):
            return True
        self.signal(signal.SIGKILL)
        return await self.gone(patience)
