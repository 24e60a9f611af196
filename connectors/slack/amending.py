"""Changing what stands on Slack."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from connectors.base import Amendment
from connectors.errors import PermanentError
from connectors.slack.api import SlackApi
from connectors.slack.compose import pieces
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
        case "react" | "unreact":
            channel, ts = _named(amendment.message.external.id or "")
            method, done = ("add", "already_reacted") if amendment.kind == "react" else ("remove", "no_reaction")
            await amendment.pace()
            with _done_already(done):
                name = name_of(amendment.emoji or "")
                await api.call(f"reactions.{method}", channel=channel, timestamp=ts, name=name)


async def _edit(api: SlackApi, amendment: Amendment) -> None:
    """Edits each post whose text is another one; a shorter text leaves posts over, which are deleted.

    Raises:
        PermanentError: it needs another post than those that were sent.
    """
    before, after = pieces(amendment.before), pieces(amendment.message)
    ids = dict(zip((piece.name for piece in before), amendment.message.external.ids, strict=False))
    standing = {piece.name: piece for piece in before}
    if any(piece.name not in ids for piece in after):
        raise PermanentError("the new text needs another message than those that were sent", code="too_long")
    for piece in after:
        if not piece.files and (piece.text, piece.blocks) != (standing[piece.name].text, standing[piece.name].blocks):
            channel, ts = _named(ids[piece.name])
            await amendment.pace()
            # Without blocks of its own the text would stand under those that were there.
            await api.call("chat.update", channel=channel, ts=ts, text=piece.text, blocks=piece.blocks)
    kept = {piece.name for piece in after}
    for name, id_ in ids.items():
        if name not in kept:
            await _delete(api, amendment, id_)


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
