"""What is shipped: the wheel holds the four rooms and nothing else, and works where it is put."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from importlib.metadata import distribution
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("config", "connectors", "inbox", "normalizer")


def run(*words: str, cwd: Path, **variables: str) -> str:
    done = subprocess.run(
        words, cwd=cwd, env=os.environ | variables, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT), cwd=folder)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def files(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as opened:
        return set(opened.namelist())


def sources() -> set[str]:
    """Everything in the four rooms that is not made by running them."""
    found = (path for room in ROOMS for path in (ROOT / room).rglob("*") if path.is_file())
    return {path.relative_to(ROOT).as_posix() for path in found if "__pycache__" not in path.parts}


def test_the_wheel_holds_the_four_rooms_and_what_describes_them(files: set[str]) -> None:
    described = {name for name in files if ".dist-info/" in name}
    assert files - described == sources()
    assert {PurePosixPath(name).name for name in described} == {
        *("METADATA", "WHEEL", "entry_points.txt", "LICENSE", "RECORD"),
    }


def test_what_is_not_code_is_there_too(files: set[str]) -> None:
    assert {"config/default.yaml", "config/example.yaml"} <= files
    assert {f"{room}/py.typed" for room in ROOMS} <= files
    assert any(name.startswith("connectors/webchat/static/") for name in files)


def test_nothing_of_the_workshop_is_there(files: set[str]) -> None:
    tops = {PurePosixPath(name).parts[0] for name in files if ".dist-info/" not in name}
    assert tops == set(ROOMS)
    assert not [name for name in files if "test" in PurePosixPath(name).name]


def test_it_works_where_there_is_nothing_but_its_dependencies(wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv"), cwd=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python)]
    run(*pip, "install", "--no-index", "--no-deps", str(wheel), cwd=tmp_path)
    santral = str(tmp_path / "venv" / "bin" / "santral")
    site = sysconfig.get_paths()["purelib"]
    ours = run(
        *(str(python), "-c", "import config, connectors, inbox, normalizer; print(inbox.__file__)"),
        cwd=tmp_path,
        PYTHONPATH=site,
    )
    assert ours.startswith(str(tmp_path))
    assert distribution("santral").version in run(santral, "--version", cwd=tmp_path, PYTHONPATH=site)
    assert '"Message"' in run(santral, "schema", cwd=tmp_path, PYTHONPATH=site)
    listed = run(santral, "connectors", cwd=tmp_path, PYTHONPATH=site)
    assert {line.partition(":")[0] for line in listed.splitlines()} >= {"email", "webchat"}
    assert "no mistakes" in run(santral, "check", cwd=tmp_path, PYTHONPATH=site)


def test_the_one_that_runs_here_is_editable() -> None:
    found = distribution("santral")
    assert {entry.name for entry in found.entry_points} >= {"santral", "email", "webchat"}
    spoken = run(sys.executable, "-c", "import inbox; print(inbox.__file__)", cwd=Path("/"))
    assert spoken.strip() == str(ROOT / "inbox" / "__init__.py")
