"""The files of a Telegram message: they stay there until they are fetched by `file_id`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from normalizer.fields import Fields, number, record, records, text
from normalizer.outcomes import Remote
from normalizer.schema import Attachment
from normalizer.text import one_line

DOWNLOAD_LIMIT = 20 * 1024 * 1024
"""Bytes of a file that a bot may download (https://core.telegram.org/bots/api#getfile)."""

# Kind, its type where Telegram names none, its ending. An animation has a `document` beside it, for older programs.
_KINDS = (
    ("animation", "video/mp4", "mp4"),
    ("video", "video/mp4", "mp4"),
    ("audio", "audio/mpeg", "mp3"),
    ("voice", "audio/ogg", "ogg"),
    ("video_note", "video/mp4", "mp4"),
    ("sticker", "image/webp", "webp"),
    ("document", "application/octet-stream", "bin"),
)


def files_of(message: Fields) -> list[tuple[Attachment, Remote | None]]:
    """The files that a message carries, each with where it is; None beside one that is too large to be fetched."""
    return list(_files(message))


def _files(message: Fields) -> Iterator[tuple[Attachment, Remote | None]]:
    live = record(message, "live_photo")  # the video itself, with its picture
    yield from _photo(records(message, "photo") or records(live, "photo"))
    for kind, content_type, ending in _KINDS:
        file = record(message, kind)
        if file and not (kind == "document" and "animation" in message):
            yield from _file(file, *_sticker(file) if kind == "sticker" else (content_type, f"{kind}.{ending}"))
    for media in records(record(message, "paid_media"), "paid_media"):
        yield from _files(media)
    if live:
        yield from _file(live, "video/mp4", "live-photo.mp4")


def _photo(sizes: list[Fields]) -> Iterator[tuple[Attachment, Remote | None]]:
    """The largest size of a picture that can be fetched."""

    def area(size: Fields) -> int:
        return (number(size, "width") or 0) * (number(size, "height") or 0)

    fits = [size for size in sizes if (number(size, "file_size") or 0) <= DOWNLOAD_LIMIT]
    if fits or sizes:
        yield from _file(max(fits or sizes, key=area), "image/jpeg", "photo.jpg")


def _sticker(sticker: Fields) -> tuple[str, str]:
    if sticker.get("is_video"):
        return "video/webm", "sticker.webm"
    return ("application/x-tgsticker", "sticker.tgs") if sticker.get("is_animated") else ("image/webp", "sticker.webp")


def _file(file: Fields, content_type: str, filename: str) -> Iterator[tuple[Attachment, Remote | None]]:
    id_, size = text(file, "file_id"), number(file, "file_size")
    if not id_:
        return
    ref: dict[str, Any] = {"file_id": id_}
    too_large = size is not None and size > DOWNLOAD_LIMIT
    attachment = Attachment(
        id="",
        filename=one_line(text(file, "file_name")) or filename,
        content_type=one_line(text(file, "mime_type")) or content_type,
        size=size,
        external_id=one_line(text(file, "file_unique_id")) or None,
        state="too_large" if too_large else "pending",
    )
    yield attachment, None if too_large else Remote(ref=ref)
