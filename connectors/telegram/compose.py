"""From a reply to the pieces that Telegram takes: texts, files and albums, with what belongs under the last of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from connectors.errors import PermanentError
from normalizer.rich import Rich, from_html, split, stripped, utf16
from normalizer.schema import Attachment, Message, Part
from normalizer.telegram.entities import to_markup

# https://core.telegram.org/bots/api#sendmessage, #sendphoto, #sendmediagroup, #inlinekeyboardbutton, #sending-files
TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
ALBUM = 10
BUTTON_BYTES = 64
PHOTO_BYTES = 10 * 1024 * 1024
FILE_BYTES = 50 * 1024 * 1024

MediaKind = Literal["photo", "video", "animation", "audio", "document"]

_PHOTOS = frozenset(("image/jpeg", "image/png", "image/webp"))
_AUDIO = frozenset(("audio/mpeg", "audio/mp3", "audio/mp4", "audio/x-m4a", "audio/m4a"))
# What may stand in one album together.
_ALBUMS: dict[MediaKind, str] = {"photo": "seen", "video": "seen", "audio": "heard", "document": "kept"}


class Button(Struct, frozen=True):
    """A button under a message: what stands on it, and what pressing it tells us, or where it leads."""

    label: str
    value: str = ""
    url: str = ""


class Media(Struct, frozen=True):
    """A file and how it is shown."""

    kind: MediaKind
    attachment: Attachment


class Piece(Struct, frozen=True, kw_only=True):
    """One call of Telegram: `name` is the same on every try."""

    name: str
    markup: str = ""
    media: tuple[Media, ...] = ()
    buttons: tuple[tuple[Button, ...], ...] = ()


def as_documents(piece: Piece) -> Piece:
    """The same files, none of them shown."""
    return replace(piece, media=tuple(Media("document", one.attachment) for one in piece.media))


def pieces(message: Message) -> list[Piece]:
    """What to send, in order.

    A text that fits under the files stands under the first of them.

    Raises:
        PermanentError: a button tells more than Telegram carries.
    """
    rich = stripped(from_html(message.html) if message.html else Rich(message.text))
    buttons = tuple(_rows(message.parts))
    groups = list(_groups(message.attachments))
    captioned = bool(groups) and 0 < utf16(rich.text) <= CAPTION_LIMIT and not (buttons and len(groups[-1]) > 1)
    texts = [] if captioned else [one for one in split(rich, TEXT_LIMIT, utf16) if one.text.strip()]
    found = [Piece(name=f"text:{number}", markup=to_markup(one)) for number, one in enumerate(texts)]
    found += [Piece(name=f"files:{number}", media=tuple(group)) for number, group in enumerate(groups)]
    if captioned:
        at = len(texts)
        found[at] = Piece(name=found[at].name, media=found[at].media, markup=to_markup(rich))
    return _with_buttons(found, buttons)


def _with_buttons(found: list[Piece], buttons: tuple[tuple[Button, ...], ...]) -> list[Piece]:
    """The buttons under the last piece that can have some: an album cannot."""
    if not buttons:
        return found
    at = next((number for number in range(len(found) - 1, -1, -1) if len(found[number].media) < 2), None)
    if at is None:
        return [*found, Piece(name="buttons", markup="…", buttons=buttons)]
    one = found[at]
    found[at] = Piece(name=one.name, markup=one.markup, media=one.media, buttons=buttons)
    return found


def _rows(parts: Sequence[Part]) -> Iterator[tuple[Button, ...]]:
    """The buttons that a message offers, each in a row of its own."""
    for part in parts:
        for button in part.data.get("buttons", ()) if part.type == "buttons" else ():
            label, url = str(button.get("label", "")), str(button.get("url") or "")
            value = str(button.get("value") or label)
            if not url and len(value.encode()) > BUTTON_BYTES:
                raise PermanentError(f"Telegram's buttons carry {BUTTON_BYTES} bytes: {label}", code="button-too-long")
            yield (Button(label, "" if url else value, url),)


def _groups(attachments: Sequence[Attachment]) -> Iterator[list[Media]]:
    """Files that can stand in one album side by side, in their order; ten at the most."""
    group: list[Media] = []
    for one in attachments:
        media = Media(_kind(one), one)
        if group and (len(group) == ALBUM or _album(media) is None or _album(media) != _album(group[0])):
            yield group
            group = []
        group.append(media)
    if group:
        yield group


def _album(media: Media) -> str | None:
    return _ALBUMS.get(media.kind)


def _kind(attachment: Attachment) -> MediaKind:
    """How a file is best shown. What is no small picture, video or music goes as it is."""
    type_ = attachment.content_type.partition(";")[0].strip().lower()
    if type_ in _PHOTOS and attachment.size is not None and attachment.size <= PHOTO_BYTES:
        return "photo"
    if type_ == "image/gif":
        return "animation"
    if type_ == "video/mp4":
        return "video"
    return "audio" if type_ in _AUDIO else "document"
