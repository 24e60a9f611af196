"""Owning the embedded database, watching over it, and attaching to it."""

from __future__ import annotations

import asyncio
import errno
from io import FileIO
from pathlib import Path

import structlog

from inbox.store.embedded.data_folder import DataFolder, Facts, make_private
from inbox.store.embedded.errors import EmbeddedDatabaseError, NotRunningError
from inbox.store.embedded.mongod_process import MongodProcess, find_mongod
from inbox.store.embedded.os_process import Handle
from inbox.store.embedded.replica_set import become_primary, url_of

START_SECONDS = 120.0  # after a crash the journal is replayed before mongod listens
STOP_SECONDS = 15.0
POLL_SECONDS = 0.02
WATCH_SECONDS = 1.0
QUICK_DEATH_SECONDS = 10.0
QUICK_DEATHS = 5
FIRST_PAUSE_SECONDS = 0.1

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger(__name__)


async def start(data_dir: Path) -> EmbeddedDatabase:
    """Becomes the owner of `data_dir` and runs its database.

    Call it on a loop that lives as long as the process, as the main thread's does: `mongod` dies with the thread.

    Returns:
        The database, once a writable primary has answered. `stop` it.

    Raises:
        AlreadyRunningError: another Santral owns the folder.
        NoMongodError: there is nothing to run.
        EmbeddedDatabaseError: the folder cannot be used, or `mongod` did not come up in it.
    """
    binary = find_mongod()
    folder = DataFolder(data_dir)
    try:
        lock = folder.take()
        try:
            before = folder.read()
            await _end_orphan(folder, before)
            database = EmbeddedDatabase(folder, binary, folder.choose_socket(before), lock)
        except BaseException:
            lock.close()
            raise
        await database.run()
    except OSError as error:
        raise EmbeddedDatabaseError(_unusable(folder.path, error)) from error
    return database


def attach(data_dir: Path) -> str:
    """The url of the database that a running Santral owns.

    Raises:
        NotRunningError: none runs on that folder, or it is still starting.
    """
    folder = DataFolder(data_dir)
    facts = folder.read()
    if facts is None or not facts.owner.is_alive() or not folder.is_of(facts):
        raise NotRunningError(f"No Santral runs on {folder.path}: start it by `santral run`, or name its folder.")
    if not facts.ready:
        raise NotRunningError(f"The Santral on {folder.path} (pid {facts.owner.pid}) is still starting: try again.")
    return url_of(Path(facts.socket))


class EmbeddedDatabase:
    """A database that is kept running until `stop`. `start` makes it.

    Attributes:
        url: for PyMongo, with transactions and change streams; the same over restarts of `mongod`.
        failed: done, with the reason, once `mongod` died so often that it is not started again.
    """

    def __init__(self, folder: DataFolder, binary: Path, socket_path: Path, lock: FileIO) -> None:
        """Keeps what it is given; `lock` holds the folder until it is closed."""
        self.url = url_of(socket_path)
        self.failed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._folder = folder
        self._binary = binary
        self._socket_path = socket_path
        self._lock = lock
        self._mongod: MongodProcess | None = None
        self._supervisor: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        """Of the present `mongod`.

        Raises:
            EmbeddedDatabaseError: none runs at this moment.
        """
        if self._mongod is None:
            raise EmbeddedDatabaseError(f"mongod in {self._folder.path} is between two runs: try again.")
        return self._mongod.id.pid

    async def run(self) -> None:
        """Starts `mongod` and its supervision, or leaves nothing behind. Only `start` calls it."""
        try:
            self._mongod = await self._spawn()
        except BaseException:
            await self.stop()
            raise
        self._supervisor = asyncio.create_task(self._supervise(), name="embedded-mongod")

    async def stop(self) -> None:
        """Ends `mongod` in order, else after some seconds by SIGKILL, and gives the folder free."""
        if self._lock.closed:
            return  # stopped already; the folder may be another's by now
        try:
            if self._supervisor is not None:
                self._supervisor.cancel()
                await asyncio.gather(self._supervisor, return_exceptions=True)
            if self._mongod is not None:
                await self._mongod.end(STOP_SECONDS)
        finally:
            self._mongod = None
            self.failed.cancel()
            self._folder.clear(self._socket_path)
            self._lock.close()

    async def _spawn(self) -> MongodProcess:
        """A `mongod` that takes writes; on the way there no other outlives an error."""
        make_private(self._socket_path.parent)
        mongod = MongodProcess.spawn(self._binary, self._folder.path, self._socket_path)
        try:
            self._folder.record(mongod.id, self._socket_path, ready=False)
            await mongod.listen(START_SECONDS, POLL_SECONDS)
            await become_primary(self._socket_path, lambda: mongod.live_for(POLL_SECONDS), seconds=START_SECONDS)
            self._folder.record(mongod.id, self._socket_path, ready=True)
        except BaseException:
            await mongod.end(STOP_SECONDS)
            raise
        return mongod

    async def _supervise(self) -> None:
        """Starts another whenever one dies or loses its socket, unless they die quickly time after time."""
        loop = asyncio.get_running_loop()
        born, deaths = loop.time(), 0
        while True:
            try:
                if self._mongod is None:
                    born = loop.time()
                    self._mongod = await self._spawn()
                reason = await self._reason_to_restart(self._mongod)
                mongod, self._mongod = self._mongod, None
                await mongod.end(STOP_SECONDS)
            except EmbeddedDatabaseError as error:
                reason = str(error)
            except OSError as error:
                reason = _unusable(self._folder.path, error)
            deaths = deaths + 1 if loop.time() - born < QUICK_DEATH_SECONDS else 1
            _log.error("mongod has to be started again", reason=reason, quick_deaths=deaths)
            if deaths == QUICK_DEATHS:
                break
            await asyncio.sleep(FIRST_PAUSE_SECONDS * 2 ** (deaths - 1))
        self.failed.set_result(f"The embedded database died {deaths} times in a row and is given up: {reason}")

    async def _reason_to_restart(self, mongod: MongodProcess) -> str:
        try:
            while True:
                await mongod.live_for(WATCH_SECONDS)
                if not mongod.holds_its_socket():
                    return f"another process took the socket {self._socket_path} away"
                mongod.turn_log()
        except EmbeddedDatabaseError as error:
            return str(error)


async def _end_orphan(folder: DataFolder, facts: Facts | None) -> None:
    """Ends a `mongod` that outlived its owner: adopted, it would not die with us.

    Raises:
        EmbeddedDatabaseError: it does not end.
    """
    if facts is None:
        return
    try:
        handle = Handle(facts.mongod.pid)
    except OSError:
        return
    try:
        # Asked only now that the handle is held: whoever has the pid at this moment is the one that is signalled.
        ours = facts.mongod.is_alive() and facts.mongod.stands_in(folder.path)
        if not ours or facts.socket not in facts.mongod.arguments():
            return
        _log.warning("ending a mongod that was left behind", folder=str(folder.path), pid=facts.mongod.pid)
        if not await handle.end(STOP_SECONDS):
            raise EmbeddedDatabaseError(
                f"A mongod left behind in {folder.path} (pid {facts.mongod.pid}) does not end: end it and start again."
            )
    finally:
        handle.close()


def _unusable(folder: Path, error: OSError) -> str:
    if error.errno in {errno.EEXIST, errno.ENOTDIR}:
        return f"{error.filename} is not a folder, and the database needs one: set storage.data_dir to a folder."
    return (
        f"The database cannot be kept in {folder} ({error}):"
        " let us write there and make room, or set storage.data_dir to another folder."
    )
