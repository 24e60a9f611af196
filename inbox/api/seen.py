"""What a path names, where its caller sees it: what they do not see answers as if it did not exist."""

from __future__ import annotations

from inbox.api.problems import ProblemError, not_found
from inbox.api.routing import SUBJECT, AnyCall
from inbox.model import Conversation
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
