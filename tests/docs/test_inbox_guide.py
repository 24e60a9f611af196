"""The guide for agents names the keys that the page has, by the words that the page has for them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
APP = ROOT / "inbox" / "page" / "app"
GUIDE = (ROOT / "docs" / "inbox.md").read_text("utf-8")
COMMAND = re.compile(r'\{ label: "(\w+)", keys: "([^"]+)"')


def words() -> dict[str, str]:
    return dict(re.findall(r'(\w+): "([^"]*)"', (APP / "locales" / "en.js").read_text("utf-8")))


def test_the_table_of_keys_is_what_the_page_has() -> None:
    commands = (APP / "commands.js").read_text("utf-8")
    found = COMMAND.findall(commands)
    assert len(found) == commands.count("{ label: ") > 20
    named = words()
    rows = [f"| `{keys.replace('Control', 'Ctrl')}` | {named[label]} |" for label, keys in found]
    table = GUIDE.partition("<!-- keys -->\n")[2].partition("<!-- end -->")[0]
    assert table.splitlines() == ["| key | does |", "| --- | --- |", *rows]


def test_what_it_calls_by_name_is_called_so_on_the_page() -> None:
    said = set(words().values())
    for name in re.findall(r"(?<!\*)\*([A-Z][^*]+)\*(?!\*)", GUIDE):
        assert any(one.startswith(name) for one in said) or name in ("Back", "The connection is lost"), name
