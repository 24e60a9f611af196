"""What people may be called, and things by people."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

Signature = Annotated[str, Meta(max_length=2_000)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]

Addresses = Annotated[tuple[Annotated[str, Meta(min_length=3, max_length=320)], ...], Meta(max_length=100)]


class MergeBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The id of the one that it becomes a part of."""

    into: Name


class IdentityBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An address on a platform. What an agent types is not verified."""

    kind: Name
    value: Annotated[str, Meta(min_length=1, max_length=998)]
    name: Name | None = None
