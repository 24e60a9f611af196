"""A person's right to what is kept of them, and to be forgotten (GDPR articles 15, 17 and 20; KVKK article 11).

Their conversations go as a whole, with what agents wrote in them. What they wrote in the conversations of others is
emptied, and their addresses are blotted out where others name them, so that those conversations stay readable. Every
step may be done twice: one that was cut off is carried out again by asking again.
"""

from __future__ import annotations

import contextlib
import functools
import re
import zipfile
from collections.abc import Sequence
from typing import IO, Any

from msgspec import Struct
from msgspec.structs import replace

from inbox.errors import NotFoundError
from inbox.model import Conversation, Customer, CustomerNote, Identity, Preview, scoped
from inbox.store import Store, Unit
from normalizer.codec import from_builtins, to_builtins, to_json
from normalizer.schema import Author, External, Message, Relations

ERASED = "[erased]"
AT_ONCE = 200  # messages in one transaction


class Erased(Struct, frozen=True, kw_only=True):
    """What was taken out."""

    customers: int
    conversations: int
    messages: int
    emptied: int
    originals: int
    files: int

    def and_(self, more: Erased) -> Erased:
        """Both together."""
        return Erased(**{name: getattr(self, name) + getattr(more, name) for name in Erased.__struct_fields__})


class Privacy:
    """Export and erasure of a customer, with all who were merged into them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def export(self, customer_id: str, out: IO[bytes]) -> None:
        """Writes all that is kept of a customer as a ZIP archive: JSON, originals and files as they came.

        Raises:
            NotFoundError: no such customer.
        """
        family = await self._family(customer_id)
        ids = [one.id for one in family]
        conversations = await self._store.personal.conversations(ids)
        messages = [m async for m in self._store.personal.messages([one.id for one in conversations])]
        messages += await self._store.personal.elsewhere(ids, [one.id for one in conversations])
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("customer.json", to_json(family))
            archive.writestr("identities.json", to_json(await self._store.people.identities(ids)))
            archive.writestr("notes.json", to_json(await self._store.personal.notes(ids)))
            archive.writestr("conversations.json", to_json(conversations))
            archive.writestr("messages.json", to_json(messages))
            archive.writestr("drafts.json", to_json(await self._store.drafts.within([one.id for one in conversations])))
            for message in messages:
                await self._export_files(message, archive)

    async def _export_files(self, message: Message, archive: zipfile.ZipFile) -> None:
        entry = await self._store.journal.get(message.external.original_id) if message.external.original_id else None
        if entry is not None:
            with contextlib.suppress(LookupError):  # it is not kept any more
                archive.writestr(f"originals/{message.id}", await self._store.journal.body(entry))
        for attachment in message.attachments:
            try:
                pieces = [piece async for piece in self._store.files.open(attachment.id)]
            except LookupError:
                continue
            archive.writestr(f"attachments/{attachment.id}/{attachment.filename}", b"".join(pieces))

    async def erase(self, customer_id: str) -> Erased:
        """Takes a customer out of the database; messages that name them elsewhere lose their addresses.

        Raises:
            NotFoundError: no such customer.
        """
        family = await self._family(customer_id)
        ids = [one.id for one in family]
        identities = await self._store.people.identities(ids)
        conversations = await self._store.personal.conversations(ids)
        inside = [one.id for one in conversations]
        written = await self._store.personal.elsewhere(ids, inside)
        addresses = [one.value for one in identities if "@" in one.value]
        naming = [m for m in await self._store.personal.naming(addresses, inside) if m.customer_id not in ids]
        words = [*addresses, *_names(family, identities)]
        originals = await self._blot_out([*written, *naming], ids, words)
        await self._erase_notes(ids, addresses, words)
        erased = await self.forget(
            conversations, sent_by=[one.value for one in identities], also=[m for m in written if m.attachments]
        )
        pictures = [one.avatar.rpartition("/")[2] for one in family if one.avatar]
        await self._store.personal.drop_files(pictures)
        await self._store.personal.drop_traces_of_people(ids, [one.id for one in identities])
        await self._store.write(functools.partial(_remove, kind=Identity, values=identities))
        # Who writes from now on is somebody new, and what they send stays; what they wrote meanwhile goes too.
        while late := await self._store.personal.conversations(ids):
            erased = erased.and_(await self.forget(late))
        # Last, so that whoever asks again finds what is left.
        await self._store.write(functools.partial(_remove, kind=Customer, values=family))
        return replace(
            erased,
            customers=len(family),
            emptied=len(written) + len(naming),
            originals=erased.originals + originals,
        )

    async def _erase_notes(self, customer_ids: Sequence[str], addresses: Sequence[str], words: Sequence[str]) -> None:
        """Takes out the notes about these customers, and their words out of what is noted about others."""
        theirs = await self._store.personal.notes(customer_ids)
        for some in _slices(theirs):
            await self._store.write(functools.partial(_remove, kind=CustomerNote, values=some), weight=len(some))
        for some in _slices(await self._store.personal.notes_naming(addresses)):
            await self._store.write(functools.partial(_blot_notes, notes=some, words=words), weight=len(some))

    async def forget(
        self, conversations: Sequence[Conversation], *, sent_by: Sequence[str] = (), also: Sequence[Message] = ()
    ) -> Erased:
        """Takes conversations out of the database, with messages, originals, files and all that was told of them.

        One in which somebody writes meanwhile stays, with what they wrote.

        Args:
            conversations: which.
            sent_by: addresses of which every original goes; looking for them reads the whole journal.
            also: messages elsewhere whose files go.
        """
        until = {one.id: one.last_seq for one in conversations}
        inside = list(until)
        found = self._store.personal.messages(inside)
        messages = [m async for m in found if m.seq <= until[m.conversation_id]]
        originals = await self._store.personal.journaled(_original_ids(messages), sent_by)
        files = {file.id for m in (*messages, *also) for file in m.attachments}
        await self._store.personal.drop_originals(originals)
        await self._store.personal.drop_files(files)
        await self._store.personal.drop_traces(
            conversation_ids=inside,
            message_ids=[m.id for m in messages],
            waiting=[scoped(m.channel, m.external.id) for m in messages if m.external.id],
        )
        for some in _slices(messages):
            await self._store.write(functools.partial(_remove, kind=Message, values=some), weight=len(some))
        gone = 0
        for some in _slices(conversations):
            gone += await self._store.write(functools.partial(_close, conversations=some), weight=len(some))
        return Erased(
            customers=0,
            conversations=gone,
            messages=len(messages),
            emptied=0,
            originals=len(originals),
            files=len(files),
        )

    async def _blot_out(self, messages: Sequence[Message], customer_ids: Sequence[str], words: Sequence[str]) -> int:
        """Empties what these customers wrote, and takes the words out of what others wrote.

        Originals have both, and go: returns how many.
        """
        originals = await self._store.personal.journaled(_original_ids(messages), ())
        await self._store.personal.drop_originals(originals)
        await self._store.personal.drop_told([m.conversation_id for m in messages])
        for some in _slices(messages):
            change = functools.partial(_blot, messages=some, customer_ids=customer_ids, words=words)
            await self._store.write(change, weight=len(some))
        return len(originals)

    async def _family(self, customer_id: str) -> list[Customer]:
        family = await self._store.people.family(customer_id)
        if not family:
            raise NotFoundError(f"no customer {customer_id}")
        return family


def _names(family: Sequence[Customer], identities: Sequence[Identity]) -> list[str]:
    """What the person is called, where that is more than one word: a first name is many people's."""
    names = {name for name in (*(one.name for one in family), *(one.name for one in identities)) if name}
    return sorted((name for name in names if " " in name.strip()), key=len, reverse=True)


def _original_ids(messages: Sequence[Message]) -> list[str]:
    return [m.external.original_id for m in messages if m.external.original_id]


async def _remove(unit: Unit, kind: type[Any], values: Sequence[Any]) -> None:
    for id_ in await unit.get(kind, [value.id for value in values]):
        unit.remove(kind, id_)


async def _close(unit: Unit, conversations: Sequence[Conversation]) -> int:
    """Removes those in which nobody has written since; returns how many."""
    found = await unit.get(Conversation, [one.id for one in conversations])
    over = [one.id for one in conversations if one.id in found and found[one.id].last_seq == one.last_seq]
    for id_ in over:
        unit.remove(Conversation, id_)
    return len(over)


async def _blot(unit: Unit, messages: Sequence[Message], customer_ids: Sequence[str], words: Sequence[str]) -> None:
    for message in (await unit.get(Message, [one.id for one in messages])).values():
        blotted = unit.put(_emptied(message) if message.customer_id in customer_ids else _without(message, words))
        conversation = await unit.one(Conversation, message.conversation_id)
        if conversation is None:
            continue
        conversation = _without(conversation, words)
        last = conversation.last_message
        if last is not None and last.id == message.id:
            conversation = replace(conversation, last_message=Preview.of(blotted, last.at))
        unit.put(conversation)


async def _blot_notes(unit: Unit, notes: Sequence[CustomerNote], words: Sequence[str]) -> None:
    for note in (await unit.get(CustomerNote, [one.id for one in notes])).values():
        unit.put(_without(note, words))


def _emptied(message: Message) -> Message:
    """The place of a message, so that a conversation has no hole: nothing that it said, nor who said it."""
    return Message(
        id=message.id,
        conversation_id=message.conversation_id,
        seq=message.seq,
        kind=message.kind,
        direction=message.direction,
        channel=message.channel,
        connector=message.connector,
        author=Author(type=message.author.type, name=ERASED),
        external=External(),
        text=ERASED,
        relations=Relations(),
        received_at=message.received_at,
        created_at=message.created_at,
        deleted_at=message.deleted_at or message.created_at,
    )


def _without(value: Any, words: Sequence[str]) -> Any:  # noqa: ANN401 (a message, a conversation or a note)
    if not words:
        return value
    pattern = re.compile("|".join(map(re.escape, words)), re.IGNORECASE)
    return from_builtins(_blotted(to_builtins(value), pattern), type(value))


def _blotted(value: Any, pattern: re.Pattern[str]) -> Any:  # noqa: ANN401 (plain data)
    if isinstance(value, str):
        return pattern.sub(ERASED, value)
    if isinstance(value, dict):
        return {key: _blotted(inner, pattern) for key, inner in value.items()}
    return [_blotted(inner, pattern) for inner in value] if isinstance(value, list | tuple) else value


def _slices(values: Sequence[Any]) -> list[Sequence[Any]]:
    return [values[begin : begin + AT_ONCE] for begin in range(0, len(values), AT_ONCE)]
