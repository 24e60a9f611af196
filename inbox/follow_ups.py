"""Replies that nobody fetched: after a while they leave by another channel, to an address that was proved.

Which replies wait for that is written with each of them (`remember`); whether it still holds is decided in the
transaction that stores the message which brings them. So none is brought twice, whoever looks and whoever dies, nor one
that was fetched meanwhile; from then on that message is a reply like any other.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import structlog

from connectors.base import Connector
from connectors.errors import UnavailableError
from inbox import threading
from inbox.addressing import Addressee, Addressing, on_its_way
from inbox.identity import identity_id
from inbox.model import Conversation, Identity, PendingFollowUp, new_id
from inbox.store import Store, Unit
from normalizer.schema import Delivery, Message, Recipient

LOOK_SECONDS = 1.0
AT_ONCE = 100
_SUBJECTS = {"en": "{inbox}: your chat", "tr": "{inbox}: sohbetiniz"}


async def remember(unit: Unit, message: Message, connector: Connector[Any]) -> None:
    """Notes that a reply waits to be fetched, where its channel wants such to leave by another one."""
    wanted = connector.options.follow_up
    if wanted is None or message.external.thread_key is None:
        return
    id_ = f"{message.channel}|{message.conversation_id}|{message.external.thread_key}"
    known = await unit.one(PendingFollowUp, id_)
    unit.put(
        PendingFollowUp(
            id=id_,
            channel=message.channel,
            conversation_id=message.conversation_id,
            thread_key=message.external.thread_key,
            replies=(*known.replies, message.id) if known else (message.id,),
            due_at=unit.now + wanted.after,
        )
    )


class FollowUps:
    """Looks every second; several of them send each once."""

    def __init__(self, store: Store, addressing: Addressing) -> None:
        self._store = store
        self._addressing = addressing
        self._logger: Any = structlog.get_logger("santral.follow_ups")

    async def run(self) -> None:
        """Goes on until cancelled. A database that is away is waited for."""
        while True:
            due: list[str] = []
            with contextlib.suppress(UnavailableError):
                due = await self._store.outbox.follow_ups(datetime.now(UTC), AT_ONCE)
                for id_ in due:
                    sent = await self._store.write(functools.partial(self._follow_up, id_=id_))
                    if sent is not None:
                        self._logger.info("unfetched replies leave", message=sent.id, channel=sent.channel)
            if len(due) < AT_ONCE:
                await asyncio.sleep(LOOK_SECONDS)

    async def _follow_up(self, unit: Unit, id_: str) -> Message | None:
        """The message by which the replies leave; None where there is nobody to send it to, or nothing to send."""
        pending = await unit.one(PendingFollowUp, id_)
        if pending is None or pending.due_at > unit.now:  # another process was quicker, or one more reply was written
            return None
        unit.remove(PendingFollowUp, id_)
        found = (await unit.get(Message, pending.replies)).values()
        replies = [one for one in found if one.delivery and one.delivery.state == "waiting" and not one.deleted_at]
        addressee = await self._addressee(unit, pending) if replies else None
        conversation = await unit.one(Conversation, replies[0].conversation_id) if addressee else None
        if addressee is None or conversation is None:
            return None
        message = _message(unit, conversation, sorted(replies, key=lambda one: one.seq), addressee)
        unit.put(on_its_way(message, addressee, unit.now))
        unit.put(threading.followed_by(conversation, message, unit.now))
        return unit.put(message)

    async def _addressee(self, unit: Unit, pending: PendingFollowUp) -> Addressee | None:
        """Who was to fetch them, by an address of theirs that was proved: others may share the conversation."""
        connector = self._addressing.connectors.get(pending.channel)
        wanted = connector.options.follow_up if connector else None
        if connector is None or wanted is None:  # it was configured otherwise meanwhile
            return None
        reader = await unit.one(Identity, identity_id(connector.identity_kind, pending.thread_key))
        return await self._addressing.proved(unit, reader.customer_id, wanted.channel) if reader else None


def _message(unit: Unit, conversation: Conversation, replies: Sequence[Message], addressee: Addressee) -> Message:
    channel, able = addressee.connector.channel, addressee.connector.capabilities
    subject = _SUBJECTS.get(channel.locale.partition("-")[0], _SUBJECTS["en"]).format(inbox=channel.inbox_name)
    files = [file for reply in replies for file in reply.attachments]
    sizes = itertools.accumulate(file.size or 0 for file in files)
    return Message(
        id=new_id(),
        conversation_id=conversation.id,
        customer_id=conversation.customer_id,
        seq=conversation.last_seq + 1,
        direction="outbound",
        channel=addressee.channel,
        connector=addressee.connector.name,
        author=replies[-1].author,
        text="\n\n".join(reply.text for reply in replies if reply.text)[: able.text_limit],
        subject=subject if able.subject else None,
        attachments=tuple(file for file, size in zip(files, sizes, strict=True) if size <= able.attachment_limit),
        created_at=unit.now,
        delivery=Delivery(state="queued", recipients=(Recipient(address=addressee.identity.value, state="queued"),)),
    )
