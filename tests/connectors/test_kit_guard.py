"""The kit's guard sees what is not pure, under whatever name, and accuses nobody of what is."""

from __future__ import annotations

import datetime as dt
import gc
import json
import random
import secrets
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from email import message_from_bytes
from email.utils import parsedate_to_datetime
from pathlib import Path
from time import time_ns
from zoneinfo import ZoneInfo

import msgspec
import pytest

from connectors.testing.guard import watched

ISTANBUL = ZoneInfo("Europe/Istanbul")
AT = datetime(2026, 11, 23, 10, tzinfo=ISTANBUL)


def connect() -> None:
    with socket.socket() as one:
        one.setblocking(False)
        one.connect_ex(("127.0.0.1", 1))


IMPURE: dict[str, tuple[Callable[[], object], str]] = {
    "time": (time.time, "reads the clock"),
    "time by another name": (time_ns, "reads the clock"),
    "monotonic": (time.monotonic, "reads the clock"),
    "now": (lambda: datetime.now(dt.UTC), "reads the clock"),
    "today": (dt.date.today, "reads the clock"),
    "sleep": (lambda: time.sleep(0), "sleeps"),
    "open": (lambda: Path(__file__).read_text(), "reads or writes a file"),
    "list": (lambda: list(Path("/").iterdir()), "asks the system (os.listdir)"),
    "print": (lambda: print(end=""), "writes"),
    "random": (random.random, "draws a random number"),
    "uuid4": (uuid.uuid4, "draws a random number"),
    "secrets": (secrets.token_hex, "draws a random number"),
    "connect": (connect, "uses the network"),
    "resolve": (lambda: socket.getaddrinfo("127.0.0.1", 80), "uses the network"),
    "process": (lambda: subprocess.run(["true"], check=True), "starts a process"),
    "thread": (lambda: threading.Thread(target=str).start(), "starts a thread"),
}

PURE: dict[str, Callable[[], object]] = {
    "JSON": lambda: json.loads(json.dumps({"a": [1, 2.5, None]})),
    "msgspec": lambda: msgspec.json.decode(b'{"a": 1}'),
    "times": lambda: AT.astimezone(dt.UTC).isoformat() + str(datetime.fromtimestamp(0, dt.UTC)),
    "dates of mails": lambda: parsedate_to_datetime("Mon, 23 Nov 2026 10:00:00 +0300"),
    "mails": lambda: message_from_bytes(b"From: a@example.com\r\n\r\nhello").as_bytes(),
    "chance by a seed": lambda: random.Random(7).random(),
    "uuid5": lambda: uuid.uuid5(uuid.NAMESPACE_URL, "x"),
    "paths": lambda: Path("a") / "b",
    "bytes": lambda: "ğ".encode("iso-8859-9").decode("iso-8859-9").casefold(),
}


@pytest.mark.parametrize("what", IMPURE)
def test_what_is_not_pure_is_seen(what: str) -> None:
    deed, words = IMPURE[what]

    def normalize() -> None:
        deed()

    with watched() as deeds:
        normalize()
    assert any(one.startswith(words) for one in deeds), deeds


@pytest.mark.parametrize("what", PURE)
def test_what_is_pure_is_not_accused(what: str) -> None:
    PURE[what]()  # what a library loads once
    with watched() as deeds:
        PURE[what]()
    assert deeds == []


def test_who_listens_to_the_garbage_collector_is_not_taken_for_the_code() -> None:
    def listener(_phase: str, _info: dict[str, int]) -> None:
        time.monotonic()

    gc.callbacks.append(listener)
    try:
        with watched() as deeds:
            loops: list[list[object]] = [[] for _ in range(100_000)]
            for one in loops:
                one.append(one)
        assert deeds == []
        assert gc.isenabled()
    finally:
        gc.callbacks.remove(listener)


def test_other_threads_and_what_comes_after_are_not_looked_at() -> None:
    begin, done = threading.Event(), threading.Event()

    def other() -> None:
        begin.wait()
        time.time()
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    with watched() as deeds:
        begin.set()
        done.wait()
    thread.join()
    time.time()
    assert not [one for one in deeds if one.startswith("reads the clock in other")]
    assert sys.getprofile() is None
