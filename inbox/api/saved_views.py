"""Views: filters of the list of conversations under a name, an agent's own or shared."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import asdict

from inbox.api.at_hand import check_shared, check_team, shown
from inbox.api.names import Name
from inbox.api.paging import Page
from inbox.api.problems import FieldError, not_found
from inbox.api.reading import NoQuery, as_changes, invalid_body, seen_version
from inbox.api.routing import Answer, AnyCall, Call, route
from inbox.clock import utc_now
from inbox.filters import Filter, Sort, View, customers_of, mistakes, resolved
from inbox.model import new_id
from inbox.sight import sees_view


class ViewBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A view: the caller's own; `shared`: everybody's, or those of a `team`."""

    name: Name
    filter: Filter
    sort: Sort = "-updated_at"
    shared: bool = False
    team: Name | None = None


class ViewPatch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change: fields that are left out stay as they are. What is not `shared` any more is its owner's alone."""

    name: Name | UnsetType = UNSET
    filter: Filter | UnsetType = UNSET
    sort: Sort | UnsetType = UNSET
    shared: bool | UnsetType = UNSET
    team: Name | UnsetType | None = UNSET


@route("GET", "/api/v1/views")
async def list_views(call: Call[NoQuery, None]) -> Page[View]:
    """The caller's own views, and those that are shared with them, by name."""
    views = [view for view in await call.store.kept.views(call.principal.id) if sees_view(call.principal, view)]
    views.sort(key=lambda view: (view.name.casefold(), view.id))
    return Page(views, None)


@route("POST", "/api/v1/views", status=201)
async def add_view(call: Call[NoQuery, ViewBody]) -> Answer[View]:
    """Makes a view."""
    body, now = call.body, utc_now()
    view = View(id=new_id(), owner=call.principal.id, created_at=now, updated_at=now, **asdict(body))
    check_shared(call, shared=view.shared)
    await _check(call, view)
    return shown(await call.services.keeping.add_view(view))


@route("PATCH", "/api/v1/views/{id}", refuses=("invalid-header", "version-conflict"))
async def change_view(call: Call[NoQuery, ViewPatch]) -> Answer[View]:
    """Changes a view; with `If-Match` only where it is still the version that was seen."""
    changes = as_changes(call.body)
    if not changes:
        raise invalid_body(FieldError(field="", detail="name at least one field to change"))
    if changes.get("shared") is False:
        changes.setdefault("team", None)
    standing = await seen_view(call, call.id)
    changed = msgspec.structs.replace(standing, **changes)
    check_shared(call, shared=standing.shared or changed.shared)
    await _check(call, changed)
    version = seen_version(call.request)
    return shown(await call.services.keeping.change_view(call.id, changes, version=version))


@route("DELETE", "/api/v1/views/{id}")
async def drop_view(call: Call[NoQuery, None]) -> None:
    """Forgets a view."""
    check_shared(call, shared=(await seen_view(call, call.id)).shared)
    await call.services.keeping.drop_view(call.id)


async def seen_view(call: AnyCall, id_: str) -> View:
    """The view with that id.

    Raises:
        ProblemError: 404, there is none for the caller.
    """
    view = await call.store.kept.view(id_)
    if view is None or not sees_view(call.principal, view):
        raise not_found("view", id_)
    return view


async def asked_by(call: AnyCall, view: View) -> Filter:
    """What a view asks for when it is the caller who looks."""
    roots = await call.store.people.roots(customers_of(view.filter))
    families = await call.store.people.families(list(roots.values()))
    members = {id_: [member.id for member in families[root.id]] for id_, root in roots.items()}
    return resolved(view.filter, call.principal.id, members)


async def _check(call: AnyCall, view: View) -> None:
    """Raises ProblemError, 422, where a view cannot be so."""
    errors = [FieldError(field=mistake.at, detail=mistake.told) for mistake in mistakes(view.filter)]
    if view.team is not None and not view.shared:
        errors.append(FieldError(field="team", detail="only what is shared is a team's"))
    if errors:
        raise invalid_body(*errors)
    await check_team(call, view.team)


ROUTES = (list_views, add_view, change_view, drop_view)
