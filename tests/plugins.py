"""Environments of their own, in which plugins are installed by pip as anybody would."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from harness import environment

SITE = sysconfig.get_paths()["purelib"]
SCRIPTS = {
    "santral": "from inbox.main import main",
    "pip": "from pip._internal.cli.main import main",
}


class Place:
    """A folder to work in, and a virtual environment that has what this one has."""

    def __init__(self, folder: Path) -> None:
        venv = folder / "venv"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
        self.folder = folder / "work"
        self.folder.mkdir()
        self.bin = venv / "bin"
        (self.site,) = venv.glob("lib/python*/site-packages")
        (self.site / "what-is-here.pth").write_text(f"import site; site.addsitedir({SITE!r})\n")
        for name, load in SCRIPTS.items():
            script = self.bin / name
            script.write_text(f"#!{self.bin / 'python'}\nimport sys\n{load}\nsys.exit(main())\n")
            script.chmod(0o755)
        # Nothing is asked of the network: what builds a package is here, and so is what it needs.
        self.variables = {
            "PATH": f"{self.bin}:{environment()['PATH']}",
            "PIP_NO_INDEX": "1",
            "PIP_NO_BUILD_ISOLATION": "0",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PYTEST_ADDOPTS": "-p no:cacheprovider -p no:asyncio -p no:aiohttp",
        }

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end."""
        return subprocess.run(
            words,
            cwd=self.folder,
            env=environment() | self.variables,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def install(self, *folders: str) -> None:
        """Installs distributions from their folders."""
        done = self.run("pip", "install", "--quiet", *(str(self.folder / folder) for folder in folders))
        assert done.returncode == 0, done.stdout + done.stderr

    def write(self, **files: str) -> None:
        """Writes files into the folder, by their path."""
        for path, text in files.items():
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, "utf-8")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A place of the test's own."""
    return Place(tmp_path)
