"""Changing what stands on Telegram."""

from __future__ import annotations

import contextlib
import itertools
import operator
from collections.abc import Iterable, Iterator
from typing import Any

from telegram.constants import ParseMode
from telegram.error import BadRequest

from connectors.base import Amendment
from connectors.errors import PermanentError
from connectors.rewriting import rewriting
from connectors.telegram.api import BotApi
from connectors.telegram.compose import Piece, pieces
from connectors.telegram.sending import Place, keyboard
from normalizer.schema import Message
from normalizer.telegram.people import located


async def amend(api: BotApi, amendment: Amendment) -> None:
    """Does what an agent wishes; a second time is as if it were the first.

    Raises:
        TemporaryError: not now.
        PermanentError: Telegram does not.
        UncertainError: it has not answered.
    """
    match amendment.kind:
        case "edit":
            await _edit(api, amendment)
        case "delete":
            external = amendment.message.external
            await _delete(api, amendment, external.ids or (external.id or "",))
        case "react" | "unreact":
            if _connection(amendment):  # without it, setMessageReaction would reach for a message of the bot's own chat
                raise PermanentError("Telegram lets a bot put no reactions into the chats of a connected business")
            chat, number = _named(amendment.message.external.id or "")
            reaction = amendment.emoji if amendment.kind == "react" else _left_standing(amendment.message)
            await amendment.pace()
            with api.calling():
                await api.bot.set_message_reaction(chat, number, reaction)


def _left_standing(message: Message) -> str | None:
    """The newest reaction of agents: a bot has one under a message, agents many."""
    by_agents = [one for one in message.reactions if one.author.type == "agent"]
    return max(reversed(by_agents), key=lambda one: one.at).emoji if by_agents else None


async def _edit(api: BotApi, amendment: Amendment) -> None:
    """Edits each piece whose text is another one; a shorter text leaves pieces over, which are deleted.

    Raises:
        PermanentError: it needs another message than those that were sent, or leaves one over that is too old to go.
    """
    plan = rewriting(amendment, pieces, _shown, ids=lambda piece: max(1, len(piece.media)))
    await _delete(api, amendment, plan.left_over)  # first: where Telegram refuses that, all stays as it was
    for id_, piece in plan.rewritten:
        await amendment.pace()
        await _rewrite(api, piece, _connection(amendment), id_)


def _shown(piece: Piece) -> object:
    """What can be edited: a text or a caption that is there. No file gets its first caption by an edit."""
    return (piece.markup, piece.buttons) if piece.markup else None


def _connection(amendment: Amendment) -> str:
    """For whose business it was sent. In which chat, each piece knows best: a group may have moved since."""
    return Place(amendment.message.external.thread_key or "").connection


async def _rewrite(api: BotApi, piece: Piece, connection: str, id_: str) -> None:
    chat, number = _named(id_)
    where: dict[str, Any] = {"chat_id": chat, "message_id": number, "parse_mode": ParseMode.HTML}
    if connection:
        where["business_connection_id"] = connection
    if piece.buttons:  # else they would go
        where["reply_markup"] = keyboard(piece.buttons)
    with api.calling(), _done_already("message is not modified"):
        if piece.media:
            await api.bot.edit_message_caption(caption=piece.markup, **where)
        else:
            await api.bot.edit_message_text(piece.markup, **where)


async def _delete(api: BotApi, amendment: Amendment, ids: Iterable[str]) -> None:
    connection = _connection(amendment)
    for chat, named in itertools.groupby(map(_named, ids), key=operator.itemgetter(0)):
        numbers = [number for _, number in named]
        await amendment.pace()
        with api.calling(), _done_already("message to delete not found"):
            if connection:
                await api.bot.delete_business_messages(connection, numbers)
            else:
                await api.bot.delete_messages(chat, numbers)


@contextlib.contextmanager
def _done_already(words: str) -> Iterator[None]:
    """Telegram refuses to do again what is done."""
    try:
        yield
    except BadRequest as error:
        if words not in error.message.lower():
            raise


def _named(external_id: str) -> tuple[str, int]:
    place = located(external_id)
    if place is None:
        raise PermanentError("Telegram does not know this message")
    return place
