"""Keeping Santrals alive as a service manager would: whoever ended is started again after a moment."""

from __future__ import annotations

import asyncio
import signal

from harness import Santral

from rig.chronicle import Chronicle

LOOK_SECONDS = 0.05
NO_DATABASE = 3  # the exit code of a start that found none


class Kept:
    """One Santral, started again whenever it ended.

    Attributes:
        rest: seconds until the next start.
    """

    def __init__(self, santral: Santral, number: int, chronicle: Chronicle) -> None:
        self.santral = santral
        self.number = number
        self.rest = 0.5
        self._chronicle = chronicle
        self._killed = False

    async def run(self) -> None:
        """Goes on until cancelled."""
        while True:
            process = self.santral.process
            if process is not None and process.poll() is not None:
                self._ended(process.returncode)
                await asyncio.sleep(self.rest)
                self.santral.begin()
            await asyncio.sleep(LOOK_SECONDS)

    def kill(self, rest: float) -> None:
        """Kills it, to be started again after that many seconds; one that is down already stays so."""
        self.rest = rest
        self._killed = True
        self.santral.kill()

    def freeze(self) -> None:
        self.santral.kill(signal.SIGSTOP)

    def thaw(self) -> None:
        self.santral.kill(signal.SIGCONT)

    def _ended(self, code: int) -> None:
        if code == -signal.SIGKILL and self._killed:
            self._killed = False
        elif code == NO_DATABASE:
            self._chronicle.counts["starts given up without a database"] += 1
        else:
            said = self.santral.said()[-2000:]
            self._chronicle.fault(f"santral {self.number} ended by itself with {code}:\n{said}", self._chronicle.now())
