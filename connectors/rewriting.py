"""Changing the text of a reply that stands on a platform as several pieces."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from connectors.base import Amendment
from connectors.errors import PermanentError
from normalizer.schema import Message


class Named(Protocol):
    """A piece of a reply, under the name that its receipt bears."""

    @property
    def name(self) -> str:
        """The same on every try, and for every text."""


PieceT = TypeVar("PieceT", bound=Named)


class Rewriting(Struct, Generic[PieceT], frozen=True):
    """What an edit comes to.

    Attributes:
        rewritten: the pieces that become others, each after the id under which it stands.
        left_over: the ids of the pieces that the new text does not need.
    """

    rewritten: tuple[tuple[str, PieceT], ...]
    left_over: tuple[str, ...]


def _one(_: object) -> int:
    return 1


def rewriting(
    amendment: Amendment,
    pieces: Callable[[Message], Sequence[PieceT]],
    shown: Callable[[PieceT], object],
    *,
    ids: Callable[[PieceT], int] = _one,
) -> Rewriting[PieceT]:
    """Compares the pieces of a reply before and after an edit.

        plan = rewriting(amendment, pieces, lambda piece: piece.text)
        for id_, piece in plan.rewritten:
            ...

    Args:
        amendment: the edit.
        pieces: what `send` makes of a message, in the order in which it is sent.
        shown: what of a piece can be rewritten; None where there is nothing that can.
        ids: how many external ids a piece has, where that is not always one (`Receipt.others`).

    Raises:
        PermanentError: the new text needs another message than those that were sent.
    """
    sent = iter(amendment.message.external.ids or filter(None, (amendment.message.external.id,)))
    before = {piece.name: (piece, tuple(itertools.islice(sent, ids(piece)))) for piece in pieces(amendment.before)}
    after = {piece.name: piece for piece in pieces(amendment.message)}
    rewritten = []
    for name, piece in after.items():
        standing, under = before.get(name, (None, ()))
        if standing is None or not under or (shown(standing) is None) != (shown(piece) is None):
            raise PermanentError("the new text needs another message than those that were sent", code="too_long")
        if shown(standing) != shown(piece):
            rewritten.append((under[0], piece))
    left_over = [id_ for name, (_, under) in before.items() if name not in after for id_ in under]
    return Rewriting(rewritten=tuple(rewritten), left_over=tuple(left_over))
