"""The schema's page and the schema itself name the same structures and the same fields."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import pytest
from msgspec import Struct

from normalizer import schema
from normalizer.codec import from_json
from normalizer.schema import Message

PAGE = (Path(__file__).parents[2] / "docs" / "message-schema.md").read_text("utf-8")
STRUCTS = {
    name: kind
    for name, kind in inspect.getmembers(schema, inspect.isclass)
    if issubclass(kind, Struct) and kind.__module__ == schema.__name__
}
SECTIONS = dict(re.findall(r"^## (\w+)$(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


def fields_of_first_table(section: str) -> list[str]:
    table = re.search(r"^\| field .*?(?=\n\n|\Z)", section, re.MULTILINE | re.DOTALL)
    return re.findall(r"^\| `(\w+)` ", table[0], re.MULTILINE) if table else []


def test_every_structure_has_its_section_and_no_other_has_one() -> None:
    assert {name for name, text in SECTIONS.items() if fields_of_first_table(text)} == set(STRUCTS)


@pytest.mark.parametrize("name", sorted(STRUCTS))
def test_the_section_names_the_fields_in_order(name: str) -> None:
    assert fields_of_first_table(SECTIONS[name]) == list(STRUCTS[name].__struct_fields__)


def test_the_example_is_a_whole_message() -> None:
    example = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[-1]
    from_json(example, Message)
    assert list(json.loads(example)) == list(Message.__struct_fields__)
