"""The files of a Slack message: they stay there until they are fetched with the bot's token, and are never linked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from normalizer.fields import Fields, number, records, text
from normalizer.outcomes import Remote
from normalizer.schema import Attachment, Part
from normalizer.slack.saying import is_shared
from normalizer.text import one_line


def files_of(message: Fields) -> list[tuple[Attachment, Remote | None]]:
    """The files that a message carries, each with where it is; None beside one that is not to be had."""
    return list(_files(message))


def links_of(message: Fields) -> list[Part]:
    """The files that stand with another service: Slack has a link to them, and no bytes."""
    return [_link(file) for file in _held(message) if _is_external(file)]


def _held(message: Fields) -> list[Fields]:
    """Its own, and those of messages that it shares."""
    shared = (one for one in records(message, "attachments") if is_shared(one))
    return [file for holder in (message, *shared) for file in records(holder, "files")]


def _link(file: Fields) -> Part:
    name, url = one_line(text(file, "title") or text(file, "name")), one_line(text(file, "url_private"))
    data = {"url": url, "service": one_line(text(file, "external_type"))}
    return Part(type="link", text=f"{name or 'A file'}: {url}", data=data)


def _is_external(file: Fields) -> bool:
    return file.get("is_external") is True or text(file, "mode") == "external"


def _files(message: Fields) -> Iterator[tuple[Attachment, Remote | None]]:
    for file in _held(message):
        if _is_external(file):
            continue
        id_ = text(file, "id")
        gone = text(file, "mode") in ("tombstone", "hidden_by_limit") or not id_
        ref: dict[str, Any] = {"file": id_, "url": text(file, "url_private_download") or text(file, "url_private")}
        attachment = Attachment(
            id="",
            filename=one_line(text(file, "name") or text(file, "title")) or "file",
            content_type=one_line(text(file, "mimetype")) or "application/octet-stream",
            size=number(file, "size"),
            external_id=one_line(id_) or None,
            state="expired" if gone else "pending",
        )
        yield attachment, None if gone else Remote(ref=ref)
