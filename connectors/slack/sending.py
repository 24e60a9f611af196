"""Sending replies by the Web API."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any

from msgspec import Struct

from connectors.base import Receipt, Reply
from connectors.calling import calling
from connectors.context import Files
from connectors.errors import PermanentError, TemporaryError, UncertainError
from connectors.slack.api import FILE_SECONDS, SlackApi
from connectors.slack.compose import Piece, pieces
from normalizer.fields import record, records, text
from normalizer.schema import Attachment
from normalizer.slack.people import external_id, place


async def send(api: SlackApi, reply: Reply, done: Sequence[Receipt], *, named: bool) -> AsyncGenerator[Receipt, None]:
    """Sends the pieces that are not in `done`; with `named`, under the agent's name and picture.

    Raises:
        TemporaryError: Slack asks to wait, or cannot be reached.
        PermanentError: it refuses.
        UncertainError: it has not answered.
    """
    left = {receipt.piece for receipt in done}
    where = await _place(api, reply)
    look = {"username": reply.message.author.name, "icon_url": reply.picture} if named else {}
    for piece in pieces(reply.message):
        if piece.name in left:
            continue
        await reply.pace()
        if piece.files:
            yield await _upload(api, piece, where, reply.files)
        else:
            yield await _post(api, piece, where, look)


class _Place(Struct, frozen=True):
    """Where a reply goes; `key` is that of the conversation in which answers to it stand."""

    channel: str
    thread: str | None
    key: str


async def _place(api: SlackApi, reply: Reply) -> _Place:
    """Where the conversation stands; with somebody who has not written, a direct message is opened."""
    channel, _, thread = (reply.thread_key or "").partition("/")
    if channel and channel != reply.person.value:
        return _Place(channel, thread or _thread_within(reply, channel), place(channel, thread))
    opened = await api.ask("conversations.open", users=reply.person.value)  # opened twice, it is the same one
    found = text(record(opened, "channel"), "id")
    if not found:
        raise TemporaryError("Slack's answer could not be read: conversations.open names no channel")
    return _Place(found, _thread_within(reply, found), found)


def _thread_within(reply: Reply, channel: str) -> str | None:
    """The thread of a direct conversation in which the message stands that the agent answers."""
    about = reply.answered.channel_data if reply.answered else {}
    return text(about, "slack.thread_ts") or None if about.get("slack.channel") == channel else None


async def _post(api: SlackApi, piece: Piece, where: _Place, look: dict[str, Any]) -> Receipt:
    answer = await api.call(
        "chat.postMessage",
        channel=where.channel,
        thread_ts=where.thread,
        text=piece.text,
        blocks=piece.blocks or None,
        mrkdwn=False,
        unfurl_links=False,
        unfurl_media=False,
        **look,
    )
    ts = text(answer, "ts")
    if not ts:
        raise UncertainError("Slack's answer could not be read: it names no message")
    return Receipt(external_id=external_id(where.channel, ts), thread_key=where.key, piece=piece.name)


async def _upload(api: SlackApi, piece: Piece, where: _Place, files: Files) -> Receipt:
    """Files go to Slack one after another, and are shared by one call, which alone shows them."""
    uploaded = [await _given(api, attachment, files) for attachment in piece.files]
    answer = await api.call(
        "files.completeUploadExternal",
        files=[{"id": id_, "title": one.filename} for id_, one in zip(uploaded, piece.files, strict=True)],
        channel_id=where.channel,
        thread_ts=where.thread,
    )
    ids = [text(one, "id") for one in records(answer, "files")] or uploaded
    return Receipt(external_id=f"file/{ids[0]}", others=tuple(f"file/{id_}" for id_ in ids[1:]), piece=piece.name)


async def _given(api: SlackApi, attachment: Attachment, files: Files) -> str:
    """Uploads a file, and returns its id. Nobody sees it yet, so a doubt about it is none of the message."""
    asked = await api.ask("files.getUploadURLExternal", filename=attachment.filename, length=attachment.size)
    url, id_ = text(asked, "upload_url"), text(asked, "file_id")
    headers = {"Content-Length": str(attachment.size), "Content-Type": "application/octet-stream"}
    try:
        async with (
            calling("Slack", seconds=FILE_SECONDS) as http,
            http.post(url, data=_content(files, attachment), headers=headers),
        ):
            return id_
    except UncertainError as error:
        raise TemporaryError(error.reason) from error


async def _content(files: Files, attachment: Attachment) -> AsyncIterator[bytes]:
    try:
        async for piece in files.open(attachment.id):
            yield piece
    except LookupError as error:
        raise PermanentError(f"the file {attachment.filename} is not kept any more", code="gone") from error
