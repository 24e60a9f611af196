"""Writes the matrix of who may make which call into docs/api.md, from `inbox.api.rights`.

It stands between `<!-- rights -->` and `<!-- end -->`; `make docs` calls this, and a test holds that nothing would
change.
"""

from __future__ import annotations

import re
from pathlib import Path

from inbox.api.rights import MATRIX, Right
from inbox.model import ROLES, Role

PAGE = Path(__file__).resolve().parents[1] / "docs" / "api.md"
PLACE = re.compile(r"(<!-- rights -->\n).*?(<!-- end -->)", re.DOTALL)
HEAD = (
    "| call | agent, what they see | agent, what they do not see | supervisor | admin |\n"
    "| --- | --- | --- | --- | --- |\n"
)
HIDDEN = {"one": "404", "list": "left out"}


def written(page: str) -> str:
    """The page with the matrix as the code has it."""
    return PLACE.sub(lambda place: f"{place[1]}{HEAD}{''.join(map(_row, MATRIX))}{place[2]}", page)


def _row(call: str) -> str:
    right = MATRIX[call]
    agent = _cell(right, "agent")
    cells = (agent, HIDDEN.get(right.scope, agent), _cell(right, "supervisor"), _cell(right, "admin"))
    return f"| `{call}` | {' | '.join(cells)} |\n"


def _cell(right: Right, role: Role) -> str:
    return "yes" if right.least == "anyone" or ROLES.index(role) >= ROLES.index(right.least) else "403"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
