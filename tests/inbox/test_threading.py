"""Which conversation a message belongs to: the decision alone, as a table, and over every order of arrival."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inbox.model import Conversation, Status
from inbox.threading import Placement, place, status_after

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
WITHIN = timedelta(days=14)


def conversation(id_: str, customer: str = "ada", **fields: Any) -> Conversation:
    made = {"created_at": NOW - timedelta(days=30), "updated_at": NOW - timedelta(days=1)}
    return Conversation(id=id_, customer_id=customer, **(made | fields))


def placed(own: Conversation | None, *named: Conversation, reopens: bool = True) -> Placement:
    return place(own, named, reopen_within=WITHIN, reopens=reopens, now=NOW)


def ids(conversations: Sequence[Conversation]) -> list[str]:
    return [one.id for one in conversations]


@pytest.mark.parametrize(
    ("status", "reopens", "after"),
    [
        ("open", True, "open"),
        ("open", False, "open"),
        ("snoozed", True, "open"),
        ("snoozed", False, "snoozed"),
        ("resolved", True, "open"),
        ("resolved", False, "resolved"),
        ("pending", True, "pending"),  # it stays with its bot
        ("pending", False, "pending"),
    ],
)
def test_what_a_message_makes_of_the_status(*, status: Status, reopens: bool, after: Status) -> None:
    assert status_after(status, reopens=reopens) == after


def test_a_message_that_names_nothing_known_begins_a_conversation() -> None:
    assert placed(None) == Placement()


def test_a_message_goes_where_the_nearest_thread_is() -> None:
    far, near = conversation("far", "ada"), conversation("near", "bob")
    assert placed(None, far, near).home == near


def test_a_late_parent_goes_where_its_answer_waits() -> None:
    waiting = conversation("c")
    assert placed(waiting).home == waiting


@pytest.mark.parametrize("status", ["open", "pending", "snoozed"])
def test_what_is_not_resolved_never_becomes_too_old(status: Status) -> None:
    old = conversation("old", status=status, updated_at=NOW - timedelta(days=900))
    assert placed(None, old).home == old


def test_a_resolved_conversation_goes_on_within_its_time() -> None:
    recent = conversation("recent", status="resolved", updated_at=NOW - WITHIN)
    assert placed(None, recent).home == recent


def test_later_a_new_one_begins_that_names_the_earlier() -> None:
    old = conversation("old", status="resolved", updated_at=NOW - WITHIN - timedelta(seconds=1))
    assert placed(None, old) == Placement(previous=old)


def test_a_machines_mail_begins_no_new_conversation_however_late() -> None:
    old = conversation("old", status="resolved", updated_at=NOW - timedelta(days=900))
    assert placed(None, old, reopens=False).home == old


def test_conversations_of_one_customer_that_turn_out_to_be_one_are_joined_into_the_older() -> None:
    older = conversation("older", created_at=NOW - timedelta(days=9))
    newer = conversation("newer", created_at=NOW - timedelta(days=8))
    for placement in (placed(newer, older), placed(older, newer), placed(None, older, newer)):
        assert placement.home == older
        assert ids(placement.emptied) == ["newer"]


def test_a_stranger_who_names_two_customers_conversations_does_not_join_them() -> None:
    adas, bobs = conversation("adas", "ada"), conversation("bobs", "bob")
    assert placed(None, adas, bobs) == Placement(home=bobs)


def test_a_customer_who_names_anothers_conversation_beside_his_own_does_not_get_it() -> None:
    victims = conversation("victims", "ada", created_at=NOW - timedelta(days=1))
    own = conversation("own", "mallory", created_at=NOW - timedelta(days=2))
    assert placed(None, victims, own) == Placement(home=own)
    assert placed(victims, own) == Placement(home=own)


def test_what_is_over_is_not_joined_again() -> None:
    over = conversation("over", status="resolved", updated_at=NOW - timedelta(days=900))
    present = conversation("present")
    assert placed(None, over, present) == Placement(home=present)


def test_a_conversation_and_the_one_that_it_follows_stay_two() -> None:
    earlier = conversation("earlier", status="resolved")
    later = conversation("later", previous_id="earlier")
    assert placed(None, earlier, later) == Placement(home=later)
    assert placed(None, later, earlier) == Placement(home=earlier)


class World:
    """Threads of mails, kept as the inbox keeps them: keys that lead to conversations."""

    def __init__(self) -> None:
        self.keys: dict[str, str] = {}
        self.conversations: dict[str, Conversation] = {}
        self.messages: dict[str, str] = {}
        self._numbers = itertools.count()

    def mail(self, id_: str, references: Sequence[str], customer: str) -> None:
        keys = [id_, *references]
        known = [self.conversations.get(self.keys.get(key, "")) for key in keys]
        placement = placed(known[0], *[one for one in known[1:] if one is not None])
        home = placement.home
        if home is None:
            number = next(self._numbers)
            made = NOW - timedelta(days=1) + timedelta(seconds=number)
            home = conversation(f"c{number}", customer, created_at=made, updated_at=made)
            self.conversations[home.id] = home
        emptied = set(ids(placement.emptied))
        for where in (self.keys, self.messages):
            where.update({name: home.id for name, one in where.items() if one in emptied})
        for key in keys:
            self.keys.setdefault(key, home.id)
        self.keys[id_] = home.id
        self.messages[id_] = home.id


def chain(length: int) -> list[tuple[str, list[str]]]:
    """Mails that answer each other, each naming all before it."""
    names = [f"m{number}" for number in range(length)]
    return [(name, names[:number]) for number, name in enumerate(names)]


@given(st.integers(1, 7).flatmap(lambda length: st.permutations(chain(length))), st.data())
@settings(max_examples=150, deadline=None)
def test_a_chain_that_names_all_its_mails_is_one_conversation_in_any_order(
    mails: list[tuple[str, list[str]]], data: st.DataObject
) -> None:
    world = World()
    for name, references in mails:
        world.mail(name, references, data.draw(st.sampled_from(["ada", "bob", "eve"])))
    assert len(set(world.messages.values())) == 1
    assert len(set(world.keys.values())) == 1


@given(st.integers(1, 8).flatmap(lambda length: st.permutations(range(length))))
@settings(max_examples=150, deadline=None)
def test_one_persons_chain_that_names_only_parents_is_one_conversation_in_any_order(order: list[int]) -> None:
    world = World()
    for number in order:
        world.mail(f"m{number}", [f"m{number - 1}"] if number else [], "ada")
    assert len(set(world.messages.values())) == 1


@given(st.lists(st.tuples(st.integers(0, 9), st.lists(st.integers(0, 9), max_size=4), st.sampled_from("abc"))))
@settings(max_examples=150, deadline=None)
def test_whatever_is_written_nobodys_conversation_changes_its_customer(
    mails: list[tuple[int, list[int], str]],
) -> None:
    world = World()
    for number, (name, references, customer) in enumerate(mails):
        before = {one: world.conversations[where].customer_id for one, where in world.messages.items()}
        world.mail(f"m{name}-{number}", [f"m{reference}" for reference in references], customer)
        after = {one: world.conversations[where].customer_id for one, where in world.messages.items()}
        assert before.items() <= after.items()
