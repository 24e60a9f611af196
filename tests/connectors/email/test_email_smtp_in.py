from __future__ import annotations

import asyncio
import shutil
import smtplib
import socket
import ssl
import struct
from ipaddress import ip_address
from typing import Any

import pytest
import uvloop
from harness import PATIENCE

from connectors.email import smtp_in
from connectors.email.smtp_in import Limits
from connectors.errors import TemporaryError, UnavailableError

MAIL = b"From: Jane <jane@customer.example>\r\nSubject: Hello\r\n\r\nIs anybody there?\r\n"
CONTENT = MAIL.removesuffix(b"\r\n")


async def test_a_mail_is_received_byte_for_byte(inbound: Any) -> None:
    client = await inbound.connect()
    assert await client.mail(CONTENT) == "250 2.0.0 Stored as message-1"
    [raw] = inbound.journal.received
    assert raw.body == MAIL
    assert raw.content_type == "message/rfc822"
    assert raw.envelope == {
        "mail_from": "jane@customer.example",
        "rcpt_to": ["support@example.com"],
        "peer": "127.0.0.1",
        "tls": False,
        "trusted": False,
    }


async def test_what_the_server_offers(inbound: Any) -> None:
    client = await inbound.connect(greet=False)
    offered = (await client.greet()).splitlines()
    assert {"250-SIZE 26214400", "250-8BITMIME", "250-SMTPUTF8", "250-PIPELINING"} <= set(offered)
    assert not [line for line in offered if "AUTH" in line or "STARTTLS" in line]
    assert (await client.say("AUTH PLAIN AGEAYg==")).startswith("502")
    assert (await client.say("STARTTLS")).startswith("454")


async def test_two_mails_in_one_connection(inbound: Any) -> None:
    client = await inbound.connect()
    assert (await client.mail(CONTENT)).startswith("250")
    assert (await client.mail(CONTENT + b"!")).startswith("250")
    assert inbound.journal.bodies == [MAIL, CONTENT + b"!\r\n"]
    assert (await client.say("QUIT")).startswith("221")


@pytest.mark.parametrize(
    "recipient",
    [
        "support@example.com",
        "SUPPORT@Example.COM",
        "support+order-42@example.com",
        "help@example.org",
        "info@xn--bcher-kva.example",
        "info@bücher.example",
        "postmaster",
        "Postmaster@example.com",
        "postmaster@example.org",
    ],
)
async def test_our_addresses_are_accepted(running: Any, recipient: str) -> None:
    async with running(aliases=["help@example.org", "info@bücher.example"]) as run:
        client = await run.connect()
        await client.say("MAIL FROM:<a@b.example>")
        assert (await client.say(f"RCPT TO:<{recipient}>")).startswith("250")


@pytest.mark.parametrize(
    "recipient",
    [
        "sales@example.com",
        "support@example.net",
        "postmaster@example.net",
        "support",
        "+support@example.com",
        "support@example.com@evil.example",
        '"support@example.com"@evil.example',
        "support%example.com",
    ],
)
async def test_a_strangers_address_is_refused_clearly(inbound: Any, recipient: str) -> None:
    client = await inbound.connect()
    await client.say("MAIL FROM:<a@b.example>")
    answer = await client.say(f"RCPT TO:<{recipient}>")
    assert answer.startswith(("550 5.1.1", "553", "501", "555"))
    assert (await client.say("DATA")).startswith("503")
    assert (await client.say("RSET")).startswith("250")
    assert (await client.mail(CONTENT)).startswith("250")


async def test_recipients_among_strangers(inbound: Any) -> None:
    client = await inbound.connect()
    await client.say("MAIL FROM:<a@b.example>")
    assert (await client.say("RCPT TO:<nobody@example.com>")) == "550 5.1.1 nobody@example.com has no mailbox here"
    assert (await client.say("RCPT TO:<support@example.com>")).startswith("250")
    assert (await client.say("DATA")).startswith("354")
    assert (await client.say(b"x\r\n.")).startswith("250")
    assert inbound.journal.received[0].envelope["rcpt_to"] == ["support@example.com"]


async def test_two_recipients_of_the_channel_are_one_event(running: Any) -> None:
    async with running(aliases=["help@example.org"]) as run:
        client = await run.connect()
        await client.envelope()
        await client.say("RCPT TO:<help@example.org>")
        await client.say("DATA")
        assert (await client.say(CONTENT + b"\r\n.")).startswith("250")
        assert (await client.mail(CONTENT, recipient="help@example.org")).startswith("250")
        assert run.journal.entered == 2
        [event] = run.journal.received
        assert event.envelope["rcpt_to"] == ["support@example.com", "help@example.org"]


async def test_bounces_have_no_sender(inbound: Any) -> None:
    client = await inbound.connect()
    assert (await client.mail(CONTENT, sender="")).startswith("250")
    assert inbound.journal.received[0].envelope["mail_from"] == ""


async def test_a_sender_with_letters_of_its_own(inbound: Any) -> None:
    client = await inbound.connect()
    assert (await client.say("MAIL FROM:<jürgen@bücher.example> SMTPUTF8 BODY=8BITMIME")).startswith("250")
    await client.say("RCPT TO:<support@example.com>")
    await client.say("DATA")
    assert (await client.say("Subject: Grüße\r\n\r\nhallo\r\n.")).startswith("250")
    [raw] = inbound.journal.received
    assert raw.envelope["mail_from"] == "jürgen@bücher.example"
    assert raw.body == "Subject: Grüße\r\n\r\nhallo\r\n".encode()


@pytest.mark.parametrize(
    ("content", "body"),
    [
        (b"", b"\r\n"),
        (b"no headers at all", b"no headers at all\r\n"),
        (b"..dots\r\n...\r\n..", b".dots\r\n..\r\n.\r\n"),
        (b"nul\0inside", b"nul\0inside\r\n"),
        (b"\xff\xfe\x80", b"\xff\xfe\x80\r\n"),
        (b"bare\nline feeds\n..dot", b"bare\nline feeds\n.dot\r\n"),
        (b"long " + b"x" * 300_000, b"long " + b"x" * 300_000 + b"\r\n"),
        (b"\r\n" * 100_000, b"\r\n" * 100_001),
    ],
    ids=["blank", "headless", "dots", "nul", "8bit", "bare-lf", "long-line", "many-lines"],
)
async def test_any_bytes_are_a_mail(inbound: Any, content: bytes, body: bytes) -> None:
    client = await inbound.connect()
    assert (await client.mail(content)).startswith("250")
    assert inbound.journal.bodies == [body]


async def test_a_mail_of_nothing(inbound: Any) -> None:
    client = await inbound.connect()
    await client.envelope()
    await client.say("DATA")
    assert (await client.say(".")).startswith("250")
    assert inbound.journal.bodies == [b""]


@pytest.mark.parametrize("size", [65_530, 65_531, 65_532, 65_533, 65_534, 65_535, 65_536, 65_537, 65_540, 131_072])
async def test_the_end_is_seen_wherever_blocks_meet(inbound: Any, size: int) -> None:
    client = await inbound.connect()
    content = b"y" * size
    assert (await client.mail(content)).startswith("250")
    assert (await client.mail(b"next")).startswith("250")
    assert inbound.journal.bodies == [content + b"\r\n", b"next\r\n"]


async def test_the_end_may_come_byte_by_byte(inbound: Any) -> None:
    client = await inbound.connect()
    await client.envelope()
    await client.say("DATA")
    for byte in b"slowly\r\n.\r\n":
        client.writer.write(bytes([byte]))
        await client.writer.drain()
        await asyncio.sleep(0)
    assert (await client.answer()).startswith("250")
    assert inbound.journal.bodies == [b"slowly\r\n"]


@pytest.mark.parametrize("end", [b"\n.\r\n", b"\n.\n", b"\r\n.\n", b"\r\n.\r", b"\r.\r\n", b"\r.\r", b"\n.\r"])
async def test_smuggled_mails_are_refused(inbound: Any, end: bytes) -> None:
    client = await inbound.connect()
    smuggled = b"MAIL FROM:<boss@example.com>\r\nRCPT TO:<support@example.com>\r\nDATA\r\nPay him"
    assert (await client.mail(b"Subject: x\r\n\r\nhello" + end + smuggled)).startswith("550 5.6.0")
    assert inbound.journal.received == []
    assert (await client.mail(CONTENT)).startswith("250")


@pytest.mark.parametrize("size", range(65_530, 65_540))
async def test_a_smuggled_mail_is_refused_wherever_blocks_meet(inbound: Any, size: int) -> None:
    client = await inbound.connect()
    assert (await client.mail(b"y" * size + b"\n.\r\n" + b"y" * 70_000)).startswith("550 5.6.0")
    assert inbound.journal.received == []


@pytest.mark.parametrize("size", range(65_528, 65_538))
async def test_a_doubled_dot_is_one_wherever_blocks_meet(inbound: Any, size: int) -> None:
    client = await inbound.connect()
    start, rest = b"y" * size + b"\r\n", b"z" * 70_000 + b"\r\n"
    assert (await client.mail(start + b"..x\r\n" + rest[:-2])).startswith("250")
    assert inbound.journal.bodies == [start + b".x\r\n" + rest]


async def test_pipelined_commands(inbound: Any) -> None:
    client = await inbound.connect()
    one = b"MAIL FROM:<a@b.example>\r\nRCPT TO:<support@example.com>\r\nDATA\r\n"
    client.writer.write(one + CONTENT + b"\r\n.\r\n" + one + b".\r\nNOOP\r\nQUIT\r\n")
    answers = [(await client.answer())[:3] for _ in range(10)]
    assert answers == ["250", "250", "354", "250", "250", "250", "354", "250", "250", "221"]
    assert inbound.journal.bodies == [MAIL, b""]


async def test_too_large_by_its_own_word(running: Any) -> None:
    async with running({"max_size": 100_000}) as run:
        client = await run.connect()
        assert (await client.say("MAIL FROM:<a@b.example> SIZE=100001")).startswith("552")
        assert (await client.say("MAIL FROM:<a@b.example> SIZE=100000")).startswith("250")


async def test_too_large_without_a_word(running: Any) -> None:
    async with running({"max_size": 100_000}) as run:
        client = await run.connect()
        assert (await client.mail(b"z" * 100_000)).startswith("552")
        assert (await client.mail(b"z" * 99_998)).startswith("250")
        assert (await client.mail(b"z" * 350_000)).startswith("552")
        assert (await client.mail(CONTENT)).startswith("250")
        assert len(run.journal.received) == 2


async def test_thirty_megabytes_harm_nobody(inbound: Any) -> None:
    giant = await inbound.connect()
    other = await inbound.connect()
    await giant.envelope()
    await giant.say("DATA")
    line = b"0" * 1022 + b"\r\n"
    for _ in range(30):
        giant.writer.write(line * 1024)
        await giant.writer.drain()
        assert (await other.mail(CONTENT)).startswith("250")
    assert (await giant.say(b".")).startswith("552")
    assert (await giant.mail(CONTENT)).startswith("250")
    assert inbound.journal.entered == 31


async def test_who_never_stops_is_cut_off(running: Any) -> None:
    async with running({"max_size": 50_000}) as run:
        client = await run.connect()
        await client.envelope()
        await client.say("DATA")
        client.writer.write(b"x" * 2_000_000)
        assert (await client.answer()).startswith("552")
        assert run.journal.received == []


async def test_memory_is_shared_fairly(running: Any) -> None:
    async with running({"max_size": 100_000}, Limits(memory=1)) as run:
        run.journal.door.clear()
        big = b"b" * 90_000
        clients = [await run.connect() for _ in range(3)]
        waiting = [asyncio.create_task(client.mail(big)) for client in clients[:2]]
        await run.journal.until(lambda: run.journal.entered == 2)
        assert (await clients[2].mail(big)).startswith("452")
        run.journal.door.set()
        assert all([(await answer).startswith("250") for answer in waiting])
        assert (await clients[2].mail(big)).startswith("250")


async def test_an_unavailable_journal_means_try_again(inbound: Any) -> None:
    client = await inbound.connect()
    inbound.journal.trouble = UnavailableError("the database is away")
    assert (await client.mail(CONTENT)).startswith("451 4.3.0")
    inbound.journal.trouble = None
    assert (await client.mail(CONTENT)).startswith("250")


async def test_no_failure_is_told_in_detail(inbound: Any) -> None:
    client = await inbound.connect()
    inbound.journal.trouble = RuntimeError("secret detail")
    answer = await client.mail(CONTENT)
    assert answer.startswith("451 4.3.0")
    assert "secret" not in answer
    inbound.journal.trouble = None
    assert (await client.mail(CONTENT)).startswith("250")


async def test_a_client_that_drops_within_data_leaves_nothing(inbound: Any) -> None:
    client = await inbound.connect()
    await client.envelope()
    await client.say("DATA")
    client.writer.write(b"Subject: half a ma")
    await client.writer.drain()
    client.close()
    other = await inbound.connect()
    assert (await other.mail(CONTENT)).startswith("250")
    assert inbound.journal.bodies == [MAIL]


@pytest.mark.parametrize("rude", [False, True], ids=["closed", "reset"])
async def test_a_mail_outlives_its_client(inbound: Any, *, rude: bool) -> None:
    client = await inbound.connect()
    inbound.journal.door.clear()
    await client.envelope()
    await client.say("DATA")
    client.writer.write(CONTENT + b"\r\n.\r\n")
    await inbound.journal.until(lambda: inbound.journal.entered == 1)
    if rude:
        linger = struct.pack("ii", 1, 0)
        client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        client.writer.transport.abort()
    client.close()
    other = await inbound.connect()
    assert (await other.say("NOOP")).startswith("250")
    inbound.journal.door.set()
    await inbound.journal.until(lambda: inbound.journal.bodies == [MAIL])


async def test_a_client_that_says_all_and_hangs_up(inbound: Any) -> None:
    client = await inbound.connect(greet=False)
    client.writer.write(
        b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<support@example.com>\r\nDATA\r\n" + CONTENT + b"\r\n.\r\n"
    )
    client.writer.write_eof()
    await inbound.journal.until(lambda: inbound.journal.bodies == [MAIL])
    answers = (await asyncio.wait_for(client.reader.read(), PATIENCE)).decode().splitlines()
    assert answers[-1] == "250 2.0.0 Stored as message-1"


async def test_garbage_commands(inbound: Any) -> None:
    client = await inbound.connect()
    for line in (b"\xff\xfe\xfd", b"", b"GET / HTTP/1.1", b"MAIL FROM:<", b"MAIL FROM:", b"MAIL FROM:<\0@b.example>"):
        assert (await client.say(line))[0] == "5", line
    assert (await client.say(b"MAIL FROM:<a\x1b[31m@b.example>"))[0] == "5"
    assert (await client.say(b"MAIL FROM:<\xff\xff@b.example>"))[0] == "5"
    assert (await client.say(b"RCPT TO:<support@example.com>")).startswith("503")
    assert (await client.say(b"DATA")).startswith("503")
    assert (await client.mail(CONTENT)).startswith("250")


async def test_a_command_of_ten_thousand_letters(inbound: Any) -> None:
    client = await inbound.connect()
    assert (await client.say(b"NOOP " + b"x" * 10_000)).startswith("500")
    assert (await client.say(b"MAIL FROM:<" + b"x" * 1_000_000 + b"@b.example>")).startswith("500")
    assert (await client.mail(CONTENT)).startswith("250")


async def test_who_talks_nonsense_only_is_sent_away(inbound: Any) -> None:
    client = await inbound.connect()
    answers = [await client.say(f"NONSENSE{number}") for number in range(5)]
    assert answers[-1].startswith("502")
    assert await client.answer() == ""


async def test_idle_and_slow_clients_are_cut_off(running: Any) -> None:
    async with running(limits=Limits(idle_seconds=0.2)) as run:
        new = await run.connect(greet=False)
        assert (await new.answer()).startswith("220")
        assert (await new.answer()).startswith("421")
        run.idle(PATIENCE)
        idle = await run.connect()
        slow = await run.connect()
        await slow.envelope()
        run.idle(0.2)
        assert (await idle.say("NOOP")).startswith("250")
        assert (await slow.say("DATA")).startswith("354")
        slow.writer.write(b"almost noth")
        assert (await idle.answer()).startswith("421")
        assert (await slow.answer()).startswith("421")
        assert await idle.answer() == ""
        run.idle(PATIENCE)
        assert (await (await run.connect()).mail(CONTENT)).startswith("250")


async def test_a_slow_journal_is_nobodys_idleness(running: Any) -> None:
    async with running() as run:
        run.journal.door.clear()
        client = await run.connect()
        await client.envelope()
        run.idle(0.1)
        # All at once: however slowly the client gets on, it is not idle before the mail is here.
        assert (await client.say(b"DATA\r\n" + CONTENT + b"\r\n.")).startswith("354")
        await run.journal.until(lambda: run.journal.entered == 1)
        await asyncio.sleep(0.3)
        run.journal.door.set()
        assert (await client.answer()).startswith("250")


async def test_connections_of_one_address_are_bounded(running: Any) -> None:
    async with running(limits=Limits(sessions_per_address=2)) as run:
        first, _ = await run.connect(), await run.connect()
        third = await run.connect(greet=False)
        assert (await third.answer()).startswith("421 4.7.0")
        assert await third.answer() == ""
        assert (await first.say("QUIT")).startswith("221")
        assert await first.answer() == ""
        assert (await (await run.connect()).mail(CONTENT)).startswith("250")


async def test_mails_of_one_address_of_the_internet_are_bounded(running: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running({"trusted_relays": ["9.9.9.0/24"]}, Limits(mails_a_minute=2)) as run:
        client = await run.connect()
        for _ in range(3):  # from this machine there are as many as it likes
            assert (await client.mail(CONTENT)).startswith("250")
        assert not any(run.server.paces("9.9.9.9") for _ in range(3))
        assert [run.server.paces("9.8.7.6") for _ in range(3)] == [False, False, True]
        neighbours = [run.server.paces(f"2620:fe::{number}") for number in range(3)]
        assert neighbours == [False, False, True]
        monkeypatch.setattr(smtp_in, "_address", lambda _: ip_address("9.8.7.6"))  # as if it came from there
        assert (await client.say("MAIL FROM:<jane@customer.example>")).startswith("450 4.7.1")


async def test_trusted_relays_are_exempt_and_marked(running: Any) -> None:
    async with running({"trusted_relays": ["127.0.0.0/8"]}, Limits(sessions_per_address=1)) as run:
        clients = [await run.connect() for _ in range(3)]
        assert (await clients[2].mail(CONTENT)).startswith("250")
        assert run.journal.received[0].envelope["trusted"] is True


async def test_all_connections_are_bounded(running: Any) -> None:
    async with running({"trusted_relays": ["127.0.0.1"]}, Limits(sessions=1)) as run:
        await run.connect()
        second = await run.connect(greet=False)
        assert (await second.answer()).startswith("421 4.3.2")


async def test_recipients_are_bounded(running: Any) -> None:
    async with running(limits=Limits(recipients=2)) as run:
        client = await run.connect()
        await client.envelope(recipient="support+1@example.com")
        assert (await client.say("RCPT TO:<support+2@example.com>")).startswith("250")
        assert (await client.say("RCPT TO:<support+3@example.com>")).startswith("452 4.5.3")


async def test_sixty_four_clients_at_once(inbound: Any) -> None:
    async def send(number: int) -> list[str]:
        client = await inbound.connect()
        return [await client.mail(f"Subject: {number}/{mail}\r\n".encode()) for mail in range(5)]

    answers = await asyncio.gather(*(send(number) for number in range(64)))
    assert all(answer.startswith("250") for of_one in answers for answer in of_one)
    assert len(set(inbound.journal.bodies)) == 320


async def test_starttls(running: Any, certificate: Any) -> None:
    async with running({"tls": {"cert": certificate.cert, "key": certificate.key}}) as run:

        def send() -> None:
            context = ssl.create_default_context(cafile=str(certificate.cert))
            with smtplib.SMTP("127.0.0.1", run.port, timeout=PATIENCE) as client:
                client.starttls(context=context)
                client.sendmail("a@b.example", ["support@example.com"], MAIL)
                client.sendmail("a@b.example", ["support@example.com"], MAIL + b"again\r\n")
                assert b"STARTTLS" not in client.ehlo()[1]
                assert b"AUTH" not in client.ehlo()[1]

        await asyncio.to_thread(send)
        assert run.journal.bodies == [MAIL, MAIL + b"again\r\n"]
        assert run.journal.received[0].envelope["tls"] is True
        assert (await (await run.connect()).mail(CONTENT)).startswith("250")


async def test_the_products_own_loop(running: Any, certificate: Any) -> None:
    """`santral run` uses uvloop, whose transports differ from asyncio's."""

    async def scenario() -> None:
        tls = {"cert": certificate.cert, "key": certificate.key}
        async with running({"tls": tls, "max_size": 50_000}) as run:
            idle, secure, giant = await run.connect(), await run.connect(), await run.connect()
            assert (await secure.say("STARTTLS")).startswith("220")
            context = ssl.create_default_context(cafile=str(certificate.cert))
            await secure.writer.start_tls(context, server_hostname="localhost")
            assert (await secure.say("EHLO again")).startswith("250-")
            assert (await secure.mail(CONTENT)).startswith("250")
            await giant.envelope()
            await giant.say("DATA")
            giant.writer.write(b"x" * 2_000_000)
            assert (await giant.answer()).startswith("552")
            run.idle(0.3)
            assert (await idle.say("NOOP")).startswith("250")
            assert (await idle.answer()).startswith("421 4.4.2")
            run.idle(PATIENCE)
            stopped = await run.connect()
            run.task.cancel()
            assert (await stopped.answer()).startswith("421 4.3.2")
            await asyncio.wait({run.task}, timeout=PATIENCE)
            assert run.journal.bodies == [MAIL]

    await asyncio.to_thread(uvloop.run, scenario())


async def test_what_was_said_before_starttls_is_forgotten(running: Any, certificate: Any) -> None:
    async with running({"tls": {"cert": certificate.cert, "key": certificate.key}}) as run:
        client = await run.connect()
        client.writer.write(b"STARTTLS\r\nMAIL FROM:<injected@b.example>\r\nRCPT TO:<support@example.com>\r\n")
        assert (await client.answer()).startswith("220")
        await client.writer.start_tls(
            ssl.create_default_context(cafile=str(certificate.cert)), server_hostname="localhost"
        )
        assert (await client.say("DATA")).startswith("503")


async def test_a_failed_handshake_ends_one_connection(running: Any, certificate: Any) -> None:
    async with running({"tls": {"cert": certificate.cert, "key": certificate.key}}) as run:
        client = await run.connect()
        assert (await client.say("STARTTLS")).startswith("220")
        client.writer.write(b"this is no handshake\r\n")
        assert await asyncio.wait_for(client.reader.read(), PATIENCE) is not None
        assert (await (await run.connect()).mail(CONTENT)).startswith("250")


async def test_a_stop_lets_a_mail_finish(running: Any) -> None:
    async with running(limits=Limits(drain_seconds=PATIENCE)) as run:
        idle, busy = await run.connect(), await run.connect()
        await busy.envelope()
        await busy.say("DATA")
        busy.writer.write(b"half ")
        run.task.cancel()
        assert (await idle.answer()).startswith("421")
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", busy.writer.get_extra_info("peername")[1])
        assert (await busy.say(b"a mail\r\n.")).startswith("250")
        assert (await busy.answer()).startswith("421")
        await asyncio.wait({run.task}, timeout=PATIENCE)
        assert run.task.cancelled()
        assert run.journal.bodies == [b"half a mail\r\n"]


async def test_a_stop_waits_for_a_mail_that_is_being_stored(running: Any) -> None:
    async with running(limits=Limits(drain_seconds=PATIENCE)) as run:
        run.journal.door.clear()
        client = await run.connect()
        answer = asyncio.create_task(client.mail(CONTENT))
        await run.journal.until(lambda: run.journal.entered == 1)
        run.task.cancel()
        run.journal.door.set()
        assert (await answer).startswith("250")
        await asyncio.wait({run.task}, timeout=PATIENCE)
        assert run.journal.bodies == [MAIL]


async def test_a_stop_does_not_wait_for_ever(running: Any) -> None:
    async with running(limits=Limits(drain_seconds=0.2)) as run:
        client = await run.connect()
        await client.envelope()
        await client.say("DATA")
        client.writer.write(b"never finished")
        run.task.cancel()
        await asyncio.wait({run.task}, timeout=PATIENCE)
        assert run.task.cancelled()
        assert await asyncio.wait_for(client.reader.read(), PATIENCE) == b""


async def test_a_port_in_use_is_named(inbound: Any, running: Any) -> None:
    with pytest.raises(TemporaryError, match=rf"cannot listen for mail on 127.0.0.1:{inbound.port}: another program"):
        async with running({"port": inbound.port}):
            pass


@pytest.mark.parametrize("receive", [{}, {"smtp": {"port": 0}}, {"smtp": {"port": 0}, "lmtp": {"port": 0}}])
async def test_a_channel_starts_and_stops(inbound: Any, connector: Any, receive: dict[str, Any]) -> None:
    channel = connector(receive=receive)
    task = asyncio.create_task(channel.start(inbound.journal))
    inbound.journal.is_ready = False
    await inbound.journal.until(lambda: inbound.journal.is_ready)
    assert (channel.bound is not None) == bool(receive)
    assert not task.done()
    task.cancel()
    await asyncio.wait({task}, timeout=PATIENCE)
    assert channel.bound is None


@pytest.mark.skipif(shutil.which("swaks") is None, reason="swaks is not installed (Debian package swaks)")
@pytest.mark.parametrize("options", [[], ["--tls"], ["--pipeline"], ["--attach-body", "second"]])
async def test_swaks(running: Any, certificate: Any, options: list[str]) -> None:
    async with running({"tls": {"cert": certificate.cert, "key": certificate.key}}) as run:
        process = await asyncio.create_subprocess_exec(
            "swaks", "--server", f"127.0.0.1:{run.port}", "--to", "support@example.com", "--from", "jane@b.example",
            "--header", "Subject: by swaks", "--body", "..hello", *options, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
        assert process.returncode == 0, output.decode()
        assert b"Subject: by swaks\r\n" in run.journal.bodies[0]
