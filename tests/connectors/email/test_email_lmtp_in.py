"""Mail that a server of the house hands over by LMTP (RFC 2033)."""

from __future__ import annotations

import asyncio
import shutil
import smtplib
from typing import Any

import aiosmtplib
import pytest
from harness import PATIENCE

OTHER = "sales@example.com"
CALLED = {"aliases": [OTHER]}


async def greeted(run: Any) -> Any:
    client = await run.connect(greet=False)
    await client.answer()
    assert (await client.say("LHLO mx.example.com")).startswith("250-")
    return client


async def test_each_recipient_gets_an_answer(running: Any) -> None:
    async with running(way="lmtp", **CALLED) as run:
        client = await greeted(run)
        await client.envelope()
        assert (await client.say(f"RCPT TO:<{OTHER}>")).startswith("250")
        assert (await client.say("RCPT TO:<nobody@example.com>")).startswith("550")
        assert (await client.say("DATA")).startswith("354")
        first = await client.say(b"Subject: one\r\n\r\nhello\r\n.")
        assert first.startswith("250 2.0.0 Stored as ")
        assert await client.answer() == first
        # Two answers and no third: the next one is that of the next command.
        assert (await client.say("NOOP")).startswith("250 ")
        assert (await client.say("QUIT")).startswith("221")
        assert [one.envelope["rcpt_to"] for one in run.journal.received] == [["support@example.com", OTHER]]


async def test_a_refusal_is_told_to_each_too(running: Any) -> None:
    async with running({"max_size": 1000}, way="lmtp", **CALLED) as run:
        client = await greeted(run)
        await client.envelope()
        await client.say(f"RCPT TO:<{OTHER}>")
        await client.say("DATA")
        assert (await client.say(b"x" * 2000 + b"\r\n.")).startswith("552")
        assert (await client.answer()).startswith("552")
        assert (await client.mail(b"Subject: small\r\n\r\nhello")).startswith("250")


@pytest.mark.parametrize("greeting", ["EHLO x.example", "HELO x.example"])
async def test_smtp_is_told_what_this_is(running: Any, greeting: str) -> None:
    async with running(way="lmtp") as run:
        client = await run.connect(greet=False)
        await client.answer()
        assert await client.say(greeting) == "500 5.5.1 This is LMTP: say LHLO"


async def test_a_server_of_the_house_is_believed(running: Any) -> None:
    async with running(way="lmtp") as run:
        client = await greeted(run)
        await client.mail(b"Subject: one\r\n\r\nhello")
        assert [one.envelope["trusted"] for one in run.journal.received] == [True]


async def test_a_port_in_use_is_named(running: Any) -> None:
    async with running(way="lmtp") as run:
        with pytest.raises(Exception, match=r"choose another receive\.lmtp\.port"):
            async with running({"port": run.port}, way="lmtp"):
                pass


async def test_pythons_own_client(running: Any) -> None:
    def hand_over(port: int) -> dict[str, tuple[int, bytes]]:
        with smtplib.LMTP("127.0.0.1", port, local_hostname="mx.example.com", timeout=PATIENCE) as client:
            return client.sendmail("jane@b.example", [OTHER, "nobody@example.com"], "Subject: x\r\n\r\n.hello\r\n")

    async with running(way="lmtp", **CALLED) as run:
        refused = await asyncio.to_thread(hand_over, run.port)
        assert {address: code for address, (code, _) in refused.items()} == {"nobody@example.com": 550}
        assert run.journal.bodies == [b"Subject: x\r\n\r\n.hello\r\n"]


async def test_postfix_hands_over(postfix: Any, running: Any) -> None:
    async with running({"port": postfix.lmtp}, way="lmtp", **CALLED) as run:
        await aiosmtplib.send(
            "From: jane@b.example\nSubject: by Postfix\n\n.hello\n",
            sender="jane@b.example",
            recipients=["support@example.com", OTHER],
            hostname="127.0.0.1",
            port=postfix.plain,
            start_tls=False,
        )
        await run.journal.until(lambda: len(run.journal.received) == 1)
        [mail] = run.journal.received
        assert sorted(mail.envelope["rcpt_to"]) == [OTHER, "support@example.com"]
        assert b"\r\nSubject: by Postfix\r\n" in mail.body
        assert mail.body.endswith(b"\r\n\r\n.hello\r\n")


@pytest.mark.skipif(shutil.which("swaks") is None, reason="swaks is not installed (Debian package swaks)")
@pytest.mark.parametrize("options", [[], ["--tls"], ["--to", f"support@example.com,{OTHER}"]])
async def test_swaks(running: Any, certificate: Any, options: list[str]) -> None:
    tls = {"cert": certificate.cert, "key": certificate.key}
    async with running({"tls": tls}, way="lmtp", **CALLED) as run:
        process = await asyncio.create_subprocess_exec(
            "swaks", "--protocol", "LMTP", "--server", f"127.0.0.1:{run.port}", "--from", "jane@b.example",
            "--to", "support@example.com", "--header", "Subject: by swaks", *options, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
        assert process.returncode == 0, output.decode()
        assert b"Subject: by swaks\r\n" in run.journal.bodies[0]
