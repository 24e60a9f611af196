"""What a path names, where its caller sees it: what they do not see answers as if it did not exist."""

from __future__ import annotations

from inbox.api.problems import ProblemError, not_found
from inbox.api.routing import SUBJECT, AnyCall
from inbox.model import Conversation, Customer
from inbox.sight import sees
from normalizer.schema import Message


async def seen_conversation(call: AnyCall, id_: str | None = None) -> Conversation:
    """The conversation that the path names, or the one with that id.

    Raises:
        ProblemError: 404, there is none.
    """
    conversation = await call.store.queries.conversation(id_ or call.id)
    if conversation is None or not sees(call.principal, conversation):
        raise not_found("conversation", id_ or call.id)
    call.request[SUBJECT] = conversation.customer_id
    return conversation


async def standing_conversation(call: AnyCall, id_: str | None = None) -> Conversation:
    """The conversation that the path names, or the one with that id, which holds messages.

    Raises:
        ProblemError: 404, there is none, or it was joined to another, which `merged_into` names.
    """
    conversation = await seen_conversation(call, id_)
    if conversation.merged_into is not None:
        raise ProblemError(
            "merged",
            "this conversation was joined to another",
            members={"merged_into": conversation.merged_into},
        )
    return conversation


async def seen_message(call: AnyCall) -> Message:
    """The message that the path names.

    Raises:
        ProblemError: 404, there is none.
    """
    message = await call.store.queries.message(call.id)
    if message is None or not await call.store.queries.seen(call.principal, {message.conversation_id}):
        raise not_found("message", call.id)
    call.request[SUBJECT] = message.customer_id
    return message


async def known_customer(call: AnyCall, id_: str | None = None) -> Customer:
    """The customer whom the path names, or the one with that id, also one who was merged into another.

    Raises:
        ProblemError: 404, there is none.
    """
    customer = await call.store.people.customer(id_ or call.id)
    if customer is None:
        raise not_found("customer", id_ or call.id)
    call.request[SUBJECT] = customer.id
    return customer


async def standing_customer(call: AnyCall, id_: str | None = None) -> Customer:
    """A customer who is known as themselves.

    Raises:
        ProblemError: 404, there is none, or they were merged into another, whom `merged_into` names.
    """
    customer = await known_customer(call, id_)
    if customer.merged_into is not None:
        members = {"merged_into": customer.merged_into}
        raise ProblemError("merged", "this customer was merged into another", members=members)
    return customer
