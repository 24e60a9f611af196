"""What a platform's report makes of a reply's delivery, and what edits make of a message: pure, in any order."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from inbox import delivery
from inbox.changes import changed
from normalizer.outcomes import Change, DeliveryUpdate, Person
from normalizer.schema import Author, Delivery, DeliveryError, DeliveryState, Message, Recipient

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
NO_SUCH_USER = DeliveryError(code="550", text="no such user", temporary=False)


def update(state: DeliveryState, *, recipient: str | None = None, minutes: int = 0) -> DeliveryUpdate:
    error = NO_SUCH_USER if state == "failed" else None
    return DeliveryUpdate(state=state, at=AT + timedelta(minutes=minutes), recipient=recipient, error=error)


def to(*addresses: str, state: DeliveryState = "sent") -> Delivery:
    return Delivery(state=state, recipients=tuple(Recipient(address=one, state=state) for one in addresses))


@pytest.mark.parametrize("order", list(itertools.permutations(["sent", "delivered", "read"])))
def test_reports_end_alike_in_any_order(order: list[DeliveryState]) -> None:
    standing = to("v1", state="sending")
    for state in order:
        standing = delivery.updated(standing, update(state))
    assert standing.state == "read"
    assert [one.state for one in standing.recipients] == ["read"]
    assert standing.sent_at is not None
    assert standing.delivered_at is not None
    assert standing.read_at == AT


def test_a_report_twice_changes_nothing() -> None:
    once = delivery.updated(to("v1"), update("delivered"))
    assert delivery.updated(once, update("delivered", minutes=5)) == once


def test_what_was_cancelled_stays_so() -> None:
    cancelled = Delivery(state="cancelled")
    assert delivery.updated(cancelled, update("delivered")) == cancelled


def test_an_unknown_fate_is_cleared_up_by_a_report() -> None:
    lost = Delivery(state="unknown", error=DeliveryError(text="lost", temporary=False))
    cleared = delivery.updated(lost, update("delivered"))
    assert (cleared.state, cleared.error) == ("delivered", None)


def test_a_failure_of_one_of_two_recipients_is_not_the_replys() -> None:
    standing = delivery.updated(to("a@x.org", "b@x.org"), update("failed", recipient="B@x.org"))
    assert standing.state == "sent"
    assert [(one.state, one.code) for one in standing.recipients] == [("sent", None), ("failed", "550")]
    standing = delivery.updated(standing, update("failed", recipient="a@x.org"))
    assert (standing.state, standing.error) == ("failed", NO_SUCH_USER)


def test_a_failure_that_names_nobody_is_everybodys() -> None:
    standing = delivery.updated(to("a@x.org", "b@x.org"), update("failed"))
    assert standing.state == "failed"
    assert {one.state for one in standing.recipients} == {"failed"}


def test_a_late_report_takes_no_recipient_back() -> None:
    standing = delivery.updated(to("a@x.org", state="read"), update("delivered", recipient="a@x.org"))
    assert standing.recipients[0].state == "read"


LATE = DeliveryUpdate(
    state="sent", at=AT, recipient="a@x.org", error=DeliveryError(code="4.4.1", text="delayed", temporary=True)
)


@pytest.mark.parametrize("state", ["sending", "unknown", "sent"])
def test_a_delay_is_told_until_more_is_known(state: DeliveryState) -> None:
    late = delivery.updated(to("a@x.org", state=state), LATE)
    assert (late.state, late.error) == ("sent", LATE.error)
    assert [(one.state, one.code, one.text) for one in late.recipients] == [("sent", "4.4.1", "delayed")]
    arrived = delivery.updated(late, update("delivered", recipient="a@x.org"))
    assert (arrived.state, arrived.error) == ("delivered", None)
    refused = delivery.updated(late, update("failed", recipient="a@x.org"))
    assert (refused.state, refused.error) == ("failed", NO_SUCH_USER)


@pytest.mark.parametrize("later", ["delivered", "read", "failed"])
def test_a_delay_that_comes_late_changes_nothing(later: DeliveryState) -> None:
    known = delivery.updated(to("a@x.org"), update(later, recipient="a@x.org"))
    assert delivery.updated(known, LATE) == known


def test_one_recipients_delay_hides_no_others_failure() -> None:
    standing = replace(to("a@x.org", "b@x.org"), error=NO_SUCH_USER)
    assert delivery.updated(standing, LATE).error == NO_SUCH_USER


def test_pauses_double_up_to_their_limit_and_are_spread() -> None:
    steps = [delivery.pause(attempts, 0.5) for attempts in range(1, delivery.MAX_ATTEMPTS + 1)]
    assert steps[:3] == [timedelta(seconds=5), timedelta(seconds=10), timedelta(seconds=20)]
    assert steps == sorted(steps)
    assert delivery.pause(1000, 1.0) == delivery.LONGEST_PAUSE * 1.25
    assert delivery.pause(1, 0.0) < delivery.pause(1, 1.0)


def message(text: str = "t0") -> Message:
    return Message(id="m", author=Author(type="customer"), text=text)


def edit(number: int) -> Change:
    return Change(external_id="x", at=AT + timedelta(minutes=number), text=f"t{number}")


ADA = Person(kind="slack", value="U1", name="Ada")


@given(st.integers(1, 5).flatmap(lambda length: st.permutations(range(1, length + 1))))
@settings(max_examples=60, deadline=None)
def test_edits_end_alike_in_any_order(order: list[int]) -> None:
    edited = in_order = message()
    for number in order:
        edited = changed(changed(edited, edit(number)), edit(number))
    for number in sorted(order):
        in_order = changed(in_order, edit(number))
    assert edited == in_order
    assert [one.text for one in edited.revisions] == [f"t{number}" for number in range(len(order))]


def test_a_deleted_message_stays_and_is_marked_once() -> None:
    gone = changed(message(), Change(external_id="x", at=AT, deleted=True))
    assert (gone.deleted_at, gone.text) == (AT, "t0")
    assert changed(gone, Change(external_id="x", at=AT + timedelta(hours=1), deleted=True)) == gone


def test_reactions_come_and_go_by_person_and_emoji() -> None:
    up = Change(external_id="x", at=AT, reaction="👍", author=ADA)
    standing = changed(changed(message(), up), up)
    assert [(one.emoji, one.author.name) for one in standing.reactions] == [("👍", "Ada")]
    bobs = Change(external_id="x", at=AT, reaction="👍", author=Person(kind="slack", value="U2"))
    standing = changed(standing, bobs)
    assert len(standing.reactions) == 2
    late = Change(external_id="x", at=AT - timedelta(minutes=1), reaction="👍", reaction_removed=True, author=ADA)
    assert changed(standing, late) == standing
    down = Change(external_id="x", at=AT + timedelta(minutes=1), reaction="👍", reaction_removed=True, author=ADA)
    assert [one.author.identity_id for one in changed(standing, down).reactions] == ["slack:U2"]
