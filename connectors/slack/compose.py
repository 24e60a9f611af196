"""From a reply to the pieces that Slack takes: texts with their blocks, and files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from connectors.errors import PermanentError
from normalizer.rich import Rich, from_html, split, stripped
from normalizer.schema import Attachment, Message, Part
from normalizer.slack import blocks, mrkdwn
from normalizer.slack.request import OURS

# https://docs.slack.dev/reference/methods/chat.postMessage#truncating and Block Kit's references
TEXT_LIMIT = 3900
BLOCK_LIMIT = 2900
UPDATE_BYTES = 4000  # of the text beside the blocks, https://docs.slack.dev/reference/methods/chat.update#errors
BUTTONS = 25
LABEL_LIMIT = 75
VALUE_LIMIT = 2000


class Piece(Struct, frozen=True, kw_only=True):
    """One post of Slack: `name` is the same on every try."""

    name: str
    text: str = ""
    blocks: list[dict[str, Any]] = []
    files: tuple[Attachment, ...] = ()

    @property
    def written(self) -> list[dict[str, Any]]:
        """Its blocks, of a text without any too: what was typed is no markup there."""
        return self.blocks or blocks.write(Rich(mrkdwn.unescaped(self.text)))


def pieces(message: Message) -> list[Piece]:
    """What to send, in order: texts, then files, all at once.

    Raises:
        PermanentError: more buttons, or longer ones, than Slack carries.
    """
    rich = stripped(from_html(message.html) if message.html else Rich(message.text))
    limit = BLOCK_LIMIT if rich.spans else TEXT_LIMIT
    texts = [one for one in split(rich, limit) if one.text.strip()]
    found = [
        Piece(name=f"text:{number}", text=mrkdwn.escaped(one.text), blocks=blocks.write(one) if one.spans else [])
        for number, one in enumerate(texts)
    ]
    buttons = list(_buttons(message.parts))
    if buttons:
        found = [*found[:-1], _with_buttons(found[-1] if found else Piece(name="buttons", text="…"), buttons)]
    return [*found, Piece(name="files", files=message.attachments)] if message.attachments else found


def briefly(text: str) -> str:
    """A text that stands for blocks where these are not shown, as long as an edit may have it."""
    if len(text.encode()) <= UPDATE_BYTES:
        return text
    cut = text.encode()[:UPDATE_BYTES].decode(errors="ignore")
    whole, mark, entity = cut.rpartition("&")
    return whole if mark and len(entity) < len("amp;") and ";" not in entity else cut


def _with_buttons(piece: Piece, buttons: list[dict[str, Any]]) -> Piece:
    actions = {"type": "actions", "elements": buttons}
    return Piece(name=piece.name, text=piece.text, blocks=[*piece.written, actions], files=piece.files)


def _buttons(parts: Sequence[Part]) -> Iterator[dict[str, Any]]:
    offered = [button for part in parts if part.type == "buttons" for button in part.data.get("buttons", ())]
    if len(offered) > BUTTONS:
        raise PermanentError(f"Slack shows {BUTTONS} buttons at the most", code="too-many-buttons")
    for number, button in enumerate(offered):
        label, url = str(button.get("label", "")), str(button.get("url") or "")
        value = str(button.get("value") or label)
        if len(label) > LABEL_LIMIT or len(value) > VALUE_LIMIT:
            raise PermanentError(f"Slack's buttons show {LABEL_LIMIT} characters: {label}", code="button-too-long")
        shown = {"type": "plain_text", "text": label, "emoji": True}
        target = {"url": url} if url else {"value": value}
        yield {"type": "button", "action_id": f"{OURS}:{number}", "text": shown, **target}
