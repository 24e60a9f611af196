"""What `santral new-connector` refuses, in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import command

from connectors import scaffold


@pytest.mark.parametrize(
    "name", ["Bad", "1st", "a_b", "a--b", "-a", "a-", "../up", "a/b", "", "x" * 41, "\u015f", "a\n"]
)
def test_bad_names_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(scaffold.RefusedError, match="take up to 40 small letters and digits"):
        scaffold.write(name, tmp_path, [])
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "santral-there").mkdir()
    with pytest.raises(scaffold.RefusedError, match="santral-there is there already; remove it, or choose"):
        scaffold.write("there", tmp_path, [])
    assert not list((tmp_path / "santral-there").iterdir())


def test_a_folder_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(scaffold.RefusedError, match="cannot be written: No such file or directory"):
        scaffold.write("fine", tmp_path / "nowhere", [])


def test_the_name_of_an_installed_connector_is_taken(tmp_path: Path) -> None:
    said = command("new-connector", "email", folder=tmp_path)
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr == 'a connector "email" is installed already; choose another name\n'
