"""Whom a reply goes to, by which channel, and whether that channel can carry it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from connectors.base import Connector
from inbox import delivery, identity
from inbox.errors import NotFoundError, RefusedError
from inbox.model import Conversation, Customer, Identity, OutboxItem
from inbox.store import Unit
from normalizer.outcomes import Person
from normalizer.schema import Attachment, Message

MAX_COPIED = 50


class Addressee(Struct, frozen=True, kw_only=True):
    """Whom a reply goes to, by which channel, and who has it in copy where its writer does not say otherwise."""

    channel: str
    connector: Connector[Any]
    identity: Identity
    thread_key: str | None = None
    copied: tuple[str, ...] = ()


class Way(Struct, frozen=True, kw_only=True):
    """A channel, and the identity that it reaches; or why it reaches none, or not that one any more."""

    channel: str
    identity: Identity | None = None
    refusal: RefusedError | None = None


class Addressing:
    """Finds addressees. `connectors` are those of the configuration, by channel."""

    def __init__(self, connectors: Mapping[str, Connector[Any]]) -> None:
        self.connectors = connectors

    def connector(self, channel: str) -> Connector[Any]:
        """The connector of a channel.

        Raises:
            RefusedError: the channel is not configured.
        """
        connector = self.connectors.get(channel)
        if connector is None:
            raise RefusedError("channel-gone", f'channel "{channel}" is not in the configuration')
        return connector

    def pulls(self, channel: str) -> bool:
        """Whether recipients on a channel fetch what is for them."""
        connector = self.connectors.get(channel)
        return connector is not None and connector.capabilities.pull

    def canonical(self, kind: str, value: str) -> str | None:
        """The form in which an identity of that kind is kept, or None where the value can be none."""
        for connector in self.connectors.values():
            if connector.identity_kind == kind:
                return connector.canonical(value)
        return Connector.canonical(value)

    def ways(self, identities: Sequence[Identity]) -> list[Way]:
        """By which channels somebody with these identities can be written to, and why not by the others."""
        found: list[Way] = []
        for channel, connector in self.connectors.items():
            reachable = [one for one in identities if one.kind == connector.identity_kind]
            found += [
                Way(channel=channel, identity=one, refusal=_shut_out(one, channel)) for one in reversed(reachable)
            ]
            if not reachable:
                found.append(Way(channel=channel, refusal=_unreachable(channel)))
        return found

    def copied(self, message: Message, reached: Identity) -> tuple[str, ...]:
        """Who has an answer to a customer's message in copy, where its writer does not say otherwise.

        None of our own addresses on any channel; and nobody whom a forged mail names.
        """
        connector = self.connectors.get(message.channel)
        verdicts = message.flags.authenticated
        forged = verdicts is not None and verdicts.dmarc == "fail"
        if connector is None or not connector.capabilities.recipients or forged:
            return ()
        ours = [one for one in self.connectors.values() if one.identity_kind == connector.identity_kind]
        found = dict.fromkeys(filter(None, map(connector.canonical, connector.others(message))))
        others = [one for one in found if one != reached.value and not any(our.owns(one) for our in ours)]
        return tuple(others[:MAX_COPIED])

    async def answering(self, unit: Unit, conversation: Conversation, channel: str | None) -> Addressee:
        """Whom an answer in a conversation goes to: its customer, by the channel of their last message.

        Another person who joined the conversation does not change that.

        Raises:
            RefusedError: there is no such channel, or no address of the customer on it.
        """
        family = [one.id for one in await unit.family_of(conversation.customer_id)]
        last = await unit.last_of(conversation.id, family, channel)
        if last is not None and last.author.identity_id is not None:
            found = await unit.one(Identity, last.author.identity_id)
            if found is not None:
                _check_reaches(found, last.channel)
                return Addressee(
                    channel=last.channel,
                    connector=self.connector(last.channel),
                    identity=found,
                    thread_key=last.external.thread_key,
                    copied=self.copied(last, found),
                )
        channel = channel or next(iter(conversation.channels), None)
        if channel is None:
            raise RefusedError("no-identity", "the customer has not written on any channel yet; name one")
        addressee = await self._of_customer(unit, conversation.customer_id, channel)
        # Who write are others, of a group or a thread, whose conversation it is. The answer goes where they were last.
        spoken = await unit.last_of(conversation.id, None, channel)
        thread_key = spoken.external.thread_key if spoken else None
        return replace(addressee, thread_key=thread_key or addressee.thread_key)

    async def beginning(self, unit: Unit, channel: str, customer_id: str | None, person: Person | None) -> Addressee:
        """Whom a conversation that the company begins goes to: a known customer, else a person who may become one.

        Raises:
            NotFoundError: no such customer.
            RefusedError: the channel cannot reach them.
        """
        if person is not None:
            return await self._of_person(unit, channel, person)
        if customer_id is None or await unit.one(Customer, customer_id) is None:
            raise NotFoundError(f"no customer {customer_id}")
        return await self._of_customer(unit, customer_id, channel)

    async def proved(self, unit: Unit, customer_id: str, channel: str) -> Addressee | None:
        """A customer by a channel, at the newest address there that was proved; None where there is none."""
        connector = self.connectors.get(channel)
        if connector is None:
            return None
        found = [
            one
            for one in await _reachable(unit, customer_id, connector)
            if one.verified and channel not in one.unreachable and not connector.owns(one.value)
        ]
        newest = max(found, key=lambda one: one.created_at, default=None)
        return _addressee(channel, connector, newest) if newest else None

    async def _of_customer(self, unit: Unit, customer_id: str, channel: str) -> Addressee:
        connector = self.connector(channel)
        reachable = await _reachable(unit, customer_id, connector)
        if not reachable:
            raise _unreachable(channel)
        newest = max(reachable, key=lambda one: (channel not in one.unreachable, one.created_at))
        return _addressee(channel, connector, newest)

    async def _of_person(self, unit: Unit, channel: str, person: Person) -> Addressee:
        connector = self.connector(channel)
        if person.kind != connector.identity_kind:
            reached = connector.identity_kind
            raise RefusedError("no-identity", f'channel "{channel}" reaches identities of kind "{reached}"')
        value = connector.canonical(person.value)
        if value is None:
            raise RefusedError("bad-address", f'"{person.value}" is no address of channel "{channel}"')
        name = " ".join(person.name.split()) if person.name else None
        found = await identity.recognised(unit, replace(person, value=value, name=name))
        return _addressee(channel, connector, found.identity)


async def _reachable(unit: Unit, customer_id: str, connector: Connector[Any]) -> list[Identity]:
    """What a customer, or who is one with them, can be reached by."""
    family = [one.id for one in await unit.family_of(customer_id)]
    return [one for one in await unit.identities_of(family) if one.kind == connector.identity_kind]


def on_its_way(message: Message, addressee: Addressee, due: datetime, *, to: tuple[str, ...] = ()) -> OutboxItem:
    """A reply's place in the outbox. `to`: addresses that its writer chose instead of the addressee's own."""
    return OutboxItem(
        id=message.id,
        lane=delivery.lane(addressee.channel, message.conversation_id),
        channel=addressee.channel,
        conversation_id=message.conversation_id,
        identity_id=addressee.identity.id,
        thread_key=addressee.thread_key,
        seq=message.seq,
        state="queued",
        due_at=due,
        to=to,
    )


def outside(connectors: Mapping[str, Connector[Any]], address: str) -> str | None:
    """A mail address as the channels keep it; None where it is none, or one of our own: nobody is answered there."""
    mail = [one for one in connectors.values() if one.identity_kind == identity.EMAIL]
    kept = (mail[0] if mail else Connector).canonical(address)
    return kept.lower() if kept and not any(one.owns(kept) for one in mail) else None


def _unreachable(channel: str) -> RefusedError:
    return RefusedError("no-identity", f'the customer cannot be reached by channel "{channel}"')


def _shut_out(found: Identity, channel: str) -> RefusedError | None:
    """Why somebody cannot be written to by that channel any more, where that is so."""
    reason = found.unreachable.get(channel)
    return None if reason is None else RefusedError("unreachable", f"nothing can be sent: {reason}")


def _check_reaches(found: Identity, channel: str) -> None:
    refusal = _shut_out(found, channel)
    if refusal is not None:
        raise refusal


def _addressee(channel: str, connector: Connector[Any], found: Identity) -> Addressee:
    """On a channel without threads the customer is the thread.

    Raises:
        RefusedError: they cannot be written to by it any more.
    """
    _check_reaches(found, channel)
    thread_key = None if connector.capabilities.threads else found.value
    return Addressee(channel=channel, connector=connector, identity=found, thread_key=thread_key)


def check_carries(
    connector: Connector[Any], text: str, attachments: tuple[Attachment, ...], recipients: tuple[str, ...]
) -> None:
    """Refuses what the channel says that it cannot carry.

    Raises:
        RefusedError: with the reason.
    """
    able = connector.capabilities
    if able.text_limit is not None and len(text) > able.text_limit:
        raise RefusedError("too-long", f"this channel carries {able.text_limit} characters; shorten the text")
    if recipients and not able.recipients:
        raise RefusedError("no-recipients", "this channel answers one person; leave out to, cc and bcc")
    for address in recipients:
        if connector.canonical(address) is None:
            raise RefusedError("bad-address", f'"{address}" is no address of this channel')
    limit = able.attachment_limit
    for attachment in attachments:
        if attachment.size is not None and attachment.size > limit:
            raise RefusedError("file-too-large", f"{attachment.filename}: a file may have {limit} bytes here")


async def check_answers(unit: Unit, conversation: Conversation, message_id: str | None) -> None:
    """Refuses a reply to a message that is not in the conversation.

    Raises:
        RefusedError: with the reason.
    """
    answered = await unit.one(Message, message_id) if message_id else None
    if message_id and (answered is None or answered.conversation_id != conversation.id):
        raise RefusedError("message-unknown", f"reply_to: there is no message {message_id} in this conversation")
