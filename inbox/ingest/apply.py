"""Applying journal entries: what their meaning changes in the inbox, inside one unit of work.

Doing it twice changes nothing: the unit fails as a whole where an entry is no longer new and ours, and the ids of
messages come from the journal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from inbox import identity, jobs, threading
from inbox.holding import hold
from inbox.identity import Recognised
from inbox.ingest.amending import Amending
from inbox.ingest.entries import Policy, Understood, in_turn, message_id
from inbox.joining import join
from inbox.model import (
    Conversation,
    Customer,
    Identity,
    Preview,
    ThreadKey,
    Unique,
    WaitingChanges,
    new_id,
    scoped,
)
from inbox.staff import Agent
from inbox.store import JournalEntry, Unit
from inbox.tallies import by_agent
from normalizer.outcomes import (
    Change,
    ConversationEvent,
    DeliveryUpdate,
    Draft,
    Ignored,
    Outcome,
    Person,
    Reachability,
)
from normalizer.schema import Author, Delivery, External, Message

AT_ONCE = 32  # entries between two looks at the rest of the world


async def apply(
    unit: Unit, batch: Sequence[Understood], policies: Mapping[str, Policy], owner: str, *, alone: bool
) -> Sequence[Understood]:
    """Applies a batch in one unit, but for entries before which others of their senders must be applied.

    `alone`: there is no other process, and `owner` has its entries in order.

    Returns:
        What was applied.

    Raises:
        NotOwnerError: from the unit's flush, where an entry is not `owner`'s to apply any more.
    """
    # What was left behind by another process may have been read after what came here later.
    batch = sorted(batch, key=lambda one: one.entry.message_id)
    batch = batch if alone else await in_turn(unit, batch)
    if not batch:
        return ()
    await _look_up(unit, batch, policies)
    written: set[str] = set()
    for place, understood in enumerate(batch, start=1):
        if place % AT_ONCE == 0:
            await asyncio.sleep(0)  # what waits for an acknowledgement must not wait for a whole batch
        for number, outcome in enumerate(understood.outcomes):
            applier = _Applier(unit, understood.entry, number, policies[understood.entry.channel], written)
            await applier.apply(outcome)
    if written:
        await hold(unit, written)
    unit.settle(owner, [understood.entry.id for understood in batch])
    return batch


async def _look_up(unit: Unit, batch: Sequence[Understood], policies: Mapping[str, Policy]) -> None:
    """Asks once for everything that the batch's messages will ask for one by one."""
    people: list[str] = []
    keys: list[str] = []
    uniques: list[str] = []
    externals: list[str] = []
    for understood in batch:
        channel = understood.entry.channel
        for outcome in map(as_draft, understood.outcomes):
            if isinstance(outcome, Draft):
                people += identity.ids_to_look_up(outcome.customer)
                people += identity.ids_to_look_up(outcome.author) if outcome.author else []
                keys += [scoped(channel, key) for key in outcome.keys]
                if policies[channel].edits and outcome.message.external.id:
                    externals.append(scoped(channel, outcome.message.external.id))
                uniques += [scoped(channel, outcome.unique)] if outcome.unique else []
    identities = await unit.get(Identity, people) if people else {}
    known = await unit.get(ThreadKey, keys) if keys else {}
    if uniques:
        await unit.get(Unique, uniques)
    if externals:
        await unit.get(WaitingChanges, externals)
    if identities:
        await unit.get(Customer, [one.customer_id for one in identities.values()])
    if known:
        await unit.get(Conversation, [one.conversation_id for one in known.values()])


def as_draft(outcome: Outcome) -> Outcome:
    """A conversation event as the message that shows it; anything else as it is."""
    if not isinstance(outcome, ConversationEvent):
        return outcome
    message = Message(
        kind="event",
        author=outcome.author,
        text=outcome.part.text,
        parts=(outcome.part,),
        external=External(thread_key=outcome.thread_key),
        sent_at=outcome.at,
    )
    keys = (outcome.thread_key, *(key for key in outcome.keys if key != outcome.thread_key))
    return Draft(message=message, customer=outcome.customer, keys=keys, reopens=False)


class _Applier:
    """One outcome of one entry. Conversations in which the customer wrote go into `written`."""

    def __init__(self, unit: Unit, entry: JournalEntry, number: int, policy: Policy, written: set[str]) -> None:
        self._unit = unit
        self._entry = entry
        self._number = number
        self._policy = policy
        self._written = written
        self._amending = Amending(unit, entry)

    async def apply(self, outcome: Outcome) -> None:
        match as_draft(outcome):
            case Draft() as draft:
                await self._draft(draft)
            case DeliveryUpdate() as update:
                await self._amending.delivery(update)
            case Change() as change:
                await self._amending.change(change)
            case Reachability() as told:
                await self._amending.reachability(told)
            case Ignored() | _:
                return

    async def _draft(self, draft: Draft) -> None:
        if draft.unique is not None:
            mark = scoped(self._entry.channel, draft.unique)
            if await self._unit.one(Unique, mark) is not None:
                return
            self._unit.put(Unique(id=mark, message_id=message_id(self._entry, self._number)))
        draft = await self._beside(draft)
        if await self._amending.album(draft, message_id(self._entry, self._number)):
            return
        placement = await self._placement(draft)
        agent = await self._agent(draft, placement.home)
        if placement.home is not None and (agent is not None or draft.message.author.type == "system"):
            # A bounce or a rating is told in the conversation that it is about; nobody new wrote it.
            home, writer = placement.home, None
            if draft.customer.kind != identity.EMAIL and draft.customer.email:
                await self._recognised(draft.customer)  # a visitor who says who they are
        else:
            await identity.let_go(self._unit, draft.author or draft.customer, placement.home or placement.previous)
            customer = await self._recognised(draft.customer)
            writer = await self._recognised(draft.author) if draft.author else customer
            home = placement.home or self._new_conversation(draft, customer.customer, placement.previous)
        conversation = await self._conversation(draft, home, placement.emptied)
        message = self._message(draft, conversation, writer)
        if agent is not None:
            message = _answered(message, agent)
        if draft.answers is not None and message.relations.reply_to is None:
            message = await self._answering(message, draft.answers)
        self._amending.fetch_later(message, message.attachments, draft.files)
        if self._policy.edits and message.external.id is not None:
            message = await self._amending.overtaken(message, message.external.id)
        self._unit.put(message)
        if _asks(message, draft):
            self._written.add(conversation.id)
        self._unit.put(_with(conversation, message, draft, self._unit))

    async def _agent(self, draft: Draft, home: Conversation | None) -> Agent | None:
        """Who of the company wrote it, from a program of their own, to the customer of `home`.

        Only who proves the address is believed: to write for the company is more than to be a customer.
        """
        person = draft.author or draft.customer
        if home is None or draft.message.author.type != "customer" or not (person.verified and person.email):
            return None
        identity_id = identity.identity_id(person.kind, person.value)
        known = await self._unit.one(Identity, identity_id)
        if known is not None and known.customer_id == home.customer_id:
            return None  # who works here may be a customer too
        return await self._unit.agent_called(person.email.lower())

    async def _recognised(self, person: Person) -> Recognised:
        if person.email and person.kind != identity.EMAIL:
            person = replace(person, email=self._policy.address(person.email))
        found = await identity.recognised(self._unit, person, wrote_by=self._entry.channel)
        if self._policy.profiles and found.is_new:
            self._unit.put(jobs.describe(self._entry.channel, found.identity, self._unit.now))
        return found

    async def _answering(self, message: Message, external_id: str) -> Message:
        """The message, naming the one that it answers where that is here."""
        answered = await self._unit.message_called(message.channel, external_id)
        if answered is None or answered.id == message.id:
            return message
        return replace(message, relations=replace(message.relations, reply_to=answered.id))

    async def _beside(self, draft: Draft) -> Draft:
        """The draft; where it follows what it answers, in the thread of that."""
        if not draft.follows:
            return draft
        answered = await self._unit.message_called(self._entry.channel, draft.answers or "")
        key = answered.external.thread_key if answered else None
        if key is None:
            return draft
        message = replace(draft.message, external=replace(draft.message.external, thread_key=key))
        return replace(draft, message=message, keys=(key,))

    async def _placement(self, draft: Draft) -> threading.Placement:
        keys = self._keys(draft)
        known = await self._unit.get(ThreadKey, keys)
        candidates = await self._unit.get(Conversation, [one.conversation_id for one in known.values()])
        by_key = [candidates.get(known[key].conversation_id) if key in known else None for key in keys]
        return threading.place(
            by_key[0] if by_key else None,
            [one for one in by_key[1:] if one is not None],
            reopen_within=self._policy.reopen_within,
            reopens=draft.reopens,
            silence=draft.silence,
            now=self._unit.now,
        )

    async def _conversation(self, draft: Draft, home: Conversation, emptied: Sequence[Conversation]) -> Conversation:
        """`home`, with what turns out to be its own, found from now on under the draft's keys."""
        for other in emptied:
            home = await join(self._unit, home, other)
        keys = self._keys(draft)
        known = await self._unit.get(ThreadKey, keys)
        for number, key in enumerate(keys):
            if key not in known or (number == 0 and known[key].conversation_id != home.id):
                self._unit.put(ThreadKey(id=key, conversation_id=home.id))
        return home

    def _keys(self, draft: Draft) -> list[str]:
        return [scoped(self._entry.channel, key) for key in draft.keys]

    def _new_conversation(self, draft: Draft, customer: Customer, previous: Conversation | None) -> Conversation:
        conversation = Conversation(
            id=new_id(),
            customer_id=customer.id,
            subject=draft.message.subject,
            previous_id=previous.id if previous else None,
            created_at=self._unit.now,
            updated_at=self._unit.now,
        )
        self._unit.put(conversation)
        return conversation

    def _message(self, draft: Draft, conversation: Conversation, writer: Recognised | None) -> Message:
        given = draft.message
        author = given.author
        if author.type == "customer" and writer is not None:
            name = author.name or writer.customer.name
            author = replace(author, id=writer.customer.id, name=name, identity_id=writer.identity.id)
        return replace(
            given,
            id=message_id(self._entry, self._number),
            conversation_id=conversation.id,
            customer_id=writer.customer.id if writer else conversation.customer_id,
            seq=conversation.last_seq + 1,
            channel=self._entry.channel,
            connector=self._entry.connector,
            author=author,
            external=replace(given.external, original_id=self._entry.id),
            received_at=self._entry.received_at,
            created_at=self._unit.now,
        )


def _answered(message: Message, agent: Agent) -> Message:
    """The message as an answer that has left by itself."""
    return replace(
        message,
        direction="outbound",
        author=Author(type="agent", id=agent.id, name=agent.name),
        delivery=Delivery(state="sent", sent_at=message.sent_at or message.received_at),
    )


def _by_customer(message: Message) -> bool:
    """Whether the customer's side said it."""
    return message.kind == "message" and message.author.type == "customer" and message.direction == "inbound"


def _asks(message: Message, draft: Draft) -> bool:
    """Whether it wants an answer: a bounce or a vacation note does not."""
    return draft.reopens and _by_customer(message)


def _with(conversation: Conversation, message: Message, draft: Draft, unit: Unit) -> Conversation:
    """The conversation after a message has joined it."""
    said = message.kind == "message"
    waits = _asks(message, draft)
    answers = message.direction == "outbound" and not message.flags.auto_submitted  # a greeting is no answer
    return replace(
        conversation,
        subject=conversation.subject or message.subject,
        status=threading.status_after(conversation.status, reopens=waits),
        snoozed_until=None if waits else conversation.snoozed_until,
        channels=tuple(dict.fromkeys((*conversation.channels, message.channel))),
        last_seq=message.seq,
        inbound=conversation.inbound + _by_customer(message),
        last_message=Preview.of(message, unit.now)
        if said or conversation.last_message is None
        else conversation.last_message,
        waiting_since=None if answers else conversation.waiting_since or (unit.now if waits else None),
        answered_at=conversation.answered_at or (unit.now if by_agent(message) else None),
        updated_at=unit.now,
    )
