"""The guide for connectors is carried out, command by command and file by file, as it stands there."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
from harness import environment, free_port
from plugins import Place

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "guide-connector.md").read_text("utf-8")
EXAMPLE = ROOT / "examples" / "calls"
BLOCK = re.compile(
    r"(?:^[^\n]*?`(?P<path>[\w./-]+)`:\n\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
BLOCKS = list(BLOCK.finditer(GUIDE))
MARK = "---- command "


class Command(NamedTuple):
    line: str
    shown: str


def commands(text: str) -> list[Command]:
    """The commands of a console block, each with the output that is shown under it."""
    return [Command(*(part.split("\n", 1))) for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]]


def script() -> tuple[str, list[Command]]:
    """The guide as one program for bash: files are written where they stand, each command says that it begins."""
    lines = ["set -e"]
    done: list[Command] = []
    for block in BLOCKS:
        if block["kind"] == "console":
            for command in commands(block["text"]):
                lines += [f"printf '\\n%s\\n' '{MARK}{len(done)}'", command.line]
                done.append(command)
        else:
            assert block["path"], block["text"]
            lines += [f"mkdir -p $(dirname {block['path']})", f"cat > {block['path']} <<'END OF FILE'"]
            lines += [block["text"] + "END OF FILE"]
    return "\n".join(lines) + "\n", done


def shows(shown: str, said: str) -> bool:
    """Whether the output is as shown, where `…` stands for anything."""
    pattern = ".*".join(map(re.escape, shown.strip().split("…")))
    return re.fullmatch(pattern, said.strip(), re.DOTALL) is not None


def test_the_guide_does_what_it_says(place: Place) -> None:
    text, expected = script()
    assert len(expected) > 20
    ports = {"8080": str(free_port()), "8081": str(free_port())}  # others test on this machine too
    text = re.sub("808[01]", lambda port: ports[port[0]], text)
    running = subprocess.Popen(
        ["bash"],
        cwd=place.folder,
        env=environment() | place.variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = running.communicate(text, timeout=280)
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
    parts = re.split(f"^{MARK}\\d+\n", said, flags=re.MULTILINE)[1:]
    assert len(parts) == len(expected), said[-3000:]
    for command, output in zip(expected, parts, strict=True):
        shown = re.sub("808[01]", lambda port: ports[port[0]], command.shown)
        assert shows(shown, output), f"$ {command.line}\n{output}"
    assert running.returncode == 0


@pytest.mark.parametrize("block", [block for block in BLOCKS if "santral-calls/" in (block["path"] or "")])
def test_the_example_is_what_the_guide_builds(block: re.Match[str]) -> None:
    kept = EXAMPLE / block["path"].removeprefix("santral-calls/")
    assert kept.read_text("utf-8") == block["text"]
