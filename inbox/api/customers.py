"""Customers, and all that was ever said with one of them."""

from __future__ import annotations

from inbox.api.paging import Page, PageQuery, page, place
from inbox.api.problems import not_found
from inbox.api.reading import NoQuery
from inbox.api.routing import AnyCall, Call, route
from inbox.api.views import CustomerView, customer_views
from inbox.model import Customer
from normalizer.schema import Message

RECENT = "-updated_at"
TIMELINE = "timeline"


@route("GET", "/api/v1/customers")
async def list_customers(call: Call[PageQuery, None]) -> Page[CustomerView]:
    """Customers with their identities, the last changed first."""
    after = place(call.query.cursor, RECENT)
    found = await call.store.queries.customers(after=after, limit=call.query.limit)
    views = await customer_views(call.store, found.items)
    return page(found, RECENT, lambda item: views[item.id])


@route("GET", "/api/v1/customers/{id}")
async def get_customer(call: Call[NoQuery, None]) -> CustomerView:
    """One customer with all identities."""
    customer = await _customer(call)
    return (await customer_views(call.store, [customer]))[customer.id]


@route("GET", "/api/v1/customers/{id}/timeline")
async def get_timeline(call: Call[PageQuery, None]) -> Page[Message]:
    """All messages of a customer on every channel as one thread, oldest first."""
    await _customer(call)
    after = place(call.query.cursor, TIMELINE, timed=False)
    found = await call.store.queries.timeline(call.id, reader=call.principal, after=after, limit=call.query.limit)
    return page(found, TIMELINE, lambda message: message)


async def _customer(call: AnyCall) -> Customer:
    customer = await call.store.queries.customer(call.id)
    if customer is None:
        raise not_found("customer", call.id)
    return customer


ROUTES = (list_customers, get_customer, get_timeline)
