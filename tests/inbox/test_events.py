"""The event log: in the order of commit, without gap or repeat, for whoever joins whenever and wherever."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import random
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import postbox
import pytest
from harness import PATIENCE, eventually
from msgspec.structs import replace
from outbox_office import ADA, Office
from postbox import CHANNEL, feed_of, said
from pymongo.asynchronous.database import AsyncDatabase

from connectors.context import CursorExpiredError
from connectors.tasks import end
from inbox.events import SLOW_READER, Hub, SlowReaderError, from_cursor, to_cursor
from inbox.model import Customer, Event, new_id
from inbox.replies import NewReply
from inbox.signals import Signals
from inbox.store import Store, Unit, embedded
from normalizer.schema import Author, External, Message

Documents = AsyncDatabase[dict[str, Any]]
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
AUTHOR = Author(type="customer", name="Ada")


@contextlib.asynccontextmanager
async def running(store: Store) -> AsyncIterator[Hub]:
    hub = Hub(store.events, postbox.metrics(), Signals(store))
    task = asyncio.create_task(hub.run())
    try:
        yield hub
        assert not task.done(), "the hub ended"
    finally:
        await end(task)


async def tell(store: Store, *names: str) -> None:
    """Commits as many events as there are names, in one transaction."""

    async def change(unit: Unit) -> None:
        for name in names:
            unit.put(Customer(id=name, created_at=NOW, updated_at=NOW))

    await store.write(change)


async def take(events: AsyncIterator[Event], count: int) -> list[Event]:
    async with asyncio.timeout(PATIENCE):
        return [await anext(events) for _ in range(count)]


def ids(events: list[Event]) -> list[int]:
    return [event.id for event in events]


async def all_ids(documents: Documents) -> list[int]:
    return [one["_id"] async for one in documents["events"].find({}, {"_id": 1}).sort("_id", 1)]


async def test_followers_that_join_whenever_see_each_event_once_in_the_order_of_commit(
    mongod_url: str, store: Store, documents: Documents
) -> None:
    writers = [store, *[await Store.open(mongod_url) for _ in range(3)]]
    rounds, size = 12, 4
    total = len(writers) * rounds * size
    seen: list[tuple[int, list[int]]] = []

    async def write(number: int) -> None:
        for turn in range(rounds):
            await tell(writers[number], *[f"{number}-{turn}-{one}" for one in range(size)])

    async def follow(hub: Hub, position: int) -> None:
        got: list[int] = []
        async with aclosing(hub.follow(position)) as events:
            last = ""
            while last != "end":
                event = (await take(events, 1))[0]
                got.append(event.id)
                last = event.data["customer"]["id"]
        seen.append((position, got))

    async with running(store) as hub, running(writers[1]) as other_hub, asyncio.TaskGroup() as followers:
        followers.create_task(follow(hub, 0))
        async with asyncio.TaskGroup() as tasks:
            for number in range(len(writers)):
                tasks.create_task(write(number))
            for _ in range(12):
                await asyncio.sleep(random.uniform(0, 0.05))
                position = await store.events.newest()
                followers.create_task(follow(random.choice([hub, other_hub]), position))
        await tell(store, "end")
    everything = await all_ids(documents)
    assert len(everything) == total + 1
    assert len(seen) == 13
    for position, got in seen:
        assert got == [one for one in everything if one > position]
    for writer in writers[1:]:
        await writer.close()


async def say(store: Store, threads: Sequence[str]) -> None:
    """Commits a message in each of the threads, in one transaction."""

    async def change(unit: Unit) -> None:
        for thread in threads:
            external = External(thread_key=thread)
            unit.put(Message(id=new_id(), channel=CHANNEL, author=AUTHOR, text="hello", external=external))

    await store.write(change)


async def test_followers_of_a_thread_see_each_event_of_it_once_whoever_commits_it_and_whenever_they_join(
    mongod_url: str, store: Store, documents: Documents
) -> None:
    writers = [store, *[await Store.open(mongod_url) for _ in range(3)]]
    threads = [f"thread-{number}" for number in range(6)]
    seen: list[tuple[str, int, list[int]]] = []

    async def write(writer: Store) -> None:
        for _ in range(25):
            await say(writer, random.choices(threads, k=random.randrange(5)))

    async def follow(hub: Hub, thread: str, position: int) -> None:
        got: list[int] = []
        async with aclosing(hub.follow(position, thread=(CHANNEL, thread))) as events:
            async for event in events:
                got.append(event.id)
                if event.id > last:
                    break
        seen.append((thread, position, got))

    async with running(store) as hub, running(writers[1]) as other_hub, asyncio.TaskGroup() as followers:
        last = 1 << 62
        async with asyncio.TaskGroup() as tasks:
            for writer in writers:
                tasks.create_task(write(writer))
            for _ in range(24):
                await asyncio.sleep(random.uniform(0, 0.03))
                position = await store.events.newest()
                followers.create_task(follow(random.choice([hub, other_hub]), random.choice(threads), position))
        last = await store.events.newest()
        await say(writers[2], threads)
    ids_of = {
        thread: [
            one["_id"] async for one in documents["events"].find({"thread_key": thread}, {"_id": 1}).sort("_id", 1)
        ]
        for thread in threads
    }
    assert len(seen) == 24
    for thread, position, got in seen:
        assert got == [one for one in ids_of[thread] if one > position]
    for writer in writers[1:]:
        await writer.close()


async def test_what_a_process_of_an_earlier_version_commits_is_seen_by_all(
    mongod_url: str, store: Store, documents: Documents
) -> None:
    """It does not write down which threads a transaction is about."""
    async with running(store) as hub:
        stream = hub.follow(await store.events.newest(), thread=(CHANNEL, "ada"))
        reading = asyncio.create_task(take(stream, 1))
        other = await Store.open(mongod_url)
        await eventually(lambda: _reached([0] * hub.followers, 1))
        async with asyncio.timeout(PATIENCE):
            await say(other, ["bob"])
            event = await documents["events"].find_one_and_delete({"thread_key": "bob"})
            assert event is not None
            assert event.pop("threads") == [[CHANNEL, "bob"]]
            number = (event["_id"] >> 20) + 1
            event |= {"_id": number << 20, "thread_key": "ada"}
            await documents["events"].insert_one(event)
            await documents["counters"].update_one({"_id": "transactions"}, {"$set": {"number": number}})
            assert ids(await reading) == [number << 20]
        await stream.aclose()
        await other.close()


async def test_a_position_is_never_seen_before_one_that_is_lower(mongod_url: str, store: Store) -> None:
    """A reader that goes on from the newest it saw misses nothing, though four write at once."""
    writers = [await Store.open(mongod_url) for _ in range(4)]
    stop = asyncio.Event()
    read: list[int] = []

    async def poll() -> None:
        while not stop.is_set():
            read.extend(event.id for event in await store.events.after(read[-1] if read else 0, 7))

    async with asyncio.TaskGroup() as tasks:
        polling = tasks.create_task(poll())
        async with asyncio.TaskGroup() as writing:
            for number, writer in enumerate(writers):
                for turn in range(10):
                    writing.create_task(tell(writer, f"{number}-{turn}-a", f"{number}-{turn}-b"))
        await eventually(lambda: _reached(read, 80))
        stop.set()
        await polling
    assert len(read) == len(set(read)) == 80
    assert read == sorted(read)
    for writer in writers:
        await writer.close()


async def _reached(found: list[int], count: int) -> bool:
    return len(found) >= count


async def test_a_transaction_that_tells_nothing_hides_none_that_does(mongod_url: str, store: Store) -> None:
    """The hub is handed its own process's events, and must notice that another's came between."""
    other = await Store.open(mongod_url)
    entry = postbox.raw("k", {"is": "nothing"})

    async with running(store) as hub, aclosing(hub.follow(0)) as events:
        seen = []
        for turn in range(6):
            ingesting = postbox.ingest(other, f"other{turn}")
            await ingesting.receive(CHANNEL, replace(entry, key=f"k{turn}"))  # its transaction settles it, silently
            applying = asyncio.create_task(ingesting.run())
            await eventually(lambda turn=turn: _is_applied(other, turn))
            await end(applying)
            await tell(store, f"own{turn}")
            await tell(other, f"other{turn}")
            await tell(store, f"again{turn}")
            seen += [event.data["customer"]["id"] for event in await take(events, 3)]
    assert seen == [name for turn in range(6) for name in (f"own{turn}", f"other{turn}", f"again{turn}")]
    await other.close()


async def _is_applied(store: Store, turn: int) -> bool:
    entry = await store.journal.get(f"{CHANNEL}|k{turn}")
    return entry is not None and entry.state == "applied"


async def test_a_snapshot_is_what_was_committed_and_not_what_stands_now(store: Store) -> None:
    office_customer = Customer(id="c", name="before", created_at=NOW, updated_at=NOW)

    async def change(unit: Unit, name: str) -> None:
        await unit.one(Customer, "c")
        unit.put(Customer(id="c", name=name, created_at=NOW, updated_at=NOW))

    for name in ("before", "after"):
        await store.write(lambda unit, name=name: change(unit, name))  # type: ignore[misc]
    first, second = await store.events.after(0, 10)
    assert (first.type, first.data["customer"]["name"]) == ("customer.created", office_customer.name)
    assert (second.type, second.data["customer"]["name"]) == ("customer.updated", "after")


async def test_a_change_that_is_undone_tells_nothing(store: Store) -> None:
    async def change(unit: Unit) -> None:
        unit.put(Customer(id="c", created_at=NOW, updated_at=NOW))
        raise LookupError

    with pytest.raises(LookupError):
        await store.write(change)
    assert await store.events.newest() == 0


@pytest.mark.parametrize("position", [0, 1, 7 << 20, (1 << 62) + 5])
def test_a_cursor_comes_back_as_its_position(position: int) -> None:
    assert from_cursor(to_cursor(position)) == position


def encoded(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "!",
        "\ud800",
        "ü",
        "0" * 5000,
        encoded(b"2:5"),
        encoded(b"1:"),
        encoded(b"1:-5"),
        encoded(b"1:" + b"9" * 20),
        encoded("1:٣".encode()),
        encoded(b"1: 5"),
        encoded(b"1:5.0"),
        encoded(b"1:\0"),
    ],
)
async def test_a_forged_cursor_is_none_of_ours(cursor: str, store: Store) -> None:
    with pytest.raises(ValueError, match="no cursor of ours"):
        from_cursor(cursor)
    async with running(store) as hub:
        feed = feed_of(store, hub, CHANNEL)
        with pytest.raises(CursorExpiredError):
            await anext(aiter(feed.follow("t", cursor)))


async def test_a_cursor_that_cannot_be_honoured_is_told_so(store: Store, documents: Documents) -> None:
    for name in "abcd":
        await tell(store, name)
    a, b, _, d = await all_ids(documents)
    async with running(store) as hub:
        assert len(await hub.backlog(a, 10)) == 3
        await documents["events"].delete_many({"_id": {"$lte": b}})  # as time does
        for position in (a, d + 1, d + (5 << 20)):
            with pytest.raises(CursorExpiredError):
                await hub.backlog(position, 10)
            with pytest.raises(CursorExpiredError):
                await anext(hub.follow(position))
        assert await hub.backlog(d, 10) == []


async def test_events_are_kept_for_a_day_at_the_least_and_then_forgotten(store: Store, documents: Documents) -> None:
    indexes = await documents["events"].index_information()
    (kept,) = [index for index in indexes.values() if "expireAfterSeconds" in index]
    assert kept["key"] == [("at", 1)]
    assert kept["expireAfterSeconds"] >= timedelta(hours=24).total_seconds()


async def test_a_reader_that_is_too_slow_is_sent_away_and_others_are_not(store: Store) -> None:
    async with running(store) as hub:
        slow, quick = hub.follow(0), hub.follow(0)
        await tell(store, "first")
        assert len(ids(await take(slow, 1))) == len(ids(await take(quick, 1))) == 1
        reading = asyncio.create_task(take(quick, SLOW_READER + 50))
        for part in range(5):
            await tell(store, *[f"{part}-{one}" for one in range(SLOW_READER // 5 + 10)])
        assert len(await reading) == SLOW_READER + 50
        with pytest.raises(SlowReaderError):
            await take(slow, SLOW_READER + 50)
        await slow.aclose()
        await quick.aclose()


async def test_a_change_stream_that_is_lost_is_found_again(tmp_path: Path) -> None:
    database = await embedded.start(tmp_path)
    store = await Store.open(database.url)
    try:
        async with running(store) as hub, aclosing(hub.follow(0)) as events:
            await tell(store, "before")
            (first,) = await take(events, 1)
            os.kill(database.pid, signal.SIGKILL)

            async def told() -> bool:
                with contextlib.suppress(Exception):
                    await tell(store, "after")
                    return True
                return False

            await eventually(told)
            (second,) = await take(events, 1)
            assert second.data["customer"]["id"] == "after"
            assert second.id > first.id
    finally:
        await store.close()
        await database.stop()


class Visitor:
    """Reads one thread, as a web chat's recipient does."""

    def __init__(self, store: Store, hub: Hub) -> None:
        self.feed = feed_of(store, hub, CHANNEL)

    async def sees(self, thread: str = "ada") -> list[str]:
        return [message.text for message in (await self.feed.history(thread)).messages]


async def test_a_recipient_sees_its_own_thread_and_no_other_and_no_notes(store: Store, documents: Documents) -> None:
    office = Office(store, documents, postbox.PulledPostbox)
    adas, bobs = await office.conversation("ada", "ada"), await office.conversation("bob", "bob")
    async with running(store) as hub:
        visitor = Visitor(store, hub)
        page = await visitor.feed.history("ada")
        assert (page.conversation_id, await visitor.sees()) == (adas, ["hello"])
        stream = visitor.feed.follow("ada", page.cursor)
        got: list[tuple[Message, str]] = []
        reading = asyncio.create_task(_collect(stream, got))
        for text, fields in (
            ("a secret note", {"direction": "note"}),
            ("later", {"send_at": datetime.now(UTC) + timedelta(hours=1)}),
            ("now", {}),
        ):
            await office.replies.reply(ADA, adas, NewReply(text=text, **fields))  # type: ignore[arg-type]
        await office.reply(bobs, "for bob")
        await office.receive(said("one more", sender="ada", thread="ada"))
        await eventually(lambda: _reached([0] * len(got), 2))
        await asyncio.sleep(0.1)
        await end(reading)
        assert [message.text for message, _ in got] == ["now", "one more"]
        assert await visitor.sees() == ["hello", "now", "one more"]
        again = visitor.feed.follow("ada", got[0][1])
        assert (await anext(aiter(again)))[0].text == "one more"
    assert (
        await Visitor(store, Hub(store.events, postbox.metrics(), Signals(store))).feed.history("nobody")
    ).conversation_id is None


async def _collect(stream: AsyncIterator[tuple[Message, str]], into: list[tuple[Message, str]]) -> None:
    async for item in stream:
        into.append(item)  # noqa: PERF401 (what came before the end must be seen)


async def test_what_was_called_off_vanishes(store: Store, documents: Documents) -> None:
    office = Office(store, documents, postbox.PulledPostbox)
    conversation = await office.conversation("ada", "ada")
    async with running(store) as hub:
        visitor = Visitor(store, hub)
        id_ = await office.reply(conversation, "oh no")
        page = await visitor.feed.history("ada")
        await office.replies.cancel(id_)
        message, _ = await anext(aiter(visitor.feed.follow("ada", page.cursor)))
        assert message.delivery is not None
        assert (message.id, message.delivery.state) == (id_, "cancelled")
        assert await visitor.sees() == ["hello"]


async def test_an_edit_comes_as_the_same_message_changed(store: Store, documents: Documents) -> None:
    office = Office(store, documents, postbox.PulledPostbox)
    await office.receive(said("helo", sender="ada", thread="ada", id="x"))
    async with running(store) as hub:
        visitor = Visitor(store, hub)
        page = await visitor.feed.history("ada")
        await office.receive({"is": "change", "of": "x", "at": 1, "text": "hello"})
        message, _ = await anext(aiter(visitor.feed.follow("ada", page.cursor)))
    assert (message.id, message.text) == (page.messages[0].id, "hello")
