"""Mail in by IMAP, from a real Dovecot."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from harness import PATIENCE
from imap_server import PASSWORD, Dovecot
from mail_journal import ADDRESS, CHANNEL, Journal
from mail_servers import Certificate, access_token
from token_provider import Provider

from connectors.email import EmailConnector, EmailOptions, imap_in
from connectors.errors import TemporaryError, UnavailableError


@pytest.fixture(autouse=True)
def trust(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.cert))


@pytest.fixture
def journal() -> Journal:
    return Journal(CHANNEL)


def mail(text: str, **headers: str) -> bytes:
    """A mail with these headers (`Message_ID` is `Message-ID`)."""
    given = {"Return-Path": "<jane@customer.example>", "From": "Jane <jane@customer.example>", "Subject": text}
    lines = {**given, **{name.replace("_", "-"): value for name, value in headers.items()}}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{head}\r\n{text}\r\n".encode()


def connector(server: Dovecot, user: str, **options: Any) -> EmailConnector:
    given = {"host": "127.0.0.1", "port": server.plain, "tls": "none", "username": user, "password": PASSWORD}
    imap = {key: value for key, value in {**given, **options}.items() if value is not None}
    parsed = EmailOptions.model_validate({"address": ADDRESS, "receive": {"imap": imap}})
    return EmailConnector(parsed, CHANNEL)


@asynccontextmanager
async def reading(journal: Journal, server: Dovecot, user: str, **options: Any) -> AsyncIterator[asyncio.Task[None]]:
    """A channel that reads meanwhile."""
    task = asyncio.create_task(connector(server, user, **options).start(journal))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task}, timeout=PATIENCE)
        assert task.done()


async def refusal(server: Dovecot, user: str, **options: Any) -> str:
    """Why the channel does not start."""
    with pytest.raises(TemporaryError) as caught:
        await asyncio.wait_for(connector(server, user, **options).start(Journal(CHANNEL)), PATIENCE)
    return caught.value.reason


async def test_what_is_there_and_what_comes_arrives_byte_for_byte_and_stays_unread(
    dovecot: Dovecot, user: str, journal: Journal
) -> None:
    first, second = mail("first"), mail("second\r\n\r\n.\r\nFrom here on ÿ")
    dovecot.put(user, first)
    async with reading(journal, dovecot, user):
        await journal.until(lambda: journal.bodies == [first])
        await journal.until(lambda: journal.is_ready)
        dovecot.put(user, second)
        await journal.until(lambda: journal.bodies == [first, second])
    assert not any(b"Seen" in flags for flags in dovecot.flags(user))
    raw = journal.received[0]
    assert raw.envelope == {
        "mail_from": "jane@customer.example",
        "rcpt_to": [ADDRESS],
        "peer": None,
        "tls": False,
        "trusted": False,
    }


async def test_news_that_come_with_the_answer_to_idle_are_not_waited_for(
    dovecot: Dovecot, user: str, journal: Journal
) -> None:
    async with reading(journal, dovecot, user):
        await journal.until(lambda: journal.is_ready)
        with dovecot.client(user) as client:
            for number in range(30):  # some of them fall between the search and IDLE
                client.append("INBOX", "", "", mail(f"number {number}"))
        await journal.until(lambda: len(journal.received) == 30)


async def test_it_goes_on_where_it_was_left(dovecot: Dovecot, user: str, journal: Journal) -> None:
    dovecot.put(user, mail("first"))
    async with reading(journal, dovecot, user):
        await journal.until(lambda: journal.is_ready)
    dovecot.put(user, mail("second"))
    async with reading(journal, dovecot, user):
        await journal.until(lambda: len(journal.received) == 2)
    assert journal.entered == 2


async def test_the_cursor_waits_for_the_journal(dovecot: Dovecot, user: str, journal: Journal) -> None:
    dovecot.put(user, *(mail(f"number {number}") for number in range(120)))
    journal.door.clear()
    async with reading(journal, dovecot, user):
        await journal.until(lambda: journal.entered > 0)
    assert not journal.received
    journal.door.set()
    journal.trouble = UnavailableError("the database is away")
    with pytest.raises(UnavailableError):
        await connector(dovecot, user).start(journal)
    journal.trouble = None
    async with reading(journal, dovecot, user):
        await journal.until(lambda: len(journal.received) == 120)
    assert [raw.body for raw in journal.received] == [mail(f"number {number}") for number in range(120)]


async def test_a_renumbered_folder_is_read_again_from_where_it_was(
    dovecot: Dovecot, user: str, journal: Journal
) -> None:
    now = datetime.now(UTC)
    dovecot.put(user, mail("old"), at=now - timedelta(days=20))
    dovecot.put(user, mail("had"), at=now - timedelta(hours=1))
    async with reading(journal, dovecot, user):
        await journal.until(lambda: journal.is_ready)
    assert len(journal.received) == 1
    dovecot.renumber(user)
    dovecot.put(user, mail("missed"))
    async with reading(journal, dovecot, user):
        await journal.until(lambda: len(journal.received) == 2)
    assert [raw.body for raw in journal.received] == [mail("had"), mail("missed")]


async def test_how_much_of_the_past_the_first_start_takes(dovecot: Dovecot, user: str) -> None:
    now = datetime.now(UTC)
    for days in (20, 9, 5, 0):
        dovecot.put(user, mail(f"{days} days ago"), at=now - timedelta(days=days))

    async def taken(**options: int) -> int:
        journal = Journal(CHANNEL)
        async with reading(journal, dovecot, user, **options):
            await journal.until(lambda: journal.is_ready)
        return len(journal.received)

    assert await taken(first_days=0) == 1
    assert await taken() == 2
    assert await taken(first_days=30) == 4


async def test_an_empty_folder_is_remembered_too(dovecot: Dovecot, user: str, journal: Journal) -> None:
    async with reading(journal, dovecot, user):
        await journal.until(lambda: journal.is_ready)
    dovecot.put(user, mail("while it was away"), at=datetime.now(UTC) - timedelta(days=40))
    async with reading(journal, dovecot, user):
        await journal.until(lambda: len(journal.received) == 1)


async def test_it_deletes_what_it_was_told_to_and_nothing_else(dovecot: Dovecot, user: str, journal: Journal) -> None:
    dovecot.put(user, mail("somebody's"), at=datetime.now(UTC) - timedelta(days=40))
    with dovecot.client(user) as client:
        client.store("1", "+FLAGS", r"(\Deleted)")
    dovecot.put(user, mail("ours"), mail("too large " + "x" * 5000))
    async with reading(journal, dovecot, user, delete=True, max_size=4000):
        await journal.until(lambda: journal.is_ready)
    with dovecot.client(user) as client:
        found = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
    subjects = [one[1][9:20] for one in found if isinstance(one, tuple)]
    assert subjects == [b"somebody's\r", b"too large x"]


async def test_of_a_mail_that_is_too_large_the_headers_are_taken(dovecot: Dovecot, user: str, journal: Journal) -> None:
    large = mail("too large", Message_ID="<large@customer.example>", Content_Type="text/html") + b"x" * 5000
    dovecot.put(user, mail("before"), large, mail("after"))
    async with reading(journal, dovecot, user, max_size=4000, folder="INBOX"):
        await journal.until(lambda: len(journal.received) == 3)
    (draft,) = connector(dovecot, user).normalize(journal.received[1])
    message = draft.message
    assert (message.subject, message.external.id) == ("too large", "large@customer.example")
    assert f"it lies in INBOX of {user} at 127.0.0.1. It has {len(large):,} bytes" in message.text


async def test_a_server_without_idle_is_asked(
    old_dovecot: Dovecot, user: str, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap_in, "POLL_SECONDS", 0.05)
    async with reading(journal, old_dovecot, user, delete=True):
        await journal.until(lambda: journal.is_ready)
        old_dovecot.put(user, mail("comes"))
        await journal.until(lambda: len(journal.received) == 1)
        await journal.until(lambda: old_dovecot.flags(user) == [rb"\Deleted"])


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_the_connection_is_encrypted(dovecot: Dovecot, user: str, journal: Journal, tls: str) -> None:
    dovecot.put(user, mail("first"))
    port = dovecot.tls if tls == "tls" else dovecot.plain
    async with reading(journal, dovecot, user, tls=tls, port=port, host="localhost"):
        await journal.until(lambda: journal.is_ready)
        dovecot.put(user, mail("second"))
        await journal.until(lambda: len(journal.received) == 2)
    assert journal.received[0].envelope["tls"] is True


async def test_a_certificate_that_nobody_knows_is_refused(
    dovecot: Dovecot, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    assert "self-signed certificate" in await refusal(dovecot, user, tls="tls", port=dovecot.tls)


async def test_why_it_does_not_start_is_told_in_words(dovecot: Dovecot, user: str) -> None:
    where = f"INBOX of {user} at 127.0.0.1"
    told = await refusal(dovecot, user, password="wrong")
    assert told == f"cannot read {where}: [AUTHENTICATIONFAILED] Authentication failed."
    dovecot.put(user, folder="Archive")
    told = await refusal(dovecot, user, folder="Support")
    assert told.startswith(f"cannot read Support of {user} at 127.0.0.1:")
    assert "its folders: Archive, INBOX" in told
    assert "Connection refused" in await refusal(dovecot, user, port=1)


async def test_a_folder_and_a_user_may_have_any_letters(dovecot: Dovecot, journal: Journal) -> None:
    user = "çağrı@example.com"
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(dovecot.client("support1"))
        client.create('"M&APwBXw-teri/Destek"')
        client.append('"M&APwBXw-teri/Destek"', "", "", mail("from afar"))
    async with reading(journal, dovecot, "support1", folder="Müşteri/Destek"):
        await journal.until(lambda: len(journal.received) == 1)
    assert "Authentication failed" in await refusal(dovecot, user, password="yanlış")
    there = Journal(CHANNEL)
    async with reading(there, dovecot, user) as task:
        await there.until(lambda: there.is_ready or task.done())
        assert not task.done()


async def test_a_token_opens_the_mailbox(dovecot: Dovecot, user: str, journal: Journal) -> None:
    dovecot.put(user, mail("first"))
    provider = Provider(user)
    async with provider.running() as oauth:
        given = {**oauth, "refresh_token": "r1", "scope": "mail"}
        async with reading(journal, dovecot, user, password=None, oauth=given):
            await journal.until(lambda: len(journal.received) == 1)
        asked = {"client_id": "santral", "client_secret": "hush", "scope": "mail"}
        assert provider.asked == [{**asked, "grant_type": "refresh_token", "refresh_token": "r1"}]
        async with reading(Journal(CHANNEL), dovecot, user, password=None, oauth=oauth) as task:
            await journal.until(lambda: len(provider.asked) == 2)
            assert provider.asked[1]["grant_type"] == "client_credentials"
            assert not task.done()
        provider.answer = {"error": "invalid_grant", "error_description": "sign in again"}
        told = await refusal(dovecot, user, password=None, oauth=oauth)
        assert told == f"no access token from {oauth['token_url']}: invalid_grant: sign in again"
        provider.answer = {"access_token": access_token(user, -1)}
        assert "cannot read INBOX" in await refusal(dovecot, user, password=None, oauth=oauth)


class Wire:
    """A line to the server that can be cut."""

    def __init__(self, server: Dovecot) -> None:
        self.server = server
        self.plain = 0
        self.lines = 0
        self.limit = 0
        self._open: list[asyncio.StreamWriter] = []

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while piece := await reader.read(65536):
                passed += len(piece)
                writer.write(piece if not limit or passed < limit else piece[:limit])
                if limit and passed >= limit:
                    break
                await writer.drain()
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.lines += 1
        limit, self.limit = self.limit, 0
        there, back = await asyncio.open_connection("127.0.0.1", self.server.plain)
        self._open += [writer, back]
        await asyncio.gather(self._pipe(reader, back, 0), self._pipe(there, writer, limit))

    def cut(self) -> None:
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            self.cut()


async def test_a_connection_that_breaks_is_made_again(
    dovecot: Dovecot, user: str, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = Wire(dovecot)
    async with wire.running() as port:
        async with reading(journal, dovecot, user, port=port) as task:
            await journal.until(lambda: journal.is_ready)
            wire.cut()
            await asyncio.wait({task}, timeout=PATIENCE)
            assert isinstance(task.exception(), TemporaryError)  # it had not lasted: the supervisor pauses
        monkeypatch.setattr(imap_in, "STEADY_SECONDS", 0)
        heard = journal.beats
        async with reading(journal, dovecot, user, port=port):
            await journal.until(lambda: wire.lines == 2 and journal.beats > heard)
            heard = journal.beats
            wire.cut()
            await journal.until(lambda: wire.lines == 3 and journal.beats > heard)
            large = mail("x" * 300_000)
            wire.limit = 200_000
            wire.cut()
            dovecot.put(user, large)
            await journal.until(lambda: journal.bodies == [large])


async def test_a_silent_server_is_left(
    dovecot: Dovecot, user: str, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap_in, "IDLE_SECONDS", 0.2)
    async with reading(journal, dovecot, user):
        await journal.until(lambda: journal.beats >= 3)  # IDLE was said again, and nothing missed
        dovecot.put(user, mail("first"))
        await journal.until(lambda: len(journal.received) == 1)


async def test_one_of_several_processes_reads(dovecot: Dovecot, user: str, journal: Journal) -> None:
    twin = Journal(CHANNEL)
    twin.leases, twin.journal = journal.leases, journal.journal
    async with reading(journal, dovecot, user) as first:
        await journal.until(lambda: journal.is_ready)
        before = dict(journal.leases.cursors)
        async with reading(twin, dovecot, user):
            dovecot.put(user, mail("first"))
            await journal.until(lambda: journal.leases.cursors != before)  # and so it was kept
            first.cancel()
            await asyncio.wait({first}, timeout=PATIENCE)
            dovecot.put(user, mail("second"))
            await journal.until(lambda: len(journal.received) == 2)
            assert (journal.entered, twin.entered) == (1, 1)
