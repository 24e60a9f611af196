"""What canned replies and views have in common: whose they are, and who changes what is shared."""

from __future__ import annotations

from typing import TypeVar

from inbox.api.problems import FieldError, ProblemError
from inbox.api.reading import invalid_body
from inbox.api.rights import has
from inbox.api.routing import Answer, AnyCall
from inbox.filters import View
from inbox.model import CannedReply

KeptT = TypeVar("KeptT", CannedReply, View)


def check_shared(call: AnyCall, *, shared: bool) -> None:
    """What is shared is changed by some roles alone.

    Raises:
        ProblemError: 403, the caller has none of them.
    """
    role, least = call.principal.role, call.right.shared
    if shared and least is not None and not has(role, least):
        raise ProblemError("forbidden", f"what is shared is changed with the role {least}; yours is {role}")


async def check_team(call: AnyCall, team: str | None) -> None:
    """What belongs to a team belongs to one that exists.

    Raises:
        ProblemError: 422, there is none.
    """
    if team is not None and await call.store.staff.team(team) is None:
        raise invalid_body(FieldError(field="team", detail="there is no team with this id"))


def shown(kept: KeptT) -> Answer[KeptT]:
    """It, with its version."""
    return Answer(kept, {"ETag": f'"{kept.version}"'})
