"""What platforms are asked for after their events are stored: files and profiles, whoever dies meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import postbox
import pytest
from harness import eventually
from ingesting import Documents, applied
from postbox import ASKING, CHANNEL, POLICY, Platform, Postbox, intake, raw, said

from connectors.errors import PermanentError, TemporaryError
from connectors.tasks import end
from inbox.attachments import Attachments
from inbox.jobs import JobWorker
from inbox.staff import Principal
from inbox.store import Store
from normalizer.outcomes import Profile

CONTENT = b"first\nsecond\nthird"
PIXEL = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89"
    b"\0\0\0\rIDATx\x9cc\xf8\xff\xff?\0\x05\xfe\x02\xfe\xa75\x81\x84\0\0\0\0IEND\xaeB`\x82"
)


class Post:
    """A channel whose platform keeps its files to itself until they are asked for."""

    def __init__(self, store: Store, documents: Documents) -> None:
        self.store = store
        self.documents = documents
        self.platform = Platform()
        self.platform.files = {"a.txt": CONTENT, "b.txt": b"b"}
        self.events = 0
        self.policy = POLICY

    def worker(self, owner: str = "me", *, gone: bool = False) -> JobWorker:
        connectors = {} if gone else {CHANNEL: Postbox(self.platform)}
        return JobWorker(self.store, owner, connectors, Attachments(self.store))

    @contextlib.asynccontextmanager
    async def working(self, worker: JobWorker | None = None) -> AsyncIterator[None]:
        async with postbox.working(worker or self.worker()):
            yield

    async def receive(self, *items: dict[str, Any]) -> None:
        """Applies an event."""
        self.events += 1
        ingest = postbox.ingest(self.store, **{CHANNEL: intake(policy=self.policy)})
        await applied(self.store, self.documents, raw(f"k{self.events}", *items), ingest=ingest)

    async def attachments(self) -> list[dict[str, Any]]:
        message = await self.documents["messages"].find_one({})
        assert message is not None
        return list(message["attachments"])

    async def until(self, *states: str) -> list[dict[str, Any]]:
        async def there() -> list[dict[str, Any]] | None:
            found = await self.attachments()
            return found if tuple(one["state"] for one in found) == states else None

        found = await eventually(there)
        assert found is not None
        return found

    async def until_job(self, **fields: Any) -> dict[str, Any]:
        async def there() -> dict[str, Any] | None:
            found: dict[str, Any] | None = await self.documents["jobs"].find_one(fields)
            return found

        found = await eventually(there)
        assert found is not None
        return found

    async def hurry(self) -> None:
        """Lets the time pass that jobs wait for."""
        await self.documents["jobs"].update_many({}, {"$set": {"due_at": datetime.now(UTC)}})

    async def done(self) -> None:
        async def none_left() -> bool:
            return not await self.documents["jobs"].count_documents({})

        await eventually(none_left)

    async def content(self, attachment_id: str) -> bytes:
        return b"".join([piece async for piece in self.store.files.open(attachment_id)])


pytestmark = pytest.mark.usefixtures("by_hand")


@pytest.fixture
def post(store: Store, documents: Documents) -> Post:
    return Post(store, documents)


@pytest.fixture
def asking(post: Post) -> Post:
    """One whose platform can tell of people."""
    post.policy = ASKING
    return post


async def test_a_message_shows_at_once_and_its_files_when_they_are_fetched(post: Post) -> None:
    post.platform.door.clear()
    async with post.working():
        await post.receive(said(files=["a.txt", "b.txt"]))
        assert [one["state"] for one in await post.attachments()] == ["pending", "pending"]
        post.platform.door.set()
        first, second = await post.until("ready", "ready")
    assert (first["size"], first["sha256"]) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    assert await post.content(first["id"]) == CONTENT
    assert await post.content(second["id"]) == b"b"
    events = [one async for one in post.documents["events"].find({"message_id": {"$ne": None}}).sort("_id", 1)]
    assert [one["type"] for one in events][:2] == ["message.created", "message.updated"]
    assert events[-1]["data"]["message"]["attachments"][0]["state"] == "ready"


async def test_a_platforms_link_is_shown_nowhere(post: Post) -> None:
    await post.receive(said(files=["a.txt"]))
    for collection in ("messages", "events"):
        assert "ref" not in str([one async for one in post.documents[collection].find({})])


async def test_temporary_trouble_is_tried_again_as_the_platform_asked(post: Post) -> None:
    post.platform.trouble = [TemporaryError("busy", retry_after=3600)]
    async with post.working():
        await post.receive(said(files=["a.txt"]))
        job = await post.until_job(state="queued", attempts=1)
        assert (job["due_at"] - datetime.now(UTC)).total_seconds() > 3000
        await post.hurry()
        await post.until("ready")


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (PermanentError("gone"), "expired"),
        (PermanentError("over 20 MB", code="too_large"), "too_large"),
        (PermanentError("a virus", code="blocked"), "blocked"),
        (PermanentError("404", code="not_found"), "expired"),
    ],
)
async def test_what_cannot_be_had_says_why(post: Post, error: PermanentError, state: str) -> None:
    post.platform.trouble = [error]
    async with post.working():
        await post.receive(said(files=["a.txt"]))
        await post.until(state)
        await post.done()


async def test_a_file_beyond_the_limit_is_too_large_and_not_kept(post: Post) -> None:
    post.platform.files["a.txt"] = b"x\n" * (1 << 20)
    async with post.working():
        await post.receive(said(files=["a.txt"]))
        (found,) = await post.until("too_large")
    with pytest.raises(LookupError):
        await post.content(found["id"])
    assert not await post.documents["files.chunks"].count_documents({})


async def test_what_a_dead_process_began_is_done_by_another(post: Post) -> None:
    post.platform.door.clear()
    await post.receive(said(files=["a.txt"]))
    dying = post.worker("dying")
    task = asyncio.create_task(dying.run())
    await post.until_job(state="claimed", owner="dying")
    heir = post.worker("heir")
    await heir.recover(["heir"])
    async with post.working(heir):
        await post.until_job(state="claimed", owner="heir")
        post.platform.door.set()
        (found,) = await post.until("ready")
        await post.done()
    await end(task)
    await dying.drain(5)  # it was only thought dead, and its answer comes late
    assert post.platform.asked == ["a.txt", "a.txt"]
    assert await post.content(found["id"]) == CONTENT
    assert [one["state"] for one in await post.attachments()] == ["ready"]


async def test_an_edit_brings_its_own_files_and_the_old_ones_disturb_nothing(post: Post) -> None:
    await post.receive(said(id="m", files=["a.txt"]))
    await post.receive({"is": "change", "of": "m", "at": 5, "text": "edited", "files": ["b.txt"]})
    async with post.working():
        await post.done()
        (found,) = await post.until("ready")
    assert found["filename"] == "b.txt"
    assert await post.content(found["id"]) == b"b"


async def test_an_edit_that_came_before_its_message_has_its_files_fetched(post: Post) -> None:
    await post.receive({"is": "change", "of": "m", "at": 5, "text": "edited", "files": ["b.txt"]})
    await post.receive(said(id="m", files=["a.txt"]))
    async with post.working():
        await post.done()
        (found,) = await post.until("ready")
    assert found["filename"] == "b.txt"


async def test_a_channel_that_is_gone_is_waited_for(post: Post) -> None:
    await post.receive(said(files=["a.txt"]))
    async with post.working(post.worker(gone=True)):
        await post.until_job(state="queued", attempts=1)
    assert [one["state"] for one in await post.attachments()] == ["pending"]


async def test_who_is_new_is_asked_about_once(asking: Post, documents: Documents) -> None:
    asking.platform.people = {"ada": Profile(name="Ada Byron", avatar=PIXEL, email="Ada@Example.com", verified=True)}
    await asking.receive(said(id="one"), said(id="two"))
    await asking.receive(said(id="three"))
    async with asking.working():
        await asking.done()
    assert asking.platform.asked == ["ada"]
    customer = await documents["customers"].find_one({})
    assert customer is not None
    assert customer["name"] == "Ada Byron"
    picture = await Attachments(asking.store).get(
        customer["avatar"].rpartition("/")[2], Principal(id="a", name="a", role="agent")
    )
    assert picture is not None
    assert (picture.content_type, await asking.content(picture.id)) == ("image/png", PIXEL)
    address = await documents["identities"].find_one({"_id": "email:ada@example.com"})
    assert address is not None
    assert (address["customer_id"], address["verified"]) == (customer["_id"], True)


async def test_an_address_that_is_somebodys_already_stays_theirs(asking: Post, documents: Documents) -> None:
    asking.platform.people = {
        "ada": Profile(email="shared@example.com"),
        "bob": Profile(email="shared@example.com", verified=True),
    }
    async with asking.working():
        await asking.receive(said(sender="ada"))
        await asking.done()
        await asking.receive(said(sender="bob"))
        await asking.done()
    owner = await documents["identities"].find_one({"_id": "post:ada"})
    address = await documents["identities"].find_one({"_id": "email:shared@example.com"})
    assert owner is not None
    assert address is not None
    assert (address["customer_id"], address["verified"]) == (owner["customer_id"], False)


async def test_a_connector_that_raises_is_asked_again(asking: Post) -> None:
    asking.platform.trouble = [ZeroDivisionError("a plugin's mistake")]
    asking.platform.people = {"ada": Profile(name="Ada")}
    async with asking.working():
        await asking.receive(said())
        await asking.until_job(state="queued", attempts=1)
        await asking.hurry()
        await asking.done()
    assert asking.platform.asked == ["ada", "ada"]
