"""What the kit's context does the inbox's own does too: a connector cannot tell which of the two it was given."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from postbox import feed_of, ingest, metrics

from connectors import Channel, Context, LeaseLostError, PermanentError
from connectors.supervisor import ChannelFailedError, Seat
from connectors.testing import MemoryContext
from inbox.attachments import Attachments
from inbox.context import ChannelContext
from inbox.events import Hub
from inbox.faces import Faces
from inbox.signals import Signals
from inbox.store import Store
from normalizer.outcomes import Raw

CHANNEL = Channel(id="post", public_url="http://127.0.0.1")
EVENT = Raw(key="k", body=b"[]", content_type="application/json", received_at=datetime(2026, 11, 23, 10, tzinfo=UTC))


@pytest.fixture(params=["in memory", "of the inbox"])
def context(request: pytest.FixtureRequest, store: Store) -> Context:
    """Each of the two."""
    if request.param == "in memory":
        return MemoryContext(CHANNEL)
    return ChannelContext(
        CHANNEL,
        Seat(),
        store=store,
        owner="me",
        ingest=ingest(store),
        feed=feed_of(store, Hub(store.events, metrics(), Signals(store)), CHANNEL.id),
        files=Attachments(store),
        faces=Faces(store, Attachments(store)),
        metrics=metrics(),
    )


async def pieces(*contents: bytes) -> AsyncIterator[bytes]:
    for content in contents:
        yield content


async def test_the_same_event_again_is_the_same_answer(context: Context) -> None:
    first = await context.receive(EVENT)
    again = await context.receive(EVENT)
    assert (first.duplicate, again.duplicate) == (False, True)
    assert (again.message_id, again.received_at) == (first.message_id, EVENT.received_at)


async def test_a_lease_keeps_a_cursor_for_the_next_holder_and_refuses_the_one_before(context: Context) -> None:
    async with context.lease("updates") as first:
        assert await first.load_cursor() is None
        await first.save_cursor(b"7")
    async with context.lease("updates") as second, context.lease("others") as other:
        assert second.token > first.token
        assert await second.load_cursor() == b"7"
        assert await other.load_cursor() is None
        with pytest.raises(LeaseLostError):
            await first.save_cursor(b"6")
        assert await second.load_cursor() == b"7"


async def test_an_upload_is_its_owners_and_no_larger_than_it_may_be(context: Context) -> None:
    kept = await context.files.save(pieces(b"hello", b" ada"), filename="a.png", owner="ada", limit=9)
    assert (kept.size, kept.content_type, kept.state) == (9, "text/plain", "ready")
    assert b"".join([piece async for piece in context.files.open(kept.id)]) == b"hello ada"
    found = await context.files.find(kept.id, owner="ada")
    assert found is not None
    assert found.id == kept.id
    assert await context.files.find(kept.id, owner="bob") is None
    with pytest.raises(PermanentError):
        await context.files.save(pieces(b"123456789"), filename="a", owner="ada", limit=8)
    with pytest.raises(LookupError):
        [piece async for piece in context.files.open("nothing")]


async def test_the_signing_key_is_found_by_its_name(context: Context) -> None:
    kid, key = await context.keys.current()
    assert len(key) == 32
    assert await context.keys.find(kid) == key
    assert await context.keys.find("another") is None
    assert (await context.keys.current())[0] == kid


async def test_who_has_no_picture_has_none(context: Context) -> None:
    assert await context.faces.find("nobody") is None
    assert await context.faces.open("nothing") is None


async def test_failing_stops_the_channel_for_good(context: Context) -> None:
    assert context.now().tzinfo is UTC
    context.ready()
    context.heard()
    with pytest.raises(ChannelFailedError, match="the token was revoked"):
        context.fail("the token was revoked")
