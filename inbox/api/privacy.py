"""A customer's data as a whole: exported, erased, and who has looked at it."""

from __future__ import annotations

import tempfile
from typing import Annotated

from aiohttp import web
from msgspec import Meta

from inbox.api.paging import Page, PageQuery, page, place
from inbox.api.reading import NoQuery
from inbox.api.routing import HEADERS, SUBJECT, Call, route
from inbox.privacy import Erased
from inbox.staff import AuditEntry

NEWEST = "-at"
MEMORY_BYTES = 16 << 20
PIECE_BYTES = 1 << 16


class AuditQuery(PageQuery, frozen=True, kw_only=True):
    """Of whom."""

    customer: Annotated[str | None, Meta(description="Whose data it was: the id of a customer.")] = None
    principal: Annotated[str | None, Meta(description="Who did it: the id of an agent or a token.")] = None


@route("GET", "/api/v1/customers/{id}/export")
async def export_customer(call: Call[NoQuery, None]) -> web.StreamResponse:
    """All that is kept of a customer, as a ZIP archive of JSON, originals and files."""
    call.request[SUBJECT] = call.id
    headers = {
        **HEADERS,
        "Content-Type": "application/zip",
        "Content-Disposition": 'attachment; filename="customer.zip"',
    }
    with tempfile.SpooledTemporaryFile(MEMORY_BYTES) as archive:
        await call.services.privacy.export(call.id, archive)
        response = web.StreamResponse(headers=headers)
        response.content_length = archive.tell()
        archive.seek(0)
        await response.prepare(call.request)
        while piece := archive.read(PIECE_BYTES):
            await response.write(piece)
        await response.write_eof()
    return response


@route("POST", "/api/v1/customers/{id}/erase")
async def erase_customer(call: Call[NoQuery, None]) -> Erased:
    """Takes a customer, and all who were merged into them, out of the database. It cannot be undone."""
    call.request[SUBJECT] = call.id
    return await call.services.privacy.erase(call.id)


@route("GET", "/api/v1/audit")
async def list_audit(call: Call[AuditQuery, None]) -> Page[AuditEntry]:
    """Who read, changed, exported or erased what, the newest first."""
    query = call.query
    customers = [one.id for one in await call.store.people.family(query.customer)] if query.customer else None
    found = await call.store.audit.page(
        customer_ids=(customers or [query.customer or ""]) if query.customer else None,
        principal_id=query.principal,
        after=place(query.cursor, NEWEST),
        limit=query.limit,
    )
    return page(found, NEWEST, lambda entry: entry)


ROUTES = (export_customer, erase_customer, list_audit)
