"""What a visitor sees of a message, and what is news to a browser."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.webchat.portraits import Portraits
from connectors.webchat.protocol import Shown, ShownAttachment, ShownAuthor, ShownPart, encode
from normalizer.schema import Message

# Events are the agents' concern, but for what the visitor did in the chat window.
SHOWN_EVENTS = {"rating", "call_back"}
HIDDEN = {"scheduled", "cancelled", "failed"}
ON_ITS_WAY = {"queued", "waiting", "sending", "sent", "unknown"}
REMEMBERED = 64


def _as_shown(message: Message, author: ShownAuthor, *, deleted: bool) -> Shown:
    return Shown(
        id=message.id,
        client_id=message.external.id if message.direction == "inbound" else None,
        conversation_id=message.conversation_id,
        kind=message.kind,
        direction=message.direction,
        author=author,
        text="" if deleted else message.text,
        html=None if deleted else message.html,
        parts=() if deleted else _parts(message),
        attachments=() if deleted else _attachments(message),
        sent_at=message.sent_at,
        received_at=message.received_at,
        edited=bool(message.revisions),
        deleted=deleted,
        read=message.delivery is not None and message.delivery.state == "read",
    )


def _is_visible(message: Message) -> bool:
    if message.direction == "note" or (message.delivery and message.delivery.state in HIDDEN):
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


def is_on_its_way(message: Message) -> bool:
    """Whether it is a reply that nobody yet knows to have reached the visitor."""
    return message.direction == "outbound" and message.delivery is not None and message.delivery.state in ON_ITS_WAY


class Window:
    """What one browser was shown lately, so that a change that it cannot see is not sent to it."""

    def __init__(self, portraits: Portraits) -> None:
        """Nothing was shown yet."""
        self._portraits = portraits
        self._shown: dict[str, int] = {}

    def look(self, message: Message) -> Shown | None:
        """What to show of the message, or None where that is nothing, or nothing new.

        One that was shown and may be seen no longer (a reply that was cancelled) is shown as deleted.
        """
        shown = self._show(message)
        before = self._shown.pop(message.id, None)
        if shown is None:
            return None if before is None else self._as_shown(message, deleted=True)
        looks = self._shown[message.id] = hash(encode(shown))
        if len(self._shown) > REMEMBERED:
            del self._shown[next(iter(self._shown))]
        return None if before == looks else shown

    def _show(self, message: Message) -> Shown | None:
        """The message without what only agents may know, or None where the visitor sees nothing of it at all."""
        return self._as_shown(message, deleted=message.deleted_at is not None) if _is_visible(message) else None

    def _as_shown(self, message: Message, *, deleted: bool) -> Shown:
        return _as_shown(message, self._portraits.shown(message.author), deleted=deleted)

    def follow(self, message: Message) -> Shown | None:
        """`look` at what the feed tells live: that a reply arrived is no news to those to whom it came before."""
        return None if _only_arrived(message) else self.look(message)

    def catch_up(self, messages: Iterable[Message]) -> tuple[Shown, ...]:
        """`look` at what was missed, each message as the last of its snapshots."""
        return tuple(filter(None, map(self.look, latest(messages))))


def latest(messages: Iterable[Message]) -> list[Message]:
    """The last snapshot of each message, without those of which nothing is told but that they arrived."""
    newest: dict[str, Message] = {}
    for message in messages:
        if message.id in newest or not _only_arrived(message):
            newest[message.id] = message
    return list(newest.values())


def _only_arrived(message: Message) -> bool:
    state = message.delivery.state if message.delivery and message.direction == "outbound" else None
    return state in ("delivered", "read") and not message.revisions and message.deleted_at is None
