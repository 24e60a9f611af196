"""Changing what stands on Slack."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from connectors.base import Amendment
from connectors.errors import PermanentError
from connectors.rewriting import rewriting
from connectors.slack.api import SlackApi
from connectors.slack.compose import Piece, briefly, pieces
from normalizer.slack.emoji import name_of


async def amend(api: SlackApi, amendment: Amendment) -> None:
    """Does what an agent wishes; a second time is as if it were the first.

    Raises:
        TemporaryError: not now.
        PermanentError: Slack does not.
        UncertainError: it has not answered.
    """
    match amendment.kind:
        case "edit":
            await _edit(api, amendment)
        case "delete":
            for id_ in amendment.message.external.ids or (amendment.message.external.id or "",):
                await _delete(api, amendment, id_)
        case "unreact" if _stands(amendment):
            return
        case "react" | "unreact":
            channel, ts = _named(amendment.message.external.id or "")
            method, done = ("add", "already_reacted") if amendment.kind == "react" else ("remove", "no_reaction")
            await amendment.pace()
            with _done_already(done):
                name = name_of(amendment.emoji or "")
                await api.call(f"reactions.{method}", channel=channel, timestamp=ts, name=name)


def _stands(amendment: Amendment) -> bool:
    """Whether another agent's such emoji stays there, in whatever tone: a bot has each once, agents many."""
    name = name_of(amendment.emoji or "")
    return any(one.author.type == "agent" and name_of(one.emoji) == name for one in amendment.message.reactions)


async def _edit(api: SlackApi, amendment: Amendment) -> None:
    """Edits each post whose text is another one; a shorter text leaves posts over, which are deleted.

    Raises:
        PermanentError: it needs another post than those that were sent.
    """
    plan = rewriting(amendment, pieces, _shown, ids=lambda piece: max(1, len(piece.files)))
    for id_, piece in plan.rewritten:
        channel, ts = _named(id_)
        await amendment.pace()
        # Always with blocks: a bare text would stand under those that were there, and its `*` would be markup.
        await api.call("chat.update", channel=channel, ts=ts, text=briefly(piece.text), blocks=piece.written)
    for id_ in plan.left_over:  # last: where no edit is allowed any more, nothing is lost
        await _delete(api, amendment, id_)


def _shown(piece: Piece) -> object:
    return None if piece.files else (piece.text, piece.blocks)


async def _delete(api: SlackApi, amendment: Amendment, id_: str) -> None:
    await amendment.pace()
    kind, _, name = id_.partition("/")
    if kind == "file":
        with _done_already("file_deleted"), _done_already("file_not_found"):
            await api.call("files.delete", file=name)
    else:
        channel, ts = _named(id_)
        with _done_already("message_not_found"):
            await api.call("chat.delete", channel=channel, ts=ts)


@contextlib.contextmanager
def _done_already(code: str) -> Iterator[None]:
    """Slack refuses to do again what is done."""
    try:
        yield
    except PermanentError as error:
        if error.code != code:
            raise


def _named(external_id: str) -> tuple[str, str]:
    channel, _, ts = external_id.partition("/")
    if not ts or channel == "file":
        raise PermanentError("Slack does not know this message")
    return channel, ts
