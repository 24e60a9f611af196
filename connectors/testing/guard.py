"""Seeing whether code does I/O or reads a clock, while it runs.

A profiler of one thread sees every builtin that Python code calls, under whatever name it was imported, `datetime.now`
included, which nothing could patch. It is gone after the block, and no other thread or task notices it.
"""

from __future__ import annotations

import gc
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import BuiltinFunctionType, FrameType
from typing import Any

_FILES = {"open", "input", "print"}
_TIME = {"time", "monotonic", "perf_counter", "process_time", "thread_time", "sleep"}
_CLOCKS = {"now", "utcnow", "today"}
_HARMLESS_POSIX = {"fspath"}
_RESOURCES = {"socket", "SSLSocket", "_SSLSocket"}
_WORLDS = {"_posixsubprocess": "starts a process", "_thread": "starts a thread", "_socket": "uses the network"}


@contextmanager
def watched() -> Iterator[list[str]]:
    """What the block does that a pure function does not, in words, as it happens."""
    found: list[str] = []

    def look(frame: FrameType, event: str, called: Any) -> None:  # noqa: ANN401 (whatever is called)
        # Importing a module reads files, and is no deed of the code that needs it.
        if event == "c_call" and not frame.f_code.co_filename.startswith("<frozen importlib"):
            deed = _deed(called)
            if deed is not None:
                found.append(f"{deed} in {frame.f_code.co_name} ({frame.f_code.co_filename}:{frame.f_lineno})")

    before, collects = sys.getprofile(), gc.isenabled()
    gc.disable()  # who listens to the collector would be heard here, and is no part of the block
    sys.setprofile(look)
    try:
        yield found
    finally:
        sys.setprofile(before)
        if collects:
            gc.enable()


def _deed(called: BuiltinFunctionType) -> str | None:
    name = called.__name__
    owner = getattr(called, "__self__", None)
    module = getattr(called, "__module__", None) or ""
    deed = None
    if module in {"io", "_io", "builtins"} and name in _FILES:
        deed = "writes" if name == "print" else "reads or writes a file"
    elif module == "time" and name.removesuffix("_ns") in _TIME:
        deed = "sleeps" if name == "sleep" else "reads the clock"
    elif isinstance(owner, type) and owner.__module__ == "datetime" and name in _CLOCKS:
        deed = "reads the clock"
    elif module == "posix" and name not in _HARMLESS_POSIX:
        deed = "draws a random number" if name in {"urandom", "getrandom"} else f"asks the system (os.{name})"
    elif module in _WORLDS and name not in {"allocate_lock", "get_ident", "RLock"}:
        deed = _WORLDS[module]
    elif type(owner).__name__ in _RESOURCES:
        deed = "uses the network"
    elif owner is getattr(random.random, "__self__", None):
        deed = "draws a random number"
    return deed
