"""Ingest: edits, deletions and reactions, before or after what they change."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import postbox
import pytest
from ingesting import Documents, applied, everything, failed, messages, settled
from postbox import CHANNEL, raw, running, said

from inbox.store import Store
from normalizer.schema import Message


def change(of: str = "x", **fields: Any) -> dict[str, Any]:
    return {"is": "change", "of": of, **fields}


Arrange = Callable[..., Awaitable[Message]]


@pytest.fixture
def arrange(store: Store, documents: Documents) -> Arrange:
    """Applies events (in one batch, or one by one) and gives the only message."""

    async def arranged(*items: dict[str, Any], at_once: bool) -> Message:
        ingest = postbox.ingest(store)
        async with contextlib.AsyncExitStack() as stack:
            if not at_once:
                await stack.enter_async_context(running(ingest))
            for number, item in enumerate(items):
                await ingest.receive(CHANNEL, raw(f"k{number}", item))
                if not at_once:
                    await settled(documents)
            if at_once:
                await stack.enter_async_context(running(ingest))
                await settled(documents)
        assert await failed(store) == []
        (message,) = await messages(documents, kind="message")
        found = await store.queries.message(message["_id"])
        assert found is not None
        assert await documents["waiting_changes"].count_documents({}) == 0
        return found

    return arranged


FIRST, EDIT1, EDIT2 = said("t0", id="x"), change(at=1, text="t1"), change(at=2, text="t2")


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(
    "items",
    [(FIRST, EDIT1, EDIT2), (FIRST, EDIT2, EDIT1), (EDIT1, FIRST, EDIT2), (EDIT2, EDIT1, FIRST)],
    ids=["in order", "edits swapped", "one before", "both before"],
)
async def test_edits_in_any_order_end_alike(
    *, items: tuple[dict[str, Any], ...], at_once: bool, arrange: Arrange
) -> None:
    message = await arrange(*items, at_once=at_once)
    assert message.text == "t2"
    assert [one.text for one in message.revisions] == ["t0", "t1"]


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("early", [True, False])
async def test_deletions_and_reactions_find_their_message(*, early: bool, at_once: bool, arrange: Arrange) -> None:
    changes = [change(at=1, reaction="👍"), change(at=2, deleted=True)]
    message = await arrange(*(changes if early else ()), FIRST, *(() if early else changes), at_once=at_once)
    assert message.text == "t0"
    assert message.deleted_at == postbox.AT + timedelta(minutes=2)
    assert [one.emoji for one in message.reactions] == ["👍"]


async def test_the_inbox_shows_what_the_last_message_says_now(arrange: Arrange, documents: Documents) -> None:
    await arrange(FIRST, EDIT1, at_once=False)
    (conversation,) = (await everything(documents))["conversations"]
    assert conversation["last_message"]["text"] == "t1"
    assert conversation["inbound"] == 1


async def test_an_edit_never_reopens(store: Store, documents: Documents) -> None:
    await applied(store, documents, raw("k", FIRST))
    await documents["conversations"].update_many({}, {"$set": {"status": "resolved"}})
    await applied(store, documents, raw("e", EDIT1), raw("r", change(at=2, reaction="👍")))
    (conversation,) = (await everything(documents))["conversations"]
    assert conversation["status"] == "resolved"
