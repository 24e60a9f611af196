"""The frames of the web chat protocol, tagged by `type`: what a browser may send and what it is sent."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct

from normalizer.chat import CLIENT_ID, CallBack, Choose, Rate, Read, Said
from normalizer.codec import clean_text

TEXT_LIMIT = 10_000
# A full text of characters that JSON escapes as surrogate pairs takes 120,000 bytes.
FRAME_LIMIT = 256 * 1024

ErrorCode = Literal["rate_limited", "too_large", "bad_frame", "unauthorized", "unavailable"]


class Hello(Struct, frozen=True, kw_only=True, tag="hello"):
    """Opens a session: with the token of an earlier one, and the cursor up to which its messages are known."""

    token: str | None = None
    cursor: str | None = None


class Identify(Struct, frozen=True, kw_only=True, tag="identify"):
    """The website vouches for its user by a token that it signed."""

    token: str


class Typing(Struct, frozen=True, kw_only=True, tag="typing"):
    """The visitor is writing."""


class Logout(Struct, frozen=True, kw_only=True, tag="logout"):
    """The next hello on this socket is somebody else's."""


ClientFrame = Hello | Said | Identify | Choose | Rate | CallBack | Typing | Read | Logout


class ShownAuthor(Struct, frozen=True, kw_only=True):
    """Who wrote, as far as the visitor may know. `picture` is an address below that of the channel's chat."""

    type: str
    name: str | None
    picture: str | None = None


class ShownAttachment(Struct, frozen=True, kw_only=True):
    """A file that can be fetched from `attachments/{id}`."""

    id: str
    filename: str
    content_type: str
    size: int | None
    state: str


class ShownPart(Struct, frozen=True, kw_only=True):
    """Something typed, such as `buttons`, and its readable fallback."""

    type: str
    text: str
    data: dict[str, Any]


class Shown(Struct, frozen=True, kw_only=True):
    """A message as a visitor sees it. `client_id` is set on the visitor's own; `read` on replies that they read."""

    id: str
    client_id: str | None
    conversation_id: str
    kind: str
    direction: str
    author: ShownAuthor
    text: str
    html: str | None
    parts: tuple[ShownPart, ...]
    attachments: tuple[ShownAttachment, ...]
    sent_at: datetime | None
    received_at: datetime | None
    edited: bool
    deleted: bool
    read: bool


class Welcome(Struct, frozen=True, kw_only=True, tag="welcome"):
    """Answers hello. With `reload`, `messages` replaces what the client had; else it follows the client's cursor.

    Attributes:
        agent: who has taken the conversation.
        read: the newest of the visitor's messages that somebody of the company has seen.
        rating: the conversation that waits for a rating.
    """

    token: str
    conversation_id: str | None
    messages: tuple[Shown, ...]
    cursor: str
    reload: bool
    agent: ShownAuthor | None = None
    read: str | None = None
    rating: str | None = None


class Acked(Struct, frozen=True, kw_only=True):
    """The message as it is kept."""

    id: str
    client_id: str
    text: str
    received_at: datetime


class Ack(Struct, frozen=True, kw_only=True, tag="ack"):
    """The message is journaled: it will not be lost, and the client may forget it."""

    client_id: str
    message: Acked


class Live(Struct, frozen=True, kw_only=True, tag="message"):
    """A message that is new, edited or deleted."""

    message: Shown
    cursor: str


class SomebodyTypes(Struct, frozen=True, kw_only=True, tag="typing"):
    """Whoever of the company is typing; it holds for some seconds."""

    author: ShownAuthor


class Seen(Struct, frozen=True, kw_only=True, tag="read"):
    """Somebody of the company has seen the visitor's messages up to this one."""

    message_id: str


class Taken(Struct, frozen=True, kw_only=True, tag="agent"):
    """Who has taken the visitor's conversation."""

    author: ShownAuthor


class Queue(Struct, frozen=True, kw_only=True, tag="queue"):
    """The visitor's place among those who wait; 0: they wait no more. `wait_seconds`: how long others waited lately."""

    position: int
    wait_seconds: int | None


class AskRating(Struct, frozen=True, kw_only=True, tag="rating"):
    """The conversation is resolved: how was it?"""

    conversation_id: str


class Error(Struct, frozen=True, kw_only=True, tag="error"):
    """What was refused, and why. `client_id` names the message; one that was `unavailable` should be sent again."""

    code: ErrorCode
    detail: str
    client_id: str | None = None


ServerFrame = Welcome | Ack | Live | SomebodyTypes | Seen | Taken | Queue | AskRating | Error


def unavailable(client_id: str | None) -> Error:
    """Something on our side failed: the client keeps what it sent and sends it again."""
    return Error(code="unavailable", detail="not kept; send it again", client_id=client_id)


class ProtocolError(Exception):
    """A frame that is refused."""

    def __init__(self, code: ErrorCode, detail: str, client_id: str | None = None) -> None:
        """The three of them go to the client as they are."""
        super().__init__(detail)
        self.frame = Error(code=code, detail=detail, client_id=client_id)


class _Named(Struct):
    client_id: Any = None


_client_frames: msgspec.json.Decoder[ClientFrame] = msgspec.json.Decoder(ClientFrame)
_named = msgspec.json.Decoder(_Named)
encode = msgspec.json.Encoder().encode


def decode(data: bytes) -> ClientFrame:
    """Reads a client's frame.

    Raises:
        ProtocolError: too large, not JSON, or not one of the frames.
    """
    if len(data) > FRAME_LIMIT:
        raise ProtocolError("too_large", f"a frame may take {FRAME_LIMIT} bytes")
    try:
        return _decode(data)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("bad_frame", _reason(error), _client_id(data)) from None


def _decode(data: bytes) -> ClientFrame:
    try:
        return _client_frames.decode(data)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        # msgspec refuses the escapes of lone surrogates, which JavaScript sends where an emoji was cut in two.
        return _client_frames.decode(clean_text(json.dumps(json.loads(data), ensure_ascii=False)))


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, msgspec.ValidationError) else "not JSON"


def _client_id(data: bytes) -> str | None:
    try:
        client_id = _named.decode(data).client_id
    except (ValueError, RecursionError):
        return None
    return client_id if isinstance(client_id, str) and re.match(CLIENT_ID, client_id) else None
