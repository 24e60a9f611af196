"""Writes the tables of the API into docs/api.md: who may make which call, and every refusal.

They stand between `<!-- NAME -->` and `<!-- end -->`; `make docs` calls this, and a test holds that nothing would
change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from inbox.api.refusals import REFUSALS
from inbox.api.rights import MATRIX, Right, has
from inbox.staff import Role

PAGE = Path(__file__).resolve().parents[1] / "docs" / "api.md"
PLACE = re.compile(r"(<!-- (?P<name>[a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)
HIDDEN = {"one": "404", "list": "left out"}


def written(page: str) -> str:
    """The page with its tables as the code has them."""
    return PLACE.sub(lambda place: f"{place[1]}{''.join(TABLES[place['name']]())}{place[3]}", page)


def _rights() -> Iterator[str]:
    yield "| call | agent, what they see | agent, what they do not see | supervisor | admin |\n"
    yield "| --- | --- | --- | --- | --- |\n"
    for call, right in MATRIX.items():
        agent = "theirs" if right.shared else _cell(right, "agent")
        cells = (agent, _hidden(call, right) or agent, _cell(right, "supervisor"), _cell(right, "admin"))
        yield f"| `{call}` | {' | '.join(cells)} |\n"


def _hidden(call: str, right: Right) -> str | None:
    if right.shared is None:
        return HIDDEN.get(right.scope)
    return "404" if "{id}" in call else "left out" if call.startswith("GET ") else "403"


def _cell(right: Right, role: Role) -> str:
    return "yes" if right.least == "anyone" or has(role, right.least) else "403"


def _refusals() -> Iterator[str]:
    yield "| status | `type` | when |\n| --- | --- | --- |\n"
    for code, refusal in sorted(REFUSALS.items(), key=lambda one: one[1].status):
        yield f"| {refusal.status} | `{code}` | {refusal.when} |\n"


TABLES: Mapping[str, Callable[[], Iterator[str]]] = {"rights": _rights, "refusals": _refusals}


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
