"""Notes about a customer."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from inbox.api.paging import Page, PageQuery, page, place
from inbox.api.reading import NoQuery, path_id, seen_version
from inbox.api.routing import Answer, Call, route
from inbox.api.seen import standing_customer
from inbox.model import CustomerNote

NOTES = "notes"


class CustomerNoteBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a note says."""

    text: Annotated[str, Meta(min_length=1, max_length=10_000)]


@route("GET", "/api/v1/customers/{id}/notes", refuses=("merged",))
async def list_customer_notes(call: Call[PageQuery, None]) -> Page[CustomerNote]:
    """The notes about a customer, and about those who were merged into them, the newest first."""
    customer = await standing_customer(call)
    family = [one.id for one in (await call.store.people.families([customer]))[customer.id]]
    after = place(call.query.cursor, NOTES, timed=False)
    found = await call.store.people.notes(family, after=after, limit=call.query.limit)
    return page(found, NOTES, lambda note: note)


@route("POST", "/api/v1/customers/{id}/notes", status=201, refuses=("merged",))
async def add_customer_note(call: Call[NoQuery, CustomerNoteBody]) -> Answer[CustomerNote]:
    """Writes a note about a customer; no customer ever sees it."""
    await standing_customer(call)
    return _shown(await call.services.customer_notes.add(call.id, call.body.text, call.principal))


@route(
    "PATCH",
    "/api/v1/customers/{id}/notes/{note_id}",
    refuses=("invalid-header", "merged", "version-conflict"),
)
async def change_customer_note(call: Call[NoQuery, CustomerNoteBody]) -> Answer[CustomerNote]:
    """Gives a note another text; with `If-Match` only where it is still the version that was seen."""
    await standing_customer(call)
    note_id, version = path_id(call.request, "note_id"), seen_version(call.request)
    text, who = call.body.text, call.principal
    return _shown(await call.services.customer_notes.change(call.id, note_id, text, who, version=version))


@route("DELETE", "/api/v1/customers/{id}/notes/{note_id}", refuses=("merged",))
async def drop_customer_note(call: Call[NoQuery, None]) -> None:
    """Forgets a note about a customer."""
    await standing_customer(call)
    await call.services.customer_notes.drop(call.id, path_id(call.request, "note_id"))


def _shown(note: CustomerNote) -> Answer[CustomerNote]:
    return Answer(note, {"ETag": f'"{note.version}"'})


ROUTES = (list_customer_notes, add_customer_note, change_customer_note, drop_customer_note)
