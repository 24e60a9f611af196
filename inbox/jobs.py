"""What is asked of platforms after their events are stored: the bytes of files, and who people are.

A job is written in the transaction that stores what it is about, and removed in the one that stores its answer; so it
survives any death in between, and is done by whoever lives. Doing it twice changes nothing.
"""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import structlog
from msgspec.structs import replace

from connectors.base import Connector
from connectors.errors import ConnectorError, PermanentError, TemporaryError, UnavailableError
from inbox import delivery
from inbox.attachments import Attachments
from inbox.identity import EMAIL, address, identity_id
from inbox.model import Customer, Identity, Job
from inbox.pressure import eased
from inbox.store import NotOwnerError, Store, Unit
from inbox.store.files import PICTURES, Kept
from inbox.worker import Worker, insist
from normalizer.codec import clean_structure
from normalizer.outcomes import AVATAR_BYTES, Person, Profile, Remote
from normalizer.schema import Attachment, AttachmentState, Message

AT_ONCE = 8  # jobs that one process does at the same time
LONGEST_SECONDS = 900.0  # a connector that has not answered by then is asked again
PATIENCE_SECONDS = 10.0  # who somebody is, is asked this much later while others need most of this process


def fetch(message: Message, attachment: Attachment, remote: Remote, now: datetime) -> Job:
    """The job to bring a file."""
    return Job(
        id=f"fetch|{attachment.id}",
        channel=message.channel,
        due_at=now,
        message_id=message.id,
        attachment_id=attachment.id,
        ref=remote.ref,
    )


def describe(channel: str, identity: Identity, now: datetime) -> Job:
    """The job to ask who somebody is."""
    return Job(id=f"describe|{identity.id}", channel=channel, due_at=now, identity_id=identity.id)


class JobWorker:
    """Does what is due, while `run` runs."""

    def __init__(
        self, store: Store, owner: str, connectors: Mapping[str, Connector[Any]], attachments: Attachments
    ) -> None:
        self._store = store
        self._owner = owner
        self._connectors = connectors
        self._attachments = attachments
        self._worker = Worker(self._claim, self._do, at_once=AT_ONCE)
        self._logger: Any = structlog.get_logger("santral.jobs")

    async def run(self) -> None:
        """Claims and works until cancelled; what was begun then goes on, and `drain` awaits it."""
        await self._worker.run()

    async def drain(self, seconds: float) -> None:
        """Returns when what was begun is done, or after that time; then it is cut off, and done again later."""
        await self._worker.drain(seconds)

    async def recover(self, alive: list[str]) -> None:
        """Takes up what dead processes left."""
        for left in await self._store.jobs.abandoned(alive):
            await self._store.write(lambda unit, left=left: self._put_back(unit, left))  # type: ignore[misc]
            self._worker.wake()

    async def _put_back(self, unit: Unit, left: Job) -> None:
        job = await unit.one(Job, left.id)
        if job is not None and job.state == "claimed" and job.owner == left.owner:
            unit.put(replace(job, state="queued", owner=None))

    async def _claim(self, most: int) -> list[Job]:
        ready = await self._store.jobs.ready(datetime.now(UTC), most)
        if not ready:
            return []

        async def change(unit: Unit) -> list[Job]:
            found = await unit.get(Job, [job.id for job in ready])
            return [
                unit.put(replace(job, state="claimed", owner=self._owner, attempts=job.attempts + 1))
                for job in found.values()
                if job.state == "queued" and job.due_at <= unit.now
            ]

        return await self._store.write(change)

    async def _do(self, job: Job) -> None:
        """Does a claimed job. Never raises: the job would be nobody's."""
        try:
            await self._try(job)
        except NotOwnerError:
            self._logger.warning("job taken over by another process", channel=job.channel, message=job.message_id)
        except UnavailableError:
            self._logger.warning("database away while asking a platform", channel=job.channel)
            await insist(lambda: self._store.write(lambda unit: self._put_back(unit, job)))

    async def _try(self, job: Job) -> None:
        try:
            connector = self._connectors.get(job.channel)
            if connector is None:
                raise TemporaryError(f'channel "{job.channel}" is not in the configuration')
            async with asyncio.timeout(LONGEST_SECONDS):
                if job.identity_id is not None:
                    await self._describe(job, connector, job.identity_id)
                else:
                    await self._fetch(job, connector)
        except (NotOwnerError, UnavailableError):
            raise
        except Exception as error:
            if not isinstance(error, ConnectorError):
                self._logger.exception("connector raised", channel=job.channel, message=job.message_id)
            failed = functools.partial(self._failed, claimed=job, error=error)
            await insist(lambda: self._store.write(failed))

    async def _fetch(self, job: Job, connector: Connector[Any]) -> None:
        assert job.attachment_id is not None  # it is no `describe`
        limit = connector.capabilities.fetch_limit
        pieces = connector.fetch(Remote(ref=job.ref))
        try:
            kept = await self._store.files.stream_in(job.attachment_id, pieces, limit)
        except ValueError as error:
            raise PermanentError(f"more than {limit} bytes", code="too_large") from error
        await insist(lambda: self._store.write(lambda unit: self._fetched(unit, job, kept)))

    async def _fetched(self, unit: Unit, claimed: Job, kept: Kept) -> None:
        job = await self._mine(unit, claimed)
        unit.remove(Job, job.id)
        await self._attachment(unit, job, state="ready", kept=kept)

    async def _attachment(self, unit: Unit, job: Job, *, state: AttachmentState, kept: Kept | None = None) -> None:
        """What became of a file; nothing where an edit has taken it out of its message since."""
        message = await unit.one(Message, job.message_id or "")
        if message is None:
            return
        attachments = tuple(
            _as_kept(replace(one, state=state), kept) if one.id == job.attachment_id else one
            for one in message.attachments
        )
        unit.put(replace(message, attachments=attachments))

    async def _describe(self, job: Job, connector: Connector[Any], id_: str) -> None:
        await eased(PATIENCE_SECONDS)
        identity = await self._store.people.identity(id_)
        assert identity is not None  # identities are not deleted
        person = Person(kind=identity.kind, value=identity.value, name=identity.name, verified=identity.verified)
        profile = await connector.describe(person)
        avatar = None
        if profile.avatar and len(profile.avatar) <= AVATAR_BYTES:
            picture = await self._attachments.save(
                _whole(profile.avatar), filename="avatar", owner=PICTURES, limit=AVATAR_BYTES
            )
            avatar = f"/api/v1/attachments/{picture.id}"
        profile = clean_structure(replace(profile, avatar=None))
        await insist(lambda: self._store.write(lambda unit: self._described(unit, job, id_, profile, avatar)))

    async def _described(self, unit: Unit, claimed: Job, id_: str, profile: Profile, avatar: str | None) -> None:
        job = await self._mine(unit, claimed)
        unit.remove(Job, job.id)
        identity = await unit.one(Identity, id_)
        customer = await unit.one(Customer, identity.customer_id) if identity else None
        if identity is None or customer is None:
            return
        unit.put(replace(identity, name=profile.name or identity.name))
        known = replace(customer, name=customer.name or profile.name, avatar=customer.avatar or avatar)
        if known != customer:
            unit.put(replace(known, updated_at=unit.now))
        if profile.email:
            await _add_address(unit, customer, profile.email.lower(), verified=profile.verified)

    async def _failed(self, unit: Unit, claimed: Job, error: Exception) -> None:
        job = await self._mine(unit, claimed)
        permanent = isinstance(error, PermanentError)
        if not permanent and job.attempts < delivery.MAX_ATTEMPTS:
            asked = error.retry_after if isinstance(error, TemporaryError) else None
            wait = timedelta(seconds=asked) if asked is not None else delivery.pause(job.attempts, random.random())  # noqa: S311
            unit.put(replace(job, state="queued", owner=None, due_at=unit.now + wait))
            return
        unit.remove(Job, job.id)
        if job.attachment_id is not None:
            await self._attachment(unit, job, state=_state(error))

    async def _mine(self, unit: Unit, claimed: Job) -> Job:
        job = await unit.one(Job, claimed.id)
        if job is None or job.owner != self._owner or job.attempts != claimed.attempts:
            raise NotOwnerError(f"job {claimed.id} is another's")
        return job


def _as_kept(attachment: Attachment, kept: Kept | None) -> Attachment:
    return replace(attachment, size=kept.size, sha256=kept.sha256) if kept else attachment


def _state(error: Exception) -> AttachmentState:
    code = error.code if isinstance(error, ConnectorError) else None
    return code if code in get_args(AttachmentState) else "expired"  # type: ignore[return-value]


async def _add_address(unit: Unit, customer: Customer, value: str, *, verified: bool) -> None:
    """A customer's mail address, unless it is somebody's already."""
    if await unit.one(Identity, identity_id(EMAIL, value)) is None:
        unit.put(address(value, customer, verified=verified, now=unit.now))


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content
