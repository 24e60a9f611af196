"""What agents say: answer, note, begin, retry and cancel.

A reply is refused at once, with a reason that an agent can read, where its channel could never carry it. What is taken
stands in the conversation and in the outbox by one transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from inbox import delivery, follow_ups, threading
from inbox.addressing import Addressee, Addressing, check_answers, check_carries, on_its_way
from inbox.attachments import Attachments
from inbox.errors import NotFoundError, RefusedError
from inbox.holding import is_held
from inbox.model import Conversation, OutboxItem, ThreadKey, Unique, new_id, scoped
from inbox.outbox import OutboxWorker
from inbox.staff import Principal
from inbox.store import Store, Unit
from inbox.store.writer import Change
from inbox.tallies import by_agent
from normalizer.codec import clean_structure, to_milliseconds
from normalizer.html import TooComplexError, sanitize
from normalizer.outcomes import Person
from normalizer.schema import Attachment, Author, Delivery, External, Message, Recipient, Relations


class NewReply(Struct, frozen=True, kw_only=True):
    """What an agent wrote. `send_at` in the future schedules it; the same `client_id` again is the same message.

    With `unless_customer_writes` it is held where the customer writes before it leaves.

    Without `cc` and `to`, those whom the customer wrote to as well have a reply in copy.
    Whom a note mentions follows the conversation from then on.
    """

    text: str
    html: str | None = None
    attachments: tuple[str, ...] = ()
    direction: Literal["outbound", "note"] = "outbound"
    channel: str | None = None
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] | None = None
    bcc: tuple[str, ...] = ()
    reply_to: str | None = None
    mentions: tuple[str, ...] = ()
    send_at: datetime | None = None
    unless_customer_writes: bool = False
    client_id: str | None = None
    subject: str | None = None


class NewConversation(Struct, frozen=True, kw_only=True):
    """A conversation that the company begins, with a customer it knows or an identity."""

    channel: str
    reply: NewReply
    customer_id: str | None = None
    identity: Person | None = None


class Replies:
    """The agents' side of conversations."""

    def __init__(self, store: Store, addressing: Addressing, attachments: Attachments, outbox: OutboxWorker) -> None:
        self._store = store
        self._addressing = addressing
        self._attachments = attachments
        self._outbox = outbox

    async def reply(self, principal: Principal, conversation_id: str, new: NewReply) -> Message:
        """Stores a reply or a note; a reply is then on its way.

        Raises:
            NotFoundError: no such conversation.
            RefusedError: it could never leave like this.
        """
        attachments = await self._uploaded(principal, new)

        async def change(unit: Unit) -> Message:
            known = await _known(unit, principal, new.client_id)
            if known is not None:
                return known
            conversation = await _conversation(unit, conversation_id)
            await check_answers(unit, conversation, new.reply_to)
            addressee = None
            if new.direction == "outbound":
                addressee = await self._addressing.answering(unit, conversation, new.channel)
            return await _store(unit, principal, conversation, new, attachments=attachments, addressee=addressee)

        return await self._write(change)

    async def begin(self, principal: Principal, new: NewConversation) -> tuple[Conversation, Message]:
        """Begins a conversation.

        Raises:
            NotFoundError: no such customer.
            RefusedError: the channel cannot begin one, or cannot reach that person.
        """
        if not self._addressing.connector(new.channel).capabilities.begins:
            raise RefusedError("cannot-begin", f'on channel "{new.channel}" only the customer can write first')
        attachments = await self._uploaded(principal, new.reply)

        async def change(unit: Unit) -> Message:
            known = await _known(unit, principal, new.reply.client_id)
            if known is not None:
                return known
            addressee = await self._addressing.beginning(unit, new.channel, new.customer_id, new.identity)
            conversation = Conversation(
                id=new_id(),
                customer_id=addressee.identity.customer_id,
                subject=new.reply.subject,
                created_at=unit.now,
                updated_at=unit.now,
            )
            if addressee.thread_key is not None:  # where the customer is the thread, the answer is to find its way here
                key = scoped(addressee.channel, addressee.thread_key)
                await unit.one(ThreadKey, key)
                unit.put(ThreadKey(id=key, conversation_id=conversation.id))
            return await _store(unit, principal, conversation, new.reply, attachments=attachments, addressee=addressee)

        message = await self._write(change)
        conversation = await self._store.queries.conversation(message.conversation_id)
        assert conversation is not None  # it was written with the message
        return conversation, message

    async def retry(self, message_id: str) -> Message:
        """Sends a failed, unknown or held reply again.

        Raises:
            NotFoundError: no such message.
            RefusedError: it is none of these.
        """

        async def change(unit: Unit) -> Message:
            message, state = await _reply(unit, message_id)
            held = is_held(state)
            if state.state not in delivery.RETRYABLE and not held:
                told = f"only a failed, unknown or held reply goes out again: {state.state}"
                raise RefusedError("not-retryable", told)
            if held:  # it is an answer after all
                conversation = await _conversation(unit, message.conversation_id)
                unit.put(replace(conversation, waiting_since=None, updated_at=unit.now))
            item = await unit.one(OutboxItem, message_id) or await self._returned(unit, message, state)
            # Whoever was refused is asked again; whoever has it is not.
            kept = tuple(one for one in item.receipts if one.recipient is None or one.recipient.state != "failed")
            unit.put(replace(item, state="queued", due_at=unit.now, attempts=0, owner=None, receipts=kept))
            again = replace(state, state="queued", error=None, next_attempt_at=None, unless_customer_writes=False)
            return _put(unit, message, again)

        return await self._write(change)

    async def _returned(self, unit: Unit, message: Message, state: Delivery) -> OutboxItem:
        """A place in the outbox for a reply that had left and came back: it goes to those who did not get it."""
        conversation = await _conversation(unit, message.conversation_id)
        addressee = await self._addressing.answering(unit, conversation, message.channel)
        several = addressee.connector.capabilities.recipients
        missed = tuple(one.address for one in state.recipients if one.state == "failed")
        return on_its_way(message, addressee, unit.now, to=missed if several else ())

    async def cancel(self, message_id: str) -> Message:
        """Stops a reply that has not begun to leave, for good where it is held.

        Raises:
            NotFoundError: no such message.
            RefusedError: it is on its way, or gone.
        """

        async def change(unit: Unit) -> Message:
            message, state = await _reply(unit, message_id)
            item = await unit.one(OutboxItem, message_id)
            taken = item is not None and item.state in ("claimed", "sending")
            if taken or (state.state not in delivery.CANCELLABLE and not is_held(state)):
                raise RefusedError("not-cancellable", f"it is too late to cancel this reply: {state.state}")
            unit.remove(OutboxItem, message_id)
            return _put(unit, message, replace(state, state="cancelled", error=None, next_attempt_at=None))

        return await self._write(change)

    async def _write(self, change: Change[Message]) -> Message:
        message = await self._store.write(change)
        self._outbox.wake()
        return message

    async def _uploaded(self, principal: Principal, new: NewReply) -> tuple[Attachment, ...]:
        found = []
        for attachment_id in new.attachments:
            attachment = await self._attachments.find(attachment_id, owner=principal.id)
            if attachment is None:
                raise RefusedError("attachment-unknown", f"there is no upload {attachment_id} of yours")
            found.append(attachment)
        return tuple(found)


async def _store(
    unit: Unit,
    principal: Principal,
    conversation: Conversation,
    new: NewReply,
    *,
    attachments: tuple[Attachment, ...],
    addressee: Addressee | None,
) -> Message:
    """Puts the message, its way out where it has an addressee, and what both make of the conversation."""
    message = _message(unit, principal, conversation, new, attachments)
    if addressee is not None:
        cc = new.cc if new.cc is not None else () if new.to else addressee.copied
        check_carries(addressee.connector, new.text, attachments, (*new.to, *cc, *new.bcc))
        message = _addressed(unit, message, new, addressee, cc)
    if new.client_id is not None:
        unit.put(Unique(id=_client_key(principal, new.client_id), message_id=message.id))
    if addressee is not None and message.delivery and message.delivery.state == "waiting":
        await follow_ups.remember(unit, message, addressee.connector)
    unit.put(message)
    unit.put(
        replace(
            threading.followed_by(conversation, message, unit.now),
            followers=tuple(dict.fromkeys((*conversation.followers, *new.mentions))),
            waiting_since=None if addressee else conversation.waiting_since,
            answered_at=conversation.answered_at or (unit.now if by_agent(message) else None),
        )
    )
    return message


def _message(
    unit: Unit, principal: Principal, conversation: Conversation, new: NewReply, attachments: tuple[Attachment, ...]
) -> Message:
    last = conversation.last_message
    html = sanitized(new.html) if new.html else None
    return clean_structure(
        Message(
            id=new_id(),
            conversation_id=conversation.id,
            customer_id=conversation.customer_id,
            seq=conversation.last_seq + 1,
            direction=new.direction,
            channel=last.channel if last else "",
            author=Author(type="agent", id=principal.id, name=principal.name),
            text=new.text,
            html=html,
            subject=new.subject,
            attachments=tuple([_placed(attachment, html or "") for attachment in attachments]),
            relations=Relations(reply_to=new.reply_to, mentions=new.mentions),
            created_at=unit.now,
        )
    )


def _placed(attachment: Attachment, html: str) -> Attachment:
    """An upload that the HTML shows as `cid:` and its id stands within the text."""
    if f'"cid:{attachment.id}"' not in html:
        return attachment
    return replace(attachment, inline=True, content_id=attachment.id)


def sanitized(html: str) -> str:
    """What an agent wrote, made harmless.

    Raises:
        RefusedError: it cannot be.
    """
    try:
        return sanitize(html, load_images=True)
    except TooComplexError as error:
        raise RefusedError("html-too-complex", f"this HTML cannot be taken: {error}") from error


def _addressed(unit: Unit, message: Message, new: NewReply, addressee: Addressee, cc: tuple[str, ...]) -> Message:
    """The message with its delivery, and its place in the outbox unless its recipient fetches it."""
    due = to_milliseconds(new.send_at) if new.send_at else unit.now
    scheduled = due > unit.now
    pulled = addressee.connector.capabilities.pull and not scheduled
    addresses = dict.fromkeys((*(new.to or (addressee.identity.value,)), *cc, *new.bcc))
    if not pulled:
        item = on_its_way(message, addressee, due, to=new.to)
        state: Literal["scheduled", "queued"] = "scheduled" if scheduled else "queued"
        unit.put(replace(item, state=state, cc=cc, bcc=new.bcc, unless_customer_writes=new.unless_customer_writes))
    return replace(
        message,
        channel=addressee.channel,
        connector=addressee.connector.name,
        external=External(thread_key=addressee.thread_key),
        sent_at=unit.now if pulled else None,
        delivery=Delivery(
            state="scheduled" if scheduled else "waiting" if pulled else "queued",
            next_attempt_at=due if scheduled else None,
            unless_customer_writes=new.unless_customer_writes,
            recipients=tuple(Recipient(address=one, state="queued") for one in addresses),
        ),
    )


def _client_key(principal: Principal, client_id: str) -> str:
    return f"client|{principal.id}|{client_id}"


async def _known(unit: Unit, principal: Principal, client_id: str | None) -> Message | None:
    if client_id is None:
        return None
    unique = await unit.one(Unique, _client_key(principal, client_id))
    return await unit.one(Message, unique.message_id) if unique else None


async def _conversation(unit: Unit, conversation_id: str) -> Conversation:
    conversation = await unit.one(Conversation, conversation_id)
    if conversation is None:
        raise NotFoundError(f"no conversation {conversation_id}")
    if conversation.merged_into is not None:  # its customer may be another: whoever writes is to see that first
        members = {"merged_into": conversation.merged_into}
        raise RefusedError("merged", "this conversation was joined to another", members=members)
    return conversation


async def _reply(unit: Unit, message_id: str) -> tuple[Message, Delivery]:
    message = await unit.one(Message, message_id)
    if message is None:
        raise NotFoundError(f"no message {message_id}")
    if message.delivery is None:
        raise RefusedError("not-a-reply", "only replies leave, and this message is none")
    return message, message.delivery


def _put(unit: Unit, message: Message, state: Delivery) -> Message:
    return unit.put(replace(message, delivery=state))
