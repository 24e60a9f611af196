r"""IMAP in: a folder of somebody else's server, read from where it was left, by one process at a time.

Its promises:

- The cursor (UIDVALIDITY and UID) moves after the mails before it are journaled. Who dies in between reads some mails
  again, and the same mail twice is one.
- No mail is changed: not even its `\Seen`. It is deleted only where the admin said so, and only once it is journaled.
- A folder whose server was rebuilt (another UIDVALIDITY) is read again from a day before the newest mail that was had.
- A connection that breaks is made again; what cannot be read at all becomes a message that says where it lies.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import ParamSpec, TypeVar

import msgspec

from connectors.context import Context, Lease
from connectors.email.arrival import arrived
from connectors.email.imap_folder import DroppedError, ImapFolder, Listed, LoginRefusedError, UnreadableError
from connectors.email.oauth import AccessTokens
from connectors.email.options import ImapReceiveOptions
from connectors.errors import TemporaryError
from normalizer.mail import return_path, without_fields

# IDLE must be said again within 29 minutes (RFC 2177); earlier, a connection that died unseen is found sooner.
IDLE_SECONDS = 240.0
POLL_SECONDS = 30.0
STEADY_SECONDS = 60.0  # a connection that lasted so long is made again at once; a shorter one with growing pauses
BATCH_MAILS = 50
BATCH_BYTES = 4 * 1024 * 1024
_MARGIN = timedelta(days=1)  # the server's days may begin at another hour than ours

P = ParamSpec("P")
T = TypeVar("T")


class Place(msgspec.Struct, frozen=True):
    """The cursor: all mails up to `uid` are had. `at` is when the server got the newest of them."""

    validity: int
    uid: int
    at: datetime


class ImapReader:
    """Reads one folder."""

    def __init__(self, options: ImapReceiveOptions, address: str, context: Context) -> None:
        """`address`: the channel's own."""
        self._options = options
        self._address = address
        self._context = context
        self._tokens = AccessTokens(options.oauth) if options.oauth else None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"imap-{context.channel.id}")
        self._folder: ImapFolder | None = None

    async def run(self) -> None:
        """Reads until cancelled, as soon as no other process does.

        Raises:
            TemporaryError: the server cannot be used.
            LeaseLostError: another process may be the reader by now.
        """
        name = f"imap {self._options.username}@{self._options.host} {self._options.folder}"
        try:
            async with self._context.lease(name) as lease:
                while True:
                    await self._read(lease)
        finally:
            self._thread.shutdown(wait=False)

    async def _read(self, lease: Lease) -> None:
        """Reads over one connection. Returns when it broke after it had lasted."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with self._connection() as folder:
                place, found = await self._resume(folder, lease)
                while True:
                    place = await self._take(folder, lease, place, found)
                    self._context.heard()
                    await self._news(folder)
                    found = await self._run(folder.after, place.uid)
        except DroppedError as error:
            if loop.time() - began < STEADY_SECONDS:
                raise TemporaryError(f"the connection to {self._options.host} broke: {error}") from error
            self._context.log.info("mailbox connection broke", host=self._options.host, reason=str(error))

    async def _resume(self, folder: ImapFolder, lease: Lease) -> tuple[Place, list[Listed]]:
        """The place to go on from, and what lies behind it."""
        saved = await lease.load_cursor()
        place = msgspec.json.decode(saved, type=Place) if saved else None
        if place and place.validity == folder.validity:
            return place, await self._run(folder.after, place.uid)
        if place:
            self._context.log.warning("mailbox was renumbered", folder=self._options.folder, since=str(place.at))
        since = place.at if place else self._context.now() - timedelta(days=self._options.first_days)
        found = await self._run(folder.since, (since - _MARGIN).date())
        place = Place(folder.validity, found[0].uid - 1 if found else folder.next_uid - 1, since)
        await lease.save_cursor(msgspec.json.encode(place))
        return place, found

    async def _take(self, folder: ImapFolder, lease: Lease, place: Place, found: list[Listed]) -> Place:
        """Journals these mails, and moves the cursor behind them."""
        for batch in _batches(found, self._options.max_size):
            mails = await self._fetch(folder, batch)
            kept = (self._keep(mail) for mail in mails.values())
            for failure in await asyncio.gather(*kept, return_exceptions=True):
                if isinstance(failure, BaseException):
                    raise failure
            if self._options.delete and (whole := [uid for uid, mail in mails.items() if not mail.lacks]):
                await self._run(folder.delete, whole)
            place = Place(place.validity, batch[-1].uid, max(place.at, *(one.at for one in batch)))
            await lease.save_cursor(msgspec.json.encode(place))
        return place

    async def _fetch(self, folder: ImapFolder, batch: Sequence[Listed]) -> dict[int, _Mail]:
        """The mails by UID, but for those that somebody has deleted meanwhile."""
        if batch[0].size > self._options.max_size:
            limit = f"{batch[0].size:,} bytes, more than receive.imap.max_size"
            return {batch[0].uid: await self._headers(folder, batch[0].uid, f"It has {limit}")}
        try:
            bodies = await self._run(folder.mails, [one.uid for one in batch])
        except UnreadableError as error:
            if len(batch) == 1:
                words = f"The server does not give it: {error}"
                return {batch[0].uid: await self._headers(folder, batch[0].uid, words)}
            return {uid: mail for one in batch for uid, mail in (await self._fetch(folder, [one])).items()}
        return {uid: _Mail(body) for uid, body in bodies.items()}

    async def _headers(self, folder: ImapFolder, uid: int, why: str) -> _Mail:
        """What can be had of a mail that cannot be had, and where it lies."""
        self._context.log.warning("mail taken without its content", folder=self._options.folder, uid=uid, reason=why)
        try:
            head = await self._run(folder.head, uid)
        except UnreadableError:
            head = b""
        told = f"[This mail could not be taken: it lies in {self._options.where}. {why}.]"
        return _Mail(_with_text(head, told), lacks=True)

    async def _keep(self, mail: _Mail) -> None:
        await self._context.receive(
            await arrived(
                mail.body,
                address=self._address,
                at=self._context.now(),
                mail_from=return_path(mail.body),
                rcpt_to=[self._address],
                peer=None,
                tls=self._options.tls != "none",
                trusted=self._options.trusted,
            )
        )

    async def _news(self, folder: ImapFolder) -> None:
        if folder.idles:
            await self._run(folder.idle, IDLE_SECONDS)
        else:
            await asyncio.sleep(POLL_SECONDS)
            await self._run(folder.noop)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[ImapFolder]:
        token = await self._tokens.current() if self._tokens else None
        opening = self._thread.submit(ImapFolder, self._options, token)
        try:
            folder = await asyncio.wrap_future(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_let_go)
            raise
        except LoginRefusedError:
            if self._tokens:
                self._tokens.forget()
            raise
        self._folder = folder
        try:
            yield folder
        finally:
            self._folder = None
            self._thread.submit(folder.close)

    async def _run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Calls a method of the folder in its thread. Cancelled, it cuts the connection, so that the thread is free."""
        assert self._folder is not None
        try:
            return await asyncio.wrap_future(self._thread.submit(call, *args, **kwargs))
        except asyncio.CancelledError:
            self._folder.cut()
            raise


class _Mail(msgspec.Struct, frozen=True):
    """`lacks`: its content could not be had."""

    body: bytes
    lacks: bool = False


def _batches(found: Sequence[Listed], max_size: int) -> Iterator[list[Listed]]:
    """Bounded handfuls, in order; a mail over `max_size` alone."""
    batch: list[Listed] = []
    size = 0
    for one in found:
        full = size + one.size > BATCH_BYTES or len(batch) == BATCH_MAILS
        if batch and (full or max(size, one.size) > max_size):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += one.size
    if batch:
        yield batch


def _with_text(head: bytes, text: str) -> bytes:
    """A mail with these headers, but for those that describe a content, and a text for its content."""
    kept = without_fields(head.splitlines(keepends=True), _describes_content)
    return b"".join((*kept, b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n", text.encode()))


def _describes_content(line: bytes) -> bool:
    return not line.strip() or line.lower().startswith((b"content-", b"mime-version:"))


def _let_go(opening: Future[ImapFolder]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
