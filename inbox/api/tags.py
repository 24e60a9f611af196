"""Tags: which there are, what they look like, and how one becomes another."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from inbox.api.counts import summed
from inbox.api.names import MergeBody, Name
from inbox.api.paging import Page
from inbox.api.problems import FieldError
from inbox.api.reading import NoQuery, as_changes, invalid_body
from inbox.api.routing import AnyCall, Call, route
from inbox.tagging import Colour, Tag

Description = Annotated[str, Meta(max_length=500)]


class TagView(Struct, frozen=True, kw_only=True):
    """A tag, and how many conversations that the caller sees have it.

    `leaving`: it was renamed, merged or dropped, and these conversations are yet to follow.
    """

    name: str
    colour: Colour | None
    description: str | None
    conversations: int
    leaving: bool


class TagBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tag that no conversation has yet."""

    name: Name
    colour: Colour | None = None
    description: Description | None = None


class TagPatch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change: fields that are left out stay as they are, null empties."""

    name: Name | UnsetType = UNSET
    colour: Colour | UnsetType | None = UNSET
    description: Description | UnsetType | None = UNSET


@route("GET", "/api/v1/tags")
async def list_tags(call: Call[NoQuery, None]) -> Page[TagView]:
    """The tags that are kept, and those of the conversations that the caller sees, by name."""
    tags = {tag.id: tag for tag in await call.store.kept.tags()}
    counts, leaving = await _counts(call), await _leaving(call)
    names = sorted({*tags, *counts})
    return Page([_view(name, tags.get(name), counts.get(name, 0), name in leaving) for name in names], None)


@route("POST", "/api/v1/tags", status=201, refuses=("tag-taken",))
async def add_tag(call: Call[NoQuery, TagBody]) -> TagView:
    """Keeps a tag. A tag that an agent types at a conversation needs no such call."""
    body = call.body
    fields = {"colour": body.colour, "description": body.description}
    return _view(body.name, await call.services.tags.add(body.name, fields), 0, leaving=False)


@route("PATCH", "/api/v1/tags/{id}", refuses=("tag-taken",))
async def change_tag(call: Call[NoQuery, TagPatch]) -> TagView:
    """Changes a tag; all conversations and views that have it follow its new name.

    Some hundred do at once, more in the background: until then the old name stands in the list as `leaving`.
    """
    changes = as_changes(call.body)
    if not changes:
        raise invalid_body(FieldError(field="", detail="name at least one field to change"))
    return await _shown(call, await call.services.tags.change(call.id, changes))


@route("POST", "/api/v1/tags/{id}/merge", refuses=("merges-itself",))
async def merge_tag(call: Call[NoQuery, MergeBody]) -> TagView:
    """Puts another tag, which is the answer, in the place of this one; this cannot be undone."""
    return await _shown(call, await call.services.tags.merge(call.id, call.body.into))


@route("DELETE", "/api/v1/tags/{id}")
async def drop_tag(call: Call[NoQuery, None]) -> None:
    """Forgets a tag and takes it off all conversations; views that name it stay as they are."""
    await call.services.tags.drop(call.id)


async def _shown(call: AnyCall, tag: Tag) -> TagView:
    return _view(tag.id, tag, (await _counts(call)).get(tag.id, 0), leaving=False)


async def _counts(call: AnyCall) -> dict[str, int]:
    counts = await call.store.counts.seen_by(call.principal, kinds=("tag",))
    return summed((count.value, count.n) for count in counts)


async def _leaving(call: AnyCall) -> set[str]:
    return {change.name for change in await call.store.kept.tag_changes()}


def _view(name: str, tag: Tag | None, conversations: int, leaving: bool) -> TagView:  # noqa: FBT001 (always named)
    colour, description = (tag.colour, tag.description) if tag else (None, None)
    return TagView(
        name=name, colour=colour, description=description, conversations=conversations, leaving=leaving and tag is None
    )


ROUTES = (list_tags, add_tag, change_tag, merge_tag, drop_tag)
