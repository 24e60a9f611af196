"""The guide to signing in a website's users: its programs write tokens that the chat takes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from connectors.webchat.tokens import Identity, read_identity

GUIDE = Path(__file__).parents[2] / "docs" / "webchat-users.md"
EXAMPLE = re.compile(r"<!-- example: (token\.\w+) -->\n```\w+\n(.*?)```", re.DOTALL)
RUNS = {
    "token.py": (sys.executable,),
    "token.mjs": ("node",),
    "token.php": ("php",),
    "token.rb": ("ruby",),
    "token.go": ("go", "run"),
}
OURS = ("token.py", "token.mjs")  # whose language a test has anyway
SECRET = "a-secret-of-32-bytes-or-even-more"


def test_the_guide_has_them_all() -> None:
    assert sorted(name for name, _ in EXAMPLE.findall(GUIDE.read_text("utf-8"))) == sorted(RUNS)


@pytest.mark.parametrize("name", RUNS)
def test_the_token_says_who_it_is(name: str, tmp_path: Path) -> None:
    program = dict(EXAMPLE.findall(GUIDE.read_text("utf-8")))[name]
    command = RUNS[name]
    if shutil.which(command[0]) is None and name not in OURS:
        pytest.skip(f"there is no {command[0]} on this machine")
    (tmp_path / name).write_text(program, "utf-8")
    cache = {"GOCACHE": str(tmp_path / "cache"), "GOFLAGS": "-mod=mod"}
    told = subprocess.run(
        [*command, name],
        cwd=tmp_path,
        env={**os.environ, **cache, "CHAT_SECRET": SECRET},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    token = told.stdout.strip()
    assert read_identity(token, [SECRET]) == Identity(sub="42", email="ayse@example.com", name="Ayşe")
    assert read_identity(token, ["another" + SECRET]) is None
