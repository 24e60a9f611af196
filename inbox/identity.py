"""Who is the customer: pure decisions over what was looked up.

An identity belongs to one customer. A stranger is a new customer, unless the platform proves an address (`verified`)
that another platform has proved before: only then do two identities become one person by themselves.

A mail address that somebody only typed is theirs as long as nobody else has it (`claimed`): who writes from it, and
does not answer what was written to its customer, is somebody else; and who proves it is believed more.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec.structs import replace

from inbox.model import Conversation, Customer, Identity, new_id
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
    person: Person,
    identities: dict[str, Identity],
    customers: dict[str, Customer],
    now: datetime,
    *,
    wrote_by: str | None = None,
) -> Recognised:
    """Finds the customer of a person, or makes one; a mail address that they name beside becomes theirs too.

    `wrote_by`: the channel by which they wrote, and so can be reached; None where it was not they who wrote.
    """
    known = identities.get(identity_id(person.kind, person.value))
    if known is None:
        found = _stranger(person, identities, customers, now)
    else:
        found = _better_known(person, known, customers[known.customer_id], now, wrote_by)
    address = _address(person, found.customer, identities, now)
    return replace(found, changed=(*found.changed, address)) if address else found


async def recognised(unit: Unit, person: Person, *, wrote_by: str | None = None) -> Recognised:
    """`recognise` over what the unit finds; what changed is put, and whose addresses changed is told.

    Who proves only now that an address is theirs is merged into the customer who has proved it before.
    """
    identities = await unit.get(Identity, ids_to_look_up(person))
    customers = await unit.get(Customer, [one.customer_id for one in identities.values()])
    found = recognise(person, identities, customers, unit.now, wrote_by=wrote_by)
    for changed in found.changed:
        unit.put(changed)
        if isinstance(changed, Identity) and changed.id != found.identity.id:
            before = identities.get(changed.id)
            owners = {found.customer.id, before.customer_id if before else found.customer.id}
            for owner in owners & customers.keys():
                await _tell(unit, owner)
    known = identities.get(found.identity.id)
    twin = _proved_elsewhere(person, identities, customers) if known and not known.verified else None
    if twin is not None:
        await _become_one(unit, found.customer.id, twin.id)
    return found


async def let_go(unit: Unit, person: Person, answered: Conversation | None) -> None:
    """Whoever writes from an address that another only claimed has it from now on.

    Where they answer what was written to that other (`answered` is the conversation in which they do), they are the
    same: only who reads that mailbox can.
    """
    known = await unit.one(Identity, identity_id(person.kind, person.value))
    if known is None or not known.claimed:
        return
    family = await unit.family_of(known.customer_id)
    owner = known.customer_id
    if answered is None or answered.customer_id not in {one.id for one in family}:
        await _tell(unit, known.customer_id)
        owner = unit.put(Customer(id=new_id(), name=person.name, created_at=unit.now, updated_at=unit.now)).id
    unit.put(replace(known, customer_id=owner, name=person.name, claimed=False))


def with_reach(known: Identity, channel: str, reason: str | None) -> Identity:
    """The identity with the reason why it cannot be written to by that channel; None: it can be."""
    others = {id_: why for id_, why in known.unreachable.items() if id_ != channel}
    return replace(known, unreachable=others if reason is None else {**others, channel: reason})


def merged(customer: Customer, into: Customer, now: datetime) -> tuple[Customer, Customer]:
    """The two as they are once the first is known as the second."""
    return (
        replace(customer, merged_into=into.id, updated_at=now),
        replace(into, merged=(*into.merged, customer.id), updated_at=now),
    )


async def _tell(unit: Unit, customer_id: str) -> None:
    """Agents hear that a customer has won or lost an address."""
    for known_as in (await unit.roots([customer_id])).values():
        unit.put(replace(known_as, updated_at=unit.now))


async def _become_one(unit: Unit, customer_id: str, twin_id: str) -> None:
    """Merges a customer into the one who is the same; one of whom agents said who they are stays as they said."""
    customer, into = await unit.one(Customer, customer_id), (await unit.family_of(twin_id))[0]
    if customer is not None and customer.merged_into is None and customer.id != into.id:
        for changed in merged(customer, into, unit.now):
            unit.put(changed)


def _stranger(
    person: Person, identities: dict[str, Identity], customers: dict[str, Customer], now: datetime
) -> Recognised:
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


def _address(person: Person, customer: Customer, identities: dict[str, Identity], now: datetime) -> Identity | None:
    """The mail address that a person of another platform names, where it becomes theirs or is proved by that."""
    if not person.email or person.kind == EMAIL:
        return None
    value = person.email.lower()
    known = identities.get(identity_id(EMAIL, value))
    if known is None:
        return address(value, customer, verified=person.verified, now=now)
    if person.verified and not known.verified and (known.claimed or known.customer_id == customer.id):
        return replace(known, customer_id=customer.id, verified=True, claimed=False)
    return None


def address(value: str, customer: Customer, *, verified: bool, now: datetime) -> Identity:
    """A mail address that nobody has yet, in lower case, as the customer's; `verified`: a platform proves it."""
    return Identity(
        id=identity_id(EMAIL, value),
        kind=EMAIL,
        value=value,
        customer_id=customer.id,
        verified=verified,
        claimed=not verified,
        created_at=now,
    )


def _proved_elsewhere(
    person: Person, identities: dict[str, Identity], customers: dict[str, Customer]
) -> Customer | None:
    if not (person.verified and person.email):
        return None
    by_mail = identities.get(identity_id(EMAIL, person.email.lower()))
    return customers.get(by_mail.customer_id) if by_mail and by_mail.verified else None


def _better_known(
    person: Person, known: Identity, customer: Customer, now: datetime, wrote_by: str | None
) -> Recognised:
    changed: list[Identity | Customer] = []
    identity = replace(known, name=person.name or known.name, verified=known.verified or person.verified)
    if wrote_by is not None:
        identity = with_reach(identity, wrote_by, None)
    if identity != known:
        changed.append(identity)
    if customer.name is None and person.name:
        customer = replace(customer, name=person.name, updated_at=now)
        changed.append(customer)
    return Recognised(identity=identity, customer=customer, changed=tuple(changed))
