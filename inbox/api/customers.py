"""Customers, and all that was ever said with one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from inbox.api.names import IdentityBody, MergeBody, Name
from inbox.api.paging import Page, PageQuery, page, place
from inbox.api.problems import FieldError
from inbox.api.reading import NoQuery, as_changes, invalid_body, invalid_query, seen_version
from inbox.api.routing import Answer, AnyCall, Call, route
from inbox.api.searching import SEARCH, Query, looked_for
from inbox.api.seen import known_customer, standing_customer
from inbox.api.views import CustomerView, customer_views
from inbox.customers import NewIdentity
from inbox.identity import identity_id
from inbox.model import Customer
from normalizer.folding import Term
from normalizer.schema import Message

RECENT = "-updated_at"
TIMELINE = "timeline"

FieldName = Annotated[str, Meta(min_length=1, max_length=100)]
Text = Annotated[str, Meta(max_length=2000)]
Number = Annotated[int, Meta(ge=-(1 << 53), le=1 << 53)]
Fields = Annotated[dict[FieldName, Text | Number | float | bool | None], Meta(max_length=50)]


IdentityId = Annotated[str, Meta(pattern="^[^:]+:")]  # kind:value


class CustomersQuery(PageQuery, frozen=True, kw_only=True):
    """Pages through all customers, or finds some by words or the one with an identity."""

    identity: Annotated[IdentityId | None, Meta(description="Whose this is, such as `email:ada@example.com`.")] = None
    q: Query = None


class NewCustomer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A customer whom an agent writes down. `fields` are the company's own: texts, numbers, true or false, by names."""

    name: Name | None = None
    identities: Annotated[tuple[IdentityBody, ...], Meta(max_length=50)] = ()
    fields: Fields = {}


class CustomerPatch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change. Of `fields` those that are named; null takes one away (RFC 7396)."""

    name: Name | UnsetType | None = UNSET
    fields: Fields | UnsetType = UNSET


@route("GET", "/api/v1/customers", refuses=("search-too-broad",))
async def list_customers(call: Call[CustomersQuery, None]) -> Page[CustomerView]:
    """Customers with their identities, the last changed first; of those who were merged, the one they are known as.

    With `q`, those in whose names and addresses its words are, the newest first. A page of it may hold fewer than
    `limit`, or none, and have a `next` all the same: so far it came in the time that a call has.
    """
    query = call.query
    if query.q is not None and query.identity is not None:
        raise invalid_query(FieldError(field="q", detail="give either q or identity"))
    if query.identity is not None:
        return Page(await _with_identity(call, query.identity), None)
    if query.q is not None:
        return await _searched(call, looked_for(query.q))
    after = place(call.query.cursor, RECENT)
    found = await call.store.people.customers(after=after, limit=call.query.limit)
    views = await customer_views(call.store, found.items)
    return page(found, RECENT, lambda item: views[item.id])


@route("POST", "/api/v1/customers", status=201, refuses=("bad-address", "identity-taken"))
async def add_customer(call: Call[NoQuery, NewCustomer]) -> Answer[CustomerView]:
    """Makes a customer."""
    customer = await call.services.customers.add(
        name=call.body.name,
        fields=call.body.fields,
        identities=[_identity(one) for one in call.body.identities],
    )
    return await _shown(call, customer)


@route("GET", "/api/v1/customers/{id}")
async def get_customer(call: Call[NoQuery, None]) -> Answer[CustomerView]:
    """One customer, also one who was merged into another: then `merged_into` names that."""
    return await _shown(call, await known_customer(call))


@route("PATCH", "/api/v1/customers/{id}", refuses=("invalid-header", "merged", "version-conflict"))
async def change_customer(call: Call[NoQuery, CustomerPatch]) -> Answer[CustomerView]:
    """Changes a customer; with `If-Match` only where it is still the version that was seen."""
    changes = as_changes(call.body)
    if not changes:
        raise invalid_body(FieldError(field="", detail="name at least one field to change"))
    await standing_customer(call)
    return await _shown(
        call, await call.services.customers.change(call.id, changes, version=seen_version(call.request))
    )


@route("POST", "/api/v1/customers/{id}/identities", status=201, refuses=("bad-address", "identity-taken", "merged"))
async def add_identity(call: Call[NoQuery, IdentityBody]) -> Answer[CustomerView]:
    """Notes one more address of a customer."""
    await standing_customer(call)
    return await _shown(call, await call.services.customers.add_identity(call.id, _identity(call.body)))


@route("POST", "/api/v1/customers/{id}/merge", refuses=("merged", "merges-itself"))
async def merge_customer(call: Call[NoQuery, MergeBody]) -> Answer[CustomerView]:
    """Says that this is the same person as another, which is the answer. `unmerge` undoes it exactly, at any time."""
    await standing_customer(call, call.body.into)
    await standing_customer(call)
    return await _shown(call, await call.services.customers.merge(call.id, call.body.into))


@route("POST", "/api/v1/customers/{id}/unmerge", refuses=("not-merged",))
async def unmerge_customer(call: Call[NoQuery, None]) -> Answer[CustomerView]:
    """Parts a customer from the one that they were merged into: each has what was ever theirs, also since."""
    return await _shown(call, await call.services.customers.unmerge(call.id))


@route("GET", "/api/v1/customers/{id}/timeline", refuses=("merged",))
async def get_timeline(call: Call[PageQuery, None]) -> Page[Message]:
    """All messages of a customer on every channel as one thread, oldest first."""
    customer = await standing_customer(call)
    family = [one.id for one in (await call.store.people.families([customer]))[customer.id]]
    after = place(call.query.cursor, TIMELINE, timed=False)
    found = await call.store.people.timeline(family, reader=call.principal, after=after, limit=call.query.limit)
    return page(found, TIMELINE, lambda message: message)


async def _searched(call: Call[CustomersQuery, None], words: Sequence[Term]) -> Page[CustomerView]:
    after = place(call.query.cursor, SEARCH, timed=False)
    found = await call.store.search.customers(words, after=after, limit=call.query.limit)
    views = await customer_views(call.store, found.items)
    return page(found, SEARCH, lambda item: views[item.id])


async def _with_identity(call: AnyCall, wanted: str) -> list[CustomerView]:
    kind, _, value = wanted.partition(":")
    canonical = call.services.addressing.canonical(kind, value)
    identity = await call.store.people.identity(identity_id(kind, canonical)) if canonical else None
    roots = await call.store.people.roots([identity.customer_id]) if identity else {}
    return list((await customer_views(call.store, roots.values())).values())


def _identity(body: IdentityBody) -> NewIdentity:
    return NewIdentity(kind=body.kind, value=body.value, name=body.name)


async def _shown(call: AnyCall, customer: Customer) -> Answer[CustomerView]:
    views = await customer_views(call.store, [customer])
    return Answer(views[customer.id], {"ETag": f'"{customer.version}"'})


ROUTES = (
    list_customers,
    add_customer,
    get_customer,
    change_customer,
    add_identity,
    merge_customer,
    unmerge_customer,
    get_timeline,
)
