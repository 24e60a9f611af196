"""What an edit of a reply comes to, piece by piece."""

from __future__ import annotations

import pytest
from msgspec import Struct

from connectors import Amendment, PermanentError, Rewriting, rewriting
from normalizer.schema import Author, External, Message


class Piece(Struct, frozen=True):
    name: str
    text: str = ""


def pieces(message: Message) -> list[Piece]:
    """A piece a line; those that begin with a hash are files, whose names stay and which have two ids."""
    lines = [line for line in message.text.splitlines() if line]
    return [Piece(line) if line.startswith("#") else Piece(f"line:{at}", line) for at, line in enumerate(lines)]


def planned(before: str, after: str, *ids: str) -> Rewriting[Piece]:
    def message(text: str) -> Message:
        return Message(author=Author(type="agent"), external=External(id=ids[0], ids=ids), text=text)

    amendment = Amendment(kind="edit", message=message(after), before=message(before))
    return rewriting(amendment, pieces, lambda piece: piece.text or None, ids=lambda piece: 1 if piece.text else 2)


def test_only_what_reads_otherwise_is_rewritten() -> None:
    plan = planned("one\ntwo\n#lamp", "one\nthree\n#lamp", "a", "b", "c", "d")
    assert plan.rewritten == (("b", Piece("line:1", "three")),)
    assert plan.left_over == ()


def test_what_a_shorter_text_does_not_need_is_left_over_with_all_its_ids() -> None:
    plan = planned("one\n#lamp\ntwo", "uno", "a", "b", "c", "d")
    assert plan.rewritten == (("a", Piece("line:0", "uno")),)
    assert plan.left_over == ("b", "c", "d")


@pytest.mark.parametrize(
    ("before", "after", "ids"),
    [
        ("one", "one\ntwo", ("a",)),
        ("one\ntwo", "one\nthree", ("a",)),  # the second never left
    ],
)
def test_what_did_not_leave_cannot_be_rewritten(before: str, after: str, ids: tuple[str, ...]) -> None:
    with pytest.raises(PermanentError, match="needs another message") as refused:
        planned(before, after, *ids)
    assert refused.value.code == "too_long"


def test_a_piece_that_shows_nothing_gets_no_text() -> None:
    def named(message: Message) -> list[Piece]:
        return [Piece("files", message.text)]

    def message(text: str) -> Message:
        return Message(author=Author(type="agent"), external=External(id="a"), text=text)

    amendment = Amendment(kind="edit", message=message("caption"), before=message(""))
    with pytest.raises(PermanentError):
        rewriting(amendment, named, lambda piece: piece.text or None)
    assert rewriting(amendment, named, lambda piece: piece.text).rewritten == (("a", Piece("files", "caption")),)
