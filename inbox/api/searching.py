"""Reading what a search looks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from inbox.api.problems import FieldError
from inbox.api.reading import invalid_query
from normalizer.folding import Term, terms

NEWEST = "-created_at"  # the order in which a search finds, whatever there is
SEARCH = "search"  # of which cursors are
MOST = 8  # words

Words = Annotated[str, Meta(min_length=1, max_length=200)]
Query = Annotated[
    Words | None,
    Meta(
        description="Words, all of which must be there, whatever their case and marks; words of three letters or more, "
        "and the last, also as beginnings."
    ),
]


def looked_for(query: str) -> Sequence[Term]:
    """The words of a query.

    Raises:
        ProblemError: 400, there is none in it, or there are too many.
    """
    words = terms(query)
    if not words:
        raise invalid_query(FieldError(field="q", detail="has no letter and no digit to look for"))
    if len(words) > MOST:
        raise invalid_query(FieldError(field="q", detail=f"has {len(words)} words; give {MOST} at the most"))
    return words
