"""Sending replies by the Bot API."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from typing import IO, Any

from msgspec.structs import replace
from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    InputMediaAudio,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    Message,
    ReplyParameters,
)
from telegram.constants import ParseMode

from connectors.base import Receipt, Reply
from connectors.context import Files
from connectors.errors import PermanentError
from connectors.telegram.api import BotApi, MovedError, NoPhotoError
from connectors.telegram.compose import Button, Media, MediaKind, Piece, as_documents, pieces
from normalizer.schema import External
from normalizer.telegram.people import DIRECT, external_id, located

IN_MEMORY = 256 * 1024  # bytes of a file on its way out that are held; the rest waits on the disk

_INPUTS: dict[MediaKind, Any] = {
    "photo": InputMediaPhoto,
    "video": InputMediaVideo,
    "audio": InputMediaAudio,
    "document": InputMediaDocument,
}


class Place:
    """Where a reply goes: the chat, its topic, and for whose business."""

    def __init__(self, thread_key: str) -> None:
        """`thread_key` is as `normalizer.telegram` writes it."""
        place, _, connection = thread_key.partition("@")
        chat, _, topic = place.partition("/")
        self.chat = chat
        self.connection = connection
        self.arguments: dict[str, Any] = {"chat_id": chat}
        self.direct = topic.startswith(DIRECT)
        if topic:
            named = "direct_messages_topic_id" if self.direct else "message_thread_id"
            self.arguments[named] = int(topic.removeprefix(DIRECT))
        if connection:
            self.arguments["business_connection_id"] = connection


async def send(api: BotApi, reply: Reply, done: Sequence[Receipt]) -> AsyncGenerator[Receipt, None]:
    """Sends the pieces that are not in `done`; to a group that has moved, where it is now.

    Raises:
        TemporaryError: Telegram asks to wait, or cannot be reached.
        PermanentError: it refuses.
        UncertainError: it has not answered.
    """
    left = {receipt.piece for receipt in done}
    moved = next((receipt.thread_key for receipt in done if receipt.thread_key), None)
    place = Place(moved or reply.thread_key or reply.person.value)
    arguments = place.arguments | _answering(reply, place)
    for piece in pieces(reply.message):
        if piece.name not in left:
            await reply.pace()
            try:
                receipt = await _send(api, piece, arguments, reply.files)
            except MovedError as error:  # the update that says so is still on its way, or came after the reply
                moved = str(error.chat)
                arguments = Place(moved).arguments
                receipt = await _send(api, piece, arguments, reply.files)
            yield replace(receipt, thread_key=moved)
        arguments.pop("reply_parameters", None)


def _answering(reply: Reply, place: Place) -> dict[str, Any]:
    """The message that a reply names, as Telegram calls it. One that is gone there hinders nothing."""
    answered = reply.answered.external if reply.answered else External()
    chat, number = located(answered.id or "") or ("", 0)
    if (chat, Place(answered.thread_key or "").connection) != (place.chat, place.connection):
        return {}
    return {"reply_parameters": ReplyParameters(message_id=number, allow_sending_without_reply=True)}


async def _send(api: BotApi, piece: Piece, arguments: dict[str, Any], files: Files) -> Receipt:
    try:
        return await _sent(api, piece, arguments, files)
    except NoPhotoError:
        return await _sent(api, as_documents(piece), arguments, files)


async def _sent(api: BotApi, piece: Piece, arguments: dict[str, Any], files: Files) -> Receipt:
    look: dict[str, Any] = {"parse_mode": ParseMode.HTML}
    if piece.buttons:
        look["reply_markup"] = keyboard(piece.buttons)
    async with contextlib.AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(_spooled(files, media)) for media in piece.media]
        with api.calling():
            if not opened:
                sent = [await api.bot.send_message(text=piece.markup, **arguments, **look)]
            elif len(opened) == 1:
                sent = [await _one(api, piece, opened[0], arguments | look)]
            else:
                sent = list(await _album(api, piece, opened, arguments))
            connection = arguments.get("business_connection_id", "")
            ids = [external_id(message.chat.id, message.message_id, connection) for message in sent]
    return Receipt(external_id=ids[0], others=tuple(ids[1:]), piece=piece.name)


async def _one(api: BotApi, piece: Piece, file: InputFile, arguments: dict[str, Any]) -> Message:
    kind = piece.media[0].kind
    ways: dict[MediaKind, Callable[..., Awaitable[Message]]] = {
        "photo": api.bot.send_photo,
        "video": api.bot.send_video,
        "animation": api.bot.send_animation,
        "audio": api.bot.send_audio,
        "document": api.bot.send_document,
    }
    return await ways[kind](**{kind: file}, caption=piece.markup or None, **arguments)


async def _album(api: BotApi, piece: Piece, files: Sequence[InputFile], arguments: dict[str, Any]) -> Sequence[Message]:
    captions = [piece.markup or None, *([None] * (len(files) - 1))]
    media = [
        _INPUTS[one.kind](media=file, caption=caption, parse_mode=ParseMode.HTML)
        for one, file, caption in zip(piece.media, files, captions, strict=True)
    ]
    return await api.bot.send_media_group(media=media, **arguments)


def keyboard(rows: Sequence[Sequence[Button]]) -> InlineKeyboardMarkup:
    """Buttons as Telegram takes them."""
    return InlineKeyboardMarkup(
        [
            [
                InlineKeyboardButton(one.label, url=one.url)
                if one.url
                else InlineKeyboardButton(one.label, callback_data=one.value)
                for one in row
            ]
            for row in rows
        ]
    )


@contextlib.asynccontextmanager
async def _spooled(files: Files, media: Media) -> AsyncIterator[InputFile]:
    """A file of ours as the client takes it: it reads from a file and not from a stream."""
    held: IO[bytes]
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as held:
        try:
            async for piece in files.open(media.attachment.id):
                held.write(piece)
        except LookupError as error:
            raise PermanentError(f"the file {media.attachment.filename} is not kept any more", code="gone") from error
        held.seek(0)
        yield InputFile(held, filename=media.attachment.filename, attach=True, read_file_handle=False)
