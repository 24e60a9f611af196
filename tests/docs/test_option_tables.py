"""The tables of options in the documentation are what the connectors' models say."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from connectors.registry import Registry

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "configuration.md").read_text("utf-8")


def test_the_tables_are_what_the_models_say() -> None:
    program = runpy.run_path(str(ROOT / "scripts" / "option_tables.py"))
    assert program["written"](PAGE) == PAGE, "run `make docs`"


@pytest.mark.parametrize("name", ["email", "webchat"])
def test_every_built_in_connector_has_its_table(name: str) -> None:
    table = PAGE.partition(f"<!-- options: {name} -->")[2].partition("<!-- end -->")[0]
    for field, info in Registry().load(name).options_model.model_fields.items():
        assert f"| `{field}` | " in table
        assert info.description
