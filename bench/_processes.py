"""Processes of a benchmark: started, awaited, measured, and ended by their id."""

from __future__ import annotations

import os
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from bench._load import Load

START_SECONDS = 30.0
STOP_SECONDS = 20.0
LOAD_SECONDS = 120.0
ROOT = Path(__file__).parent.parent


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(*command: str, says: str, log: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process, from the line that begins with `says` to the end of the block. What it logs goes to the file `log`.

    Yields:
        It, and that line.

    Raises:
        RuntimeError: it ended, or said nothing in time.
    """
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    try:
        yield process, _line(process, says, log)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _line(process: subprocess.Popen[str], says: str, log: Path) -> str:
    assert process.stdout is not None
    deadline = time.monotonic() + START_SECONDS
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while time.monotonic() < deadline and selector.select(deadline - time.monotonic()):
            line = process.stdout.readline()
            if line.startswith(says):
                return line.strip()
            if not line:
                break
    raise RuntimeError(f"{process.args!r} does not say {says!r}, but: {log.read_text('utf-8', 'replace')[-2000:]}")


def load(kind: str, ports: Sequence[int], name: str, *, connections: int, seconds: float) -> Load:
    """Runs a load, shared by `ports`, in a process of its own and returns what it did.

    Raises:
        subprocess.SubprocessError: it failed; it has said why.
    """
    shared = ",".join(map(str, ports))
    command = [sys.executable, "-m", "bench._load", kind, shared, name, str(connections), str(seconds)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=LOAD_SECONDS)
    return msgspec.json.decode(done.stdout, type=Load)


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Memory(msgspec.Struct, frozen=True):
    """What a process holds, in MB: `resident` as `ps` counts it, `proportional` with shared pages divided (PSS)."""

    resident: float
    proportional: float


def memory(pid: int) -> Memory:
    """The memory of a running process."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in rollup.splitlines()[1:]}
    return Memory(resident=kilobytes["Rss"] / 1024, proportional=kilobytes["Pss"] / 1024)


def child_named(pid: int, name: str) -> int:
    """The id of the child process with that command name.

    Raises:
        LookupError: there is none.
    """
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text(encoding="ascii").split():
            if Path(f"/proc/{child}/comm").read_text(encoding="utf-8").strip() == name:
                return int(child)
    raise LookupError(f"process {pid} has no child {name}")
