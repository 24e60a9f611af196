"""Who is the customer: the decision alone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from inbox.identity import Recognised, ids_to_look_up, recognise, with_reach
from inbox.model import Customer, Identity
from normalizer.outcomes import Person

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
EARLIER = datetime(2026, 11, 1, tzinfo=UTC)

ADA = Customer(id="ada", name="Ada", created_at=EARLIER, updated_at=EARLIER)


def identity(kind: str, value: str, *, verified: bool, name: str | None = "Ada") -> Identity:
    return Identity(
        id=f"{kind}:{value}",
        kind=kind,
        value=value,
        customer_id="ada",
        name=name,
        verified=verified,
        created_at=EARLIER,
    )


def recognised(person: Person, *known: Identity, customer: Customer = ADA) -> Recognised:
    return recognise(person, {one.id: one for one in known}, {customer.id: customer}, NOW)


def test_a_stranger_is_a_new_customer() -> None:
    found = recognise(Person(kind="email", value="bob@example.org", name="Bob"), {}, {}, NOW)
    assert found.identity.id == "email:bob@example.org"
    assert found.identity.customer_id == found.customer.id
    assert found.customer.name == "Bob"
    assert found.changed == (found.identity, found.customer)


def test_a_known_identity_is_its_customer_and_changes_nothing() -> None:
    known = identity("visitor", "v1", verified=False)
    found = recognised(Person(kind="visitor", value="v1"), known)
    assert (found.identity, found.customer, found.changed) == (known, ADA, ())


def test_the_same_value_of_another_kind_is_somebody_else() -> None:
    found = recognised(Person(kind="telegram", value="v1"), identity("visitor", "v1", verified=True))
    assert found.customer.id != "ada"


def test_a_name_that_comes_later_is_kept_and_one_that_is_missing_takes_nothing() -> None:
    nameless = Customer(id="ada", created_at=EARLIER, updated_at=EARLIER)
    known = identity("visitor", "v1", verified=False, name=None)
    found = recognised(Person(kind="visitor", value="v1", name="Ada"), known, customer=nameless)
    assert (found.identity.name, found.customer.name, found.customer.updated_at) == ("Ada", "Ada", NOW)
    assert recognised(Person(kind="visitor", value="v1"), identity("visitor", "v1", verified=False)).changed == ()


def test_a_new_name_of_an_identity_does_not_rename_the_customer() -> None:
    found = recognised(Person(kind="visitor", value="v1", name="Mallory"), identity("visitor", "v1", verified=False))
    assert (found.identity.name, found.customer.name) == ("Mallory", "Ada")


def test_what_was_proved_once_stays_proved() -> None:
    known = identity("email", "ada@example.org", verified=True)
    assert recognised(Person(kind="email", value="ada@example.org"), known).identity.verified


@pytest.mark.parametrize(
    ("visitor_proved", "mail_proved", "one_person"),
    [(True, True, True), (True, False, False), (False, True, False), (False, False, False)],
)
def test_two_identities_are_one_person_only_where_both_are_proved(
    *, visitor_proved: bool, mail_proved: bool, one_person: bool
) -> None:
    mail = identity("email", "ada@example.org", verified=mail_proved)
    person = Person(kind="visitor", value="v1", email="Ada@Example.org", verified=visitor_proved)
    assert ids_to_look_up(person) == ["visitor:v1", "email:ada@example.org"]
    found = recognised(person, mail)
    assert (found.customer.id == "ada") is one_person
    assert found.identity.customer_id == found.customer.id


def test_an_address_that_nobody_has_yet_joins_nobody() -> None:
    found = recognised(Person(kind="visitor", value="v1", email="new@example.org", verified=True))
    assert found.customer.id != "ada"


def test_who_writes_by_a_channel_is_reached_by_that_one_again_and_by_no_other() -> None:
    shut_out = with_reach(identity("telegram", "1", verified=True), "sales", "blocked")
    shut_out = with_reach(shut_out, "support", "gone")
    ada = Person(kind="telegram", value="1")
    found = recognise(ada, {shut_out.id: shut_out}, {"ada": ADA}, NOW, wrote_by="sales")
    assert found.identity.unreachable == {"support": "gone"}
    assert recognised(ada, shut_out).changed == ()
