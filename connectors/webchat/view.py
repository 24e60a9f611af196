"""What a visitor sees of a message, and what is news to a browser."""

from __future__ import annotations

from connectors.webchat.protocol import Shown, ShownAttachment, ShownAuthor, ShownPart, encode
from normalizer.schema import Message

# Events are the agents' concern, but for what the visitor did in the chat window.
SHOWN_EVENTS = {"rating", "call_back"}
HIDDEN_STATES = {"scheduled", "cancelled", "failed"}
ARRIVED_STATES = {"delivered", "read"}
REMEMBERED = 64


def show(message: Message) -> Shown | None:
    """The message without what only agents may know, or None where the visitor sees nothing of it at all."""
    if not _is_visible(message):
        return None
    deleted = message.deleted_at is not None
    return Shown(
        id=message.id,
        client_id=message.external.id if message.direction == "inbound" else None,
        conversation_id=message.conversation_id,
        kind=message.kind,
        direction=message.direction,
        author=ShownAuthor(type=message.author.type, name=message.author.name),
        text="" if deleted else message.text,
        html=None if deleted else message.html,
        parts=() if deleted else _parts(message),
        attachments=() if deleted else _attachments(message),
        sent_at=message.sent_at,
        received_at=message.received_at,
        edited=bool(message.revisions),
        deleted=deleted,
    )


def _is_visible(message: Message) -> bool:
    if message.direction == "note" or (message.delivery and message.delivery.state in HIDDEN_STATES):
        return False
    return message.kind == "message" or any(part.type in SHOWN_EVENTS for part in message.parts)


def _parts(message: Message) -> tuple[ShownPart, ...]:
    return tuple(ShownPart(type=part.type, text=part.text, data=part.data) for part in message.parts)


def _attachments(message: Message) -> tuple[ShownAttachment, ...]:
    return tuple(
        ShownAttachment(
            id=file.id, filename=file.filename, content_type=file.content_type, size=file.size, state=file.state
        )
        for file in message.attachments
    )


def has_arrived(message: Message) -> bool:
    """Whether it needs no `delivered` any more: it is known to have arrived, or is not a reply."""
    return message.direction != "outbound" or (
        message.delivery is not None and message.delivery.state in ARRIVED_STATES
    )


class Window:
    """What one browser was shown lately, so that a change that it cannot see is not sent to it."""

    def __init__(self) -> None:
        """Nothing was shown yet."""
        self._shown: dict[str, int] = {}

    def look(self, message: Message) -> Shown | None:
        """What to show of the message, or None where that is nothing, or nothing new."""
        shown = show(message)
        if shown is None:
            return None
        looks = hash(encode(shown))
        if self._shown.pop(message.id, None) == looks:
            self._shown[message.id] = looks
            return None
        self._shown[message.id] = looks
        if len(self._shown) > REMEMBERED:
            del self._shown[next(iter(self._shown))]
        return shown

    def follow(self, message: Message) -> Shown | None:
        """`look` at what the feed tells: a reply's arrival is no news to those to whom it came before."""
        arrival = message.direction == "outbound" and has_arrived(message)
        if arrival and not message.revisions and message.deleted_at is None:
            return None
        return self.look(message)
