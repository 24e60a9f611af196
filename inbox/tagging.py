"""Tags: what the company says of them, and what becomes of one that gets another name or goes.

A tag is its name, and conversations hold names: one that somebody just types is a tag too. What is kept beside a name
is a colour and a description. A name that changes has to change in every conversation, which is a `TagChange`.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from normalizer.schema import Time

Colour = Literal["grey", "red", "orange", "yellow", "green", "teal", "blue", "purple", "pink"]


class Tag(Struct, frozen=True, kw_only=True):
    """What is kept of a tag. `id` is its name, so that one name is one tag."""

    id: str
    colour: Colour | None = None
    description: str | None = None
    created_at: Time


class TagChange(Struct, frozen=True, kw_only=True):
    """A tag on its way out of the conversations that have it; gone when none has.

    Attributes:
        id: in the order of commit: of two changes, the second may only begin when the first is through.
        name: the tag that goes.
        into: the tag in whose place it was, or None where it just goes.
    """

    id: str
    name: str
    into: str | None


def retagged(tags: tuple[str, ...], change: TagChange) -> tuple[str, ...]:
    """A conversation's tags after a change: each once, where it stood."""
    changed = (change.into if tag == change.name else tag for tag in tags)
    return tuple(dict.fromkeys(tag for tag in changed if tag is not None))
