"""The checker of accessibility, which both browser suites put into their pages."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

AXE = Path(__file__).parent / "page/node_modules/axe-core/axe.min.js"


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checker of accessibility; `make lint` has brought it, or this does."""
    if AXE.exists():
        return AXE
    if shutil.which("npm") is None:
        pytest.skip("needs npm, to bring axe-core")
    folder = tmp_path_factory.mktemp("axe")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(AXE.parents[2] / name, folder)
    subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=folder, check=True)
    return folder / "node_modules/axe-core/axe.min.js"
