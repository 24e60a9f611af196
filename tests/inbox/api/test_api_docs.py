"""The API's page names every call and every refusal that the code has."""

from __future__ import annotations

import ast
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest

import inbox
from inbox.api import ROUTES
from inbox.api.refusals import REFUSALS
from inbox.api.rights import MATRIX

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "api.md").read_text("utf-8")
REFUSING = ("ProblemError", "RefusedError")


def refusals() -> Iterator[str]:
    """The codes written at the calls that make a problem or refuse a reply."""
    for file in Path(inbox.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REFUSING:
                code = node.args[0]
                if isinstance(code, ast.Constant):
                    yield str(code.value)


@pytest.mark.parametrize("call", sorted({f"{route.method} {route.path}" for route in ROUTES}))
def test_every_call_has_its_line(call: str) -> None:
    assert f"| `{call}` |" in PAGE.partition("<!-- rights -->")[0]


def test_no_line_tells_of_a_call_that_is_not_there() -> None:
    told = {
        line.split("`")[1]
        for line in PAGE.partition("<!-- rights -->")[0].splitlines()
        if line.startswith(("| `GET /api", "| `POST", "| `PUT", "| `PATCH", "| `DELETE"))
    }
    assert told == {f"{route.method} {route.path}" for route in ROUTES}


def test_the_tables_are_what_the_code_has() -> None:
    program = runpy.run_path(str(ROOT / "scripts" / "api_tables.py"))
    assert program["written"](PAGE) == PAGE, "run `make docs`"


def test_the_matrix_has_the_calls_that_there_are() -> None:
    assert set(MATRIX) == {f"{route.method} {route.path}" for route in ROUTES}


def test_every_refusal_stands_in_the_table() -> None:
    assert set(refusals()) <= set(REFUSALS)
