"""What the list of conversations shows of a message that was changed."""

from __future__ import annotations

from msgspec.structs import replace

from inbox.model import Conversation, Preview
from inbox.store import Unit
from normalizer.schema import Message


async def put_changed(unit: Unit, message: Message) -> Message:
    """Puts a changed message, and its conversation where it is the last one there.

    Returns:
        The message.
    """
    unit.put(message)
    conversation = await unit.one(Conversation, message.conversation_id)
    last = conversation.last_message if conversation else None
    if conversation is not None and last is not None:
        preview = Preview.of(message, last.at) if last.id == message.id else last
        unit.put(replace(conversation, last_message=preview, updated_at=unit.now))
    return message
