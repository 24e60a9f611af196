"""Ingest: which conversation a message is in, and what that becomes by it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from ingesting import Documents, applied, everything, messages
from postbox import raw, said

from inbox.store import Store


async def test_an_event_stands_in_the_conversation_and_neither_reopens_nor_counts(
    store: Store, documents: Documents
) -> None:
    await applied(store, documents, raw("k", said(thread="t")))
    await documents["conversations"].update_many({}, {"$set": {"status": "resolved"}})
    await applied(store, documents, raw("e", {"is": "event", "thread": "t", "from": "ada"}))
    _, event = await messages(documents)
    assert (event["kind"], event["author"]["type"], event["text"], event["seq"]) == ("event", "system", "Rated 5", 2)
    (conversation,) = (await everything(documents))["conversations"]
    assert (conversation["status"], conversation["inbound"]) == ("resolved", 1)
    assert conversation["last_message"]["text"] == "hello"


@pytest.mark.parametrize(
    ("status", "reopens", "after"),
    [
        ("resolved", True, "open"),
        ("resolved", False, "resolved"),
        ("snoozed", True, "open"),
        ("pending", True, "pending"),
    ],
)
async def test_what_comes_changes_the_status_by_the_rules(
    *, status: str, reopens: bool, after: str, store: Store, documents: Documents
) -> None:
    await applied(store, documents, raw("k", said(thread="t")))
    await documents["conversations"].update_many({}, {"$set": {"status": status}})
    await applied(store, documents, raw("k2", said(thread="t", reopens=reopens)))
    (conversation,) = (await everything(documents))["conversations"]
    assert (conversation["status"], conversation["last_seq"]) == (after, 2)


async def test_a_customer_who_comes_back_late_begins_anew_and_the_new_one_names_the_old(
    store: Store, documents: Documents
) -> None:
    await applied(store, documents, raw("k", said("then", thread="t")))
    long_ago = datetime.now(UTC) - timedelta(days=30)
    await documents["conversations"].update_many({}, {"$set": {"status": "resolved", "last_message.at": long_ago}})
    await applied(store, documents, raw("k2", said("now", thread="t")), raw("k3", said("and now", thread="t")))
    old, new = (await everything(documents))["conversations"]
    assert (new["previous_id"], new["last_seq"], new["status"]) == (old["_id"], 2, "open")
    assert (old["status"], old["last_seq"]) == ("resolved", 1)


async def test_a_late_parent_joins_two_conversations_and_no_seq_is_used_twice(
    store: Store, documents: Documents
) -> None:
    await applied(
        store,
        documents,
        raw("k1", said("first", id="m1")),
        raw("k3", said("third", id="m3", refers=["m2"])),
        raw("k4", said("fourth", id="m4", refers=["m3"])),
    )
    events_before = await store.events.newest()
    await applied(store, documents, raw("k2", said("second", id="m2", refers=["m1"])))
    home, emptied = (await everything(documents))["conversations"]
    assert emptied["merged_into"] == home["_id"]
    assert (emptied["last_seq"], emptied["status"]) == (0, "resolved")
    found = await messages(documents)
    assert [(one["conversation_id"], one["seq"], one["text"]) for one in found] == [
        (home["_id"], seq, text) for seq, text in enumerate(["first", "third", "fourth", "second"], start=1)
    ]
    assert (home["last_seq"], home["inbound"]) == (4, 4)
    told = [event.type for event in await store.events.after(events_before, 100)]
    assert "conversation.merged" in told
    await applied(store, documents, raw("k5", said("fifth", id="m5", refers=["m4"])))
    assert [one["seq"] for one in await messages(documents)] == [1, 2, 3, 4, 5]


async def test_three_people_who_answer_each_other_are_one_conversation_of_the_first(
    store: Store, documents: Documents
) -> None:
    await applied(
        store,
        documents,
        raw("k1", said("a", sender="ada", id="m1")),
        raw("k2", said("b", sender="bob", id="m2", refers=["m1"])),
        raw("k3", said("c", sender="eve", id="m3", refers=["m1", "m2"])),
    )
    (conversation,) = (await everything(documents))["conversations"]
    found = await messages(documents)
    assert len({one["customer_id"] for one in found}) == 3
    assert found[0]["customer_id"] == conversation["customer_id"]


async def test_no_reference_moves_anothers_messages(store: Store, documents: Documents) -> None:
    await applied(
        store,
        documents,
        raw("k1", said("mine", sender="mallory", id="m1")),
        raw("k2", said("secret", sender="ada", id="a1")),
        raw("k3", said("give", sender="mallory", id="m2", refers=["a1", "m1"])),
    )
    conversations = (await everything(documents))["conversations"]
    assert [one["merged_into"] for one in conversations] == [None, None]
    by_text = {one["text"]: one["conversation_id"] for one in await messages(documents)}
    assert by_text["secret"] != by_text["mine"] == by_text["give"]


async def test_what_needs_no_place_takes_none(store: Store, documents: Documents) -> None:
    await applied(
        store, documents, raw("k", {"is": "nothing"}), raw("k2", {"is": "report", "state": "read"}), raw("k3")
    )
    assert await messages(documents) == []
    assert await documents["journal"].count_documents({"state": "applied"}) == 3
