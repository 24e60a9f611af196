"""The folder of the embedded database: who owns it, what is recorded there, where its socket belongs.

santral.lock   locked by the owner, whose pid stands in it
santral.json   `Facts`, while a Santral runs; left behind by one that was killed
mongod.log     of this start; mongod.log.1 the one before
db/            the database files
run/           0700, the socket; a 0700 temporary folder instead where no socket can have that path
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from io import FileIO
from pathlib import Path

import msgspec

from inbox.store.embedded.errors import AlreadyRunningError, EmbeddedDatabaseError
from inbox.store.embedded.os_process import ProcessId

LONGEST_SOCKET_PATH = 107  # bytes; unix(7)
LEAST_ROOM = 100 << 20  # bytes; a mongod that meets a full disk aborts, and its journal alone grows to this


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What `santral.json` records.

    Attributes:
        schema: of this file.
        data_dir: where the folder was then; in a copy or after a move it differs.
        owner: the Santral that holds the lock.
        mongod: the process it started.
        socket: where that listens; the member of the replica set is named by it.
        ready: a writable primary has answered.
    """

    schema: int = 1
    data_dir: str
    owner: ProcessId
    mongod: ProcessId
    socket: str
    ready: bool


class DataFolder:
    """A `data_dir`. Only who holds its lock may call what changes it."""

    def __init__(self, path: Path) -> None:
        """Names the folder; nothing is touched yet."""
        self.path = path.absolute()
        self._facts = self.path / "santral.json"
        self._run = self.path / "run"

    def take(self) -> FileIO:
        """Makes the folder and locks it.

        Returns:
            The file that holds the lock until it is closed. A forked process would hold it too: spawn.

        Raises:
            AlreadyRunningError: another Santral holds it.
            EmbeddedDatabaseError: the disk is nearly full.
            OSError: the folder cannot be made or written.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileIO(os.open(self.path / "santral.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            lock.truncate(0)
            lock.write(str(os.getpid()).encode())
            self._ask_for_room()
        except BlockingIOError:
            holder = lock.read().decode() or "unknown"
            lock.close()
            raise AlreadyRunningError(
                f"Another Santral (pid {holder}) runs on {self.path}:"
                " stop it, or set storage.data_dir to another folder."
            ) from None
        except BaseException:
            lock.close()
            raise
        return lock

    def _ask_for_room(self) -> None:
        free = shutil.disk_usage(self.path).free
        if free < LEAST_ROOM:
            raise EmbeddedDatabaseError(
                f"There are only {free >> 20} MB left for the database in {self.path} and it needs {LEAST_ROOM >> 20}:"
                " make room, or set storage.data_dir to another folder."
            )

    def read(self) -> Facts | None:
        """What the present or the last owner recorded."""
        try:
            return msgspec.json.decode(self._facts.read_bytes(), type=Facts)
        except (OSError, msgspec.MsgspecError):
            return None

    def record(self, mongod: ProcessId, socket: Path, *, ready: bool) -> None:
        """Records the present run. Raises OSError where it cannot be written."""
        facts = Facts(
            data_dir=str(self.path), owner=ProcessId.of(os.getpid()), mongod=mongod, socket=str(socket), ready=ready
        )
        fresh = self._facts.with_suffix(".json.new")
        fresh.write_bytes(msgspec.json.format(msgspec.json.encode(facts)) + b"\n")
        fresh.replace(self._facts)

    def clear(self, socket: Path) -> None:
        """Leaves nothing of this run."""
        self._facts.unlink(missing_ok=True)
        if socket.parent != self._run:
            with contextlib.suppress(OSError):
                socket.parent.rmdir()

    def is_of(self, facts: Facts) -> bool:
        """Whether that was recorded here, and not in a folder that this one is a copy of."""
        try:
            return self.path.samefile(facts.data_dir)
        except OSError:
            return False

    def choose_socket(self, before: Facts | None) -> Path:
        """Where to listen: in here, or in a temporary folder, the recorded one if it is ours."""
        socket = self._run / "mongod.sock"
        # mongod takes what follows a colon for a port.
        if len(os.fsencode(socket)) <= LONGEST_SOCKET_PATH and ":" not in str(socket):
            return socket
        if before is not None and self.is_of(before) and Path(before.socket).parent != self._run:
            return Path(before.socket)
        return Path(tempfile.mkdtemp(prefix="santral-")) / socket.name


def make_private(folder: Path) -> None:
    """Makes sure that the folder is there and that only we can enter it.

    Raises:
        EmbeddedDatabaseError: something that is not ours stands there.
        OSError: it cannot be made.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise EmbeddedDatabaseError(f"{folder}, where the database's socket belongs, is not our folder: remove it.")
    folder.chmod(0o700)
