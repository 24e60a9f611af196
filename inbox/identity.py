"""Who is the customer: pure decisions over what was looked up.

An identity belongs to one customer. A stranger is a new customer, unless the platform proves an address (`verified`)
that another platform has proved before: only then do two identities become one person by themselves.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from inbox.model import Customer, Identity, new_id
from inbox.store import Unit
from normalizer.outcomes import Person

EMAIL = "email"


class Recognised(msgspec.Struct, frozen=True, kw_only=True):
    """Whose identity it is; `changed` holds what is new or better known than before and must be stored.

    `is_new` says that the identity was not known before.
    """

    identity: Identity
    customer: Customer
    changed: tuple[Identity | Customer, ...] = ()
    is_new: bool = False


def identity_id(kind: str, value: str) -> str:
    """The id of an identity: kind and value name it for good."""
    return f"{kind}:{value}"


def ids_to_look_up(person: Person) -> list[str]:
    """The identities that `recognise` wants to see."""
    own = [identity_id(person.kind, person.value)]
    return [*own, identity_id(EMAIL, person.email.lower())] if person.email else own


def recognise(
    person: Person, identities: dict[str, Identity], customers: dict[str, Customer], now: datetime
) -> Recognised:
    """Finds the customer of a person, or makes one."""
    known = identities.get(identity_id(person.kind, person.value))
    if known is not None:
        return _better_known(person, known, customers[known.customer_id], now)
    customer = _proved_elsewhere(person, identities, customers) or Customer(
        id=new_id(), name=person.name, created_at=now, updated_at=now
    )
    identity = Identity(
        id=identity_id(person.kind, person.value),
        kind=person.kind,
        value=person.value,
        customer_id=customer.id,
        name=person.name,
        verified=person.verified,
        created_at=now,
    )
    fresh = customer.id not in customers
    changed = (identity, customer) if fresh else (identity,)
    return Recognised(identity=identity, customer=customer, changed=changed, is_new=True)


async def recognised(unit: Unit, person: Person) -> Recognised:
    """`recognise` over what the unit finds; what changed is put."""
    identities = await unit.get(Identity, ids_to_look_up(person))
    customers = await unit.get(Customer, [one.customer_id for one in identities.values()])
    found = recognise(person, identities, customers, unit.now)
    for changed in found.changed:
        unit.put(changed)
    return found


def _proved_elsewhere(
    person: Person, identities: dict[str, Identity], customers: dict[str, Customer]
) -> Customer | None:
    if not (person.verified and person.email):
        return None
    by_mail = identities.get(identity_id(EMAIL, person.email.lower()))
    return customers.get(by_mail.customer_id) if by_mail and by_mail.verified else None


def _better_known(person: Person, known: Identity, customer: Customer, now: datetime) -> Recognised:
    changed: list[Identity | Customer] = []
    identity = msgspec.structs.replace(
        known, name=person.name or known.name, verified=known.verified or person.verified, unreachable=None
    )
    if identity != known:
        changed.append(identity)
    if customer.name is None and person.name:
        customer = msgspec.structs.replace(customer, name=person.name, updated_at=now)
        changed.append(customer)
    return Recognised(identity=identity, customer=customer, changed=tuple(changed))
