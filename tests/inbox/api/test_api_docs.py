"""The API's page names every call and every refusal that the code has."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import inbox
from inbox.api import ROUTES
from inbox.model import ROLES

PAGE = (Path(__file__).parents[3] / "docs" / "api.md").read_text("utf-8")
ROLE_ENDINGS = tuple(f"| {role} |" for role in ROLES)
CODE_ARGUMENT = {"ProblemError": 1, "ReplyRefusedError": 0}


def refusals() -> Iterator[str]:
    """The codes written at the calls that make a problem or refuse a reply."""
    for file in Path(inbox.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CODE_ARGUMENT:
                code = node.args[CODE_ARGUMENT[node.func.id]]
                if isinstance(code, ast.Constant):
                    yield str(code.value)


@pytest.mark.parametrize("call", sorted({f"{route.method} {route.path}" for route in ROUTES}))
def test_every_call_has_its_line(call: str) -> None:
    assert f"| `{call}` |" in PAGE


def test_no_line_tells_of_a_call_that_is_not_there() -> None:
    told = {
        line.split("`")[1]
        for line in PAGE.splitlines()
        if line.startswith(("| `GET /api", "| `POST", "| `PATCH", "| `DELETE"))
    }
    assert told == {f"{route.method} {route.path}" for route in ROUTES}


def test_what_needs_a_higher_role_is_told() -> None:
    told = {
        (line.split("`")[1], line.split("|")[2].strip()) for line in PAGE.splitlines() if line.endswith(ROLE_ENDINGS)
    }
    assert told == {(f"{route.method} {route.path}", route.least) for route in ROUTES if route.least != "agent"}


@pytest.mark.parametrize("code", sorted(set(refusals())))
def test_every_refusal_is_explained(code: str) -> None:
    assert f"| `{code}`" in PAGE
