"""Albums: what a platform sends as several items and people read as one message. Pure, and right in any order."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from normalizer.outcomes import Change
from normalizer.rich import Rich, to_html
from normalizer.schema import Item, Message


def grown(message: Message, item: Message, external_id: str) -> Message:
    """An album with one more item; doing it twice changes nothing.

    Captions and files stand in the order of their items' ids, whatever order they come in. An item that comes after all
    before it were deleted stands alone.
    """
    standing = () if message.deleted_at else _items(message)
    if any(one.id == external_id for one in standing):
        return message
    files = tuple(file.id for file in item.attachments)
    items = (*standing, Item(id=external_id, text=item.text, html=item.html, files=files))
    more = replace(
        message,
        parts=message.parts or item.parts,
        attachments=(*message.attachments, *item.attachments),
        deleted_at=None,
    )
    return _of(more, sorted(items, key=lambda one: (len(one.id), one.id)))


def without(message: Message, external_id: str) -> Message:
    """An album that has lost one of several items."""
    return _of(message, (one for one in _items(message) if one.id != external_id))


def edited(message: Message, change: Change) -> Message:
    """An album in which the caption and the file of one item are others; an edit older than the item's last is not."""
    (item,) = (one for one in _items(message) if one.id == change.external_id)
    if item.edited_at is not None and change.at < item.edited_at:
        return message
    known = {one.external_id: one for one in message.attachments if one.external_id and one.id in item.files}
    given = tuple(known.get(one.external_id or "", one) for one in change.attachments or ())
    other = replace(
        item,
        text=item.text if change.text is None else change.text,
        html=item.html if change.text is None else change.html,
        files=item.files if change.attachments is None else tuple(one.id for one in given),
        edited_at=change.at,
    )
    more = replace(message, attachments=(*message.attachments, *given))
    return _of(more, (other if one is item else one for one in _items(more)))


def _items(message: Message) -> tuple[Item, ...]:
    """The items of an album. One that has not grown yet has one, and old versions kept none: a file was an item."""
    if message.external.items:
        return message.external.items
    ids = message.external.ids or (message.external.id or "",)
    files = tuple(one.id for one in message.attachments)
    first, *others = (Item(id=id_, files=files[at : at + 1]) for at, id_ in enumerate(ids))
    if not others:
        first = replace(first, files=files)
    return (replace(first, text=message.text, html=message.html), *others)


def _of(message: Message, items: Iterable[Item]) -> Message:
    """The message that these items are."""
    items = tuple(items)
    files = {one.id: one for one in message.attachments}
    ids = tuple(one.id for one in items)
    captions = [one for one in items if one.text]
    html = (one.html or to_html(Rich(one.text)) for one in captions)
    external = message.external
    return replace(
        message,
        external=replace(external, id=external.id if external.id in ids else ids[0], ids=ids, items=items),
        text="\n".join(one.text for one in captions),
        html="<br>".join(html) if any(one.html for one in captions) else None,
        attachments=tuple(files[id_] for one in items for id_ in one.files),
    )
