"""Processes of ours that must not outlive us."""

from __future__ import annotations

import os
import sys
from pathlib import Path

STARTER = Path(__file__).with_name("dies_with_parent.py")


def dying_with_us(*command: str) -> list[str]:
    """The command that runs `command` and is killed with the thread that starts it."""
    return [sys.executable, "-I", "-S", str(STARTER), str(os.getpid()), *command]
