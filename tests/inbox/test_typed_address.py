"""A mail address that a visitor only typed, or for which a website vouches: whose it is, whatever comes by mail."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from harness import eventually
from postbox import metrics
from pymongo.asynchronous.database import AsyncDatabase

from config import ChannelConfig, Config
from connectors.registry import Registry
from connectors.tasks import end
from inbox.channels import Channels, build
from inbox.ingest import Ingest, Intake, Reading
from inbox.store import Store
from normalizer.outcomes import ConversationEvent, Draft, Outcome, Person, Raw
from normalizer.schema import Author, External, Message, Part

Documents = AsyncDatabase[dict[str, Any]]
VICTIM = "ada@example.org"


def normalize(raw: Raw) -> Sequence[Outcome]:
    """What a visitor says (`chat`, with the address that they name) or writes by mail (`mail`, from the address)."""
    said = json.loads(raw.body)
    if said["is"] == "mail":
        message = Message(author=Author(type="customer"), external=External(id=said["id"]), text=said["id"])
        address = said["from"]
        person = Person(kind="email", value=address, email=address, verified=said.get("proved", False))
        return [Draft(message=message, customer=person, keys=(said["id"], *said.get("refers", ())))]
    person = Person(kind="visitor", value=said["from"], email=said.get("email"), verified=said.get("proved", False))
    if said["is"] == "event":
        part = Part(type="identified", text="Signed in")
        return [ConversationEvent(thread_key=said["from"], part=part, customer=person, at=raw.received_at)]
    message = Message(author=Author(type="customer"), external=External(thread_key=said["from"]), text="hello")
    return [Draft(message=message, customer=person, keys=(said["from"],))]


class World:
    """A web chat and a mail channel whose events say plainly what they mean."""

    def __init__(self, store: Store, channels: Channels, documents: Documents) -> None:
        self.documents = documents
        intakes = {
            channel: Intake(connector=channel, normalize=normalize, policy=policy)
            for channel, policy in channels.policies.items()
        }
        self._reading = Reading(functools.partial(dict, dict.fromkeys(intakes, normalize)))
        self.ingest = Ingest(store, "me", intakes, self._reading, metrics(), alone=True)
        self._number = 0

    async def happens(self, *events: dict[str, Any]) -> None:
        """These, all at once: they may be one batch."""
        await asyncio.gather(*map(self._receive, events))

        async def done() -> bool:
            return not await self.documents["journal"].count_documents({"state": {"$ne": "applied"}})

        await eventually(done)

    async def _receive(self, event: dict[str, Any]) -> None:
        self._number += 1
        channel = "mail" if event["is"] == "mail" else "site"
        body, now = json.dumps(event).encode(), datetime.now(UTC)
        await self.ingest.receive(
            channel, Raw(key=str(self._number), body=body, content_type="application/json", received_at=now)
        )

    async def identity(self, id_: str) -> dict[str, Any]:
        found = await self.documents["identities"].find_one({"_id": id_})
        assert found is not None, id_
        return found

    async def owner(self, id_: str) -> str:
        return str((await self.identity(id_))["customer_id"])

    async def root(self, id_: str) -> str:
        """As whom the customer of an identity is known."""
        customer = await self.documents["customers"].find_one({"_id": await self.owner(id_)})
        assert customer is not None
        return str(customer["merged_into"] or customer["_id"])

    async def told_of(self, id_: str) -> int:
        """How often agents heard that the customer of an identity has changed."""
        told = {"type": "customer.updated", "data.customer.id": await self.owner(id_)}
        return await self.documents["events"].count_documents(told)

    async def conversation(self, text: str) -> str:
        found = await self.documents["messages"].find_one({"text": text})
        assert found is not None
        return str(found["conversation_id"])


@pytest.fixture
async def world(store: Store, documents: Documents) -> AsyncIterator[World]:
    mail = ChannelConfig.model_validate({"id": "mail", "connector": "email", "address": "support@example.com"})
    site = ChannelConfig.model_validate({"id": "site", "connector": "webchat"})
    made = World(store, build(Config(channels=(mail, site)), Registry()), documents)
    task = asyncio.create_task(made.ingest.run())
    with contextlib.suppress(asyncio.CancelledError):
        yield made
    assert not task.done()
    await end(task)


def typed(address: str, visitor: str = "v1") -> dict[str, Any]:
    return {"is": "chat", "from": visitor, "email": address}


def vouched(address: str, visitor: str = "v1") -> dict[str, Any]:
    return {"is": "event", "from": visitor, "email": address, "proved": True}


def mail(id_: str, *refers: str, **more: Any) -> dict[str, Any]:
    return {"is": "mail", "from": VICTIM, "id": id_, "refers": refers} | more


async def test_what_is_typed_is_an_address_of_the_visitor_that_nobody_has_proved(world: World) -> None:
    await world.happens(typed("Ada@Example.org"), typed(VICTIM))

    found = await world.identity(f"email:{VICTIM}")
    assert (found["customer_id"], found["verified"]) == (await world.owner("visitor:v1"), False)


async def test_agents_hear_of_an_address_that_is_typed_later(world: World) -> None:
    await world.happens({"is": "chat", "from": "v1"})
    assert not await world.told_of("visitor:v1")
    await world.happens(typed(VICTIM))
    assert await world.told_of("visitor:v1")
    assert await world.owner(f"email:{VICTIM}") == await world.owner("visitor:v1")


@pytest.mark.parametrize("address", ["nonsense", "support@example.com", "Support+x@example.com", "a b@example.com"])
async def test_what_is_no_address_or_ours_is_nobody_s(world: World, address: str) -> None:
    await world.happens(typed(address))

    assert [one["_id"] async for one in world.documents["identities"].find()] == ["visitor:v1"]


async def test_what_is_somebody_s_already_is_neither_joined_nor_taken(world: World) -> None:
    await world.happens(mail("m1", proved=True))
    owner = await world.owner(f"email:{VICTIM}")
    await world.happens(typed(VICTIM))
    await world.happens(typed(VICTIM, "v2"))

    assert await world.owner(f"email:{VICTIM}") == owner
    assert len({owner, await world.owner("visitor:v1"), await world.owner("visitor:v2")}) == 3


@pytest.mark.parametrize("proved", [True, False])
async def test_who_writes_from_a_typed_address_is_not_captured(world: World, *, proved: bool) -> None:
    await world.happens(typed(VICTIM))
    await world.happens(mail("m1", proved=proved))

    found = await world.identity(f"email:{VICTIM}")
    assert found["customer_id"] != await world.owner("visitor:v1")
    assert found["verified"] is proved
    assert await world.conversation("m1") != await world.conversation("hello")
    assert await world.told_of("visitor:v1")  # who has lost an address
    # It is theirs for good.
    await world.happens(typed(VICTIM), mail("m2", "m1"))
    assert await world.owner(f"email:{VICTIM}") == found["customer_id"]


async def test_who_answers_what_was_written_to_the_visitor_reads_that_mailbox(world: World) -> None:
    await world.happens(typed(VICTIM))
    home = await world.conversation("hello")
    await world.documents["thread_keys"].insert_one({"_id": "mail|ours@example.com", "conversation_id": home})
    await world.happens(mail("m1", "ours@example.com"))

    assert await world.owner(f"email:{VICTIM}") == await world.owner("visitor:v1")
    assert not (await world.identity(f"email:{VICTIM}"))["verified"]
    assert await world.conversation("m1") == home
    # From now on also what answers nothing is theirs, and what the mail channel proves is proved.
    await world.happens(mail("m2", proved=True))
    found = await world.identity(f"email:{VICTIM}")
    assert (found["customer_id"], found["verified"]) == (await world.owner("visitor:v1"), True)


async def test_who_answers_in_another_s_conversation_is_not_the_visitor(world: World) -> None:
    await world.happens(mail("m1", **{"from": "bob@example.org"}), typed(VICTIM))
    await world.happens(mail("m2", "m1"))

    owners = {await world.owner(one) for one in ("visitor:v1", f"email:{VICTIM}", "email:bob@example.org")}
    assert len(owners) == 3


async def test_a_burst_from_a_typed_address_makes_one_customer(world: World) -> None:
    await world.happens(typed(VICTIM), *(mail(f"m{number}", "m0") for number in range(5)))

    assert await world.documents["customers"].count_documents({}) == 2


async def test_who_is_vouched_for_takes_what_another_only_typed(world: World) -> None:
    await world.happens(typed(VICTIM))
    await world.happens(vouched(VICTIM, "v2"))

    found = await world.identity(f"email:{VICTIM}")
    assert (found["customer_id"], found["verified"]) == (await world.owner("visitor:v2"), True)


async def test_who_is_vouched_for_has_a_mail_address_by_that(world: World) -> None:
    await world.happens(typed(VICTIM))
    await world.happens(vouched(VICTIM))

    found = await world.identity(f"email:{VICTIM}")
    assert (found["customer_id"], found["verified"]) == (await world.owner("visitor:v1"), True)
    assert await world.documents["customers"].count_documents({}) == 1


async def test_who_is_vouched_for_after_writing_is_the_customer_known_by_mail(world: World) -> None:
    await world.happens(mail("m1", proved=True), {"is": "chat", "from": "v1"})
    await world.happens(vouched(VICTIM))
    await world.happens(vouched(VICTIM))

    assert await world.root("visitor:v1") == await world.owner(f"email:{VICTIM}")
    known_as = await world.documents["customers"].find_one({"_id": await world.owner(f"email:{VICTIM}")})
    assert known_as is not None
    assert known_as["merged"] == [await world.owner("visitor:v1")]
    # One browser is one person: who is vouched for there later does not join two.
    await world.happens(mail("m2", proved=True, **{"from": "bob@example.org"}))
    await world.happens(vouched("bob@example.org"))
    assert await world.root("email:bob@example.org") != await world.root("visitor:v1")


async def test_a_mail_that_nobody_proved_joins_nobody_who_is_vouched_for(world: World) -> None:
    await world.happens(mail("m1"), {"is": "chat", "from": "v1"})
    await world.happens(vouched(VICTIM))

    assert await world.root("visitor:v1") != await world.root(f"email:{VICTIM}")
    assert not (await world.identity(f"email:{VICTIM}"))["verified"]
