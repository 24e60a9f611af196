"""Which keys a pydantic model has at some depth: unions, lists, mappings and nested models included."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel


@dataclass(frozen=True)
class Spot:
    """One type that may stand somewhere, with the constraints (`Ge(1)`, …) it is annotated with."""

    annotation: Any
    metadata: tuple[Any, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that a mapping may have here; empty where it is not a model's."""
        return tuple(name for names, _ in _fields(self.annotation) for name in names)

    def members(self) -> Iterator[Spot]:
        """The alternatives of a union, aliases and `Annotated` resolved."""
        origin = get_origin(self.annotation)
        if hasattr(self.annotation, "__value__"):  # `type X = …`
            yield from Spot(self.annotation.__value__, self.metadata).members()
        elif origin is Annotated:
            inner, *metadata = get_args(self.annotation)
            flat = [item for entry in metadata for item in (entry, *getattr(entry, "metadata", ()))]
            yield from Spot(inner, (*self.metadata, *flat)).members()
        elif origin in {Union, types.UnionType}:
            for member in get_args(self.annotation):
                yield from Spot(member, self.metadata).members()
        else:
            yield self

    def below(self, part: str | int) -> Iterator[Spot]:
        """What may stand under a key or at a position in a list."""
        for names, spot in _fields(self.annotation):
            if part in names:
                yield from spot.members()
        origin, args = get_origin(self.annotation), get_args(self.annotation)
        if not isinstance(origin, type) or not args:
            return
        if issubclass(origin, Mapping):
            yield from Spot(args[-1]).members()
        elif issubclass(origin, Sequence | AbstractSet):
            yield from Spot(args[0]).members()


def _fields(annotation: object) -> Iterator[tuple[tuple[str, ...], Spot]]:
    if not isinstance(annotation, type) or not issubclass(annotation, BaseModel):
        return
    for name, field in annotation.model_fields.items():
        written = field.validation_alias if isinstance(field.validation_alias, str) else field.alias
        yield (written or name,), Spot(field.annotation, tuple(field.metadata))
