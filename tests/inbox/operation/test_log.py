"""The log: one id follows a message from its socket to the screen, and nothing told in confidence stands in it."""

from __future__ import annotations

import asyncio
import json
import smtplib
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
from deeds import BILLING, SECRETS, drop, reply
from harness import ADDRESS, Santral, Visitor, eventually, letter
from scraping import reaches, scrape, shows

TEXTS = ("the-parcel-text", "the-chat-text", "the-poison-text", "the-answer-text", "the-subject", "the-broken-text")
ADDRESSES = ("dora@private.example", "nobody@private.example", "eve-the-gossip")


def lines(santral: Santral) -> list[dict[str, Any]]:
    """The log's entries; what the command says on standard output is none."""
    return [json.loads(line) for line in santral.said().splitlines() if line.startswith("{")]


async def logged(santral: Santral, event: str, **fields: Any) -> dict[str, Any]:
    async def probe() -> dict[str, Any] | None:
        wanted = {"event": event, **fields}.items()
        return next((line for line in lines(santral) if wanted <= line.items()), None)

    found = await eventually(probe)
    assert found is not None
    return found


def smtp_answer(santral: Santral, mail: bytes, sender: str) -> str:
    with smtplib.SMTP("127.0.0.1", santral.smtp_port, timeout=60) as smtp:
        smtp.ehlo()
        smtp.mail(sender)
        smtp.rcpt(ADDRESS)
        code, said = smtp.data(mail)
        assert code == 250
        return said.decode().split()[-1]


async def test_one_id_follows_a_message_from_the_socket_to_the_screen(running: Santral) -> None:
    mailed = await asyncio.to_thread(smtp_answer, running, letter(1), "ada@example.org")
    line = await logged(running, "message stored", message=mailed)
    visitor = Visitor(running.url)
    async with visitor.connected() as socket:
        acked = (await visitor.say(socket, "hello"))["message"]["id"]
    assert (await logged(running, "message stored", message=acked))["channel"] == "site"
    async with running.desk() as desk:
        shown = await desk.messages(line["conversation"])
        assert [one["id"] for one in shown] == [mailed]
        made = await reply(desk, "mail", "here it is")
        stored = await logged(running, "message stored", message=made["id"])
        assert (stored["channel"], stored["direction"]) == ("mail", "outbound")
        assert (await logged(running, "reply left", message=made["id"]))["channel"] == "mail"


async def test_what_fails_bears_the_id_too(running: Santral) -> None:
    poisoned = (await drop(running, key="1", text="x", **{"is": "poison", "from": "eve"}))["id"]
    line = await logged(running, "event failed", message=poisoned, channel="gossip")
    assert line["error"] == "ValueError: cannot make sense of … by …"
    async with running.desk() as desk:

        async def listed() -> list[dict[str, Any]]:
            items: list[dict[str, Any]] = (await desk.get("/api/v1/ingest/failed"))["items"]
            return items

        (failed,) = await eventually(listed)  # it is logged before it is kept
        assert failed["message_id"] == poisoned
        assert "cannot make sense of x by eve" in failed["error"]

        await drop(running, key="2", text="hi", **{"is": "said", "from": "eve"})
        refused = await reply(desk, "gossip", "refused")
        line = await logged(running, "reply did not leave", message=refused["id"], channel="gossip")
        assert (line["state"], line["code"]) == ("failed", "no-such-person")
        crashed = await reply(desk, "gossip", "crash")
        line = await logged(running, "connector raised", message=crashed["id"], channel="gossip")
        assert "gossip.py" in line["exception"]
        assert "RuntimeError: cannot send" in line["exception"]


async def test_a_request_that_fails_can_be_named(running: Santral) -> None:
    sane, insane = ("trace-1.a_B", "x" * 64), ("x" * 65, "a b", "<script>", "")
    async with aiohttp.ClientSession(running.url) as http:
        for given in (*sane, *insane):
            headers = {"X-Request-ID": given}
            async with http.post("/hooks/gossip/hidden/path", json={"is": "broken"}, headers=headers) as answer:
                assert answer.status == 500
                request = answer.headers["X-Request-ID"]
            assert (request == given) == (given in sane)
            line = await logged(running, "request failed", request=request)
            assert (line["path"], line["status"]) == ("/hooks/gossip", 500)


async def test_neither_log_nor_metrics_give_anything_away(running: Santral) -> None:
    mail = letter(1, "the-parcel-text", sender="dora@private.example", Subject="the-subject")
    await asyncio.to_thread(running.send_mail, mail, "dora@private.example")
    visitor = Visitor(running.url)
    async with visitor.connected() as socket:
        await visitor.say(socket, "the-chat-text")
        await socket.send_json({"type": "identify", "token": "no.good.token"})
        await socket.send_str('{"type": "message", "text": "the-broken-text')
    assert visitor.token is not None
    await drop(running, key="1", text="the-poison-text", **{"is": "poison", "from": "eve-the-gossip"})
    await drop(running, key="2", text="hi", **{"is": "said", "from": "eve-the-gossip"})
    assert (await drop(running, text="the-broken-text", **{"is": "broken"}))["status"] == 500
    async with aiohttp.ClientSession(running.url) as http:
        bad = {"Authorization": "Bearer santral_wrong-token"}
        assert (await http.get("/api/v1/conversations", headers=bad)).status == 401
        good = {"Authorization": f"Bearer {running.token}"}
        async with http.post("/api/v1/conversations", headers=good, data=b'{"text": "the-broken-text') as answer:
            assert answer.status == 400
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    writer.write(b"the-broken-text is no HTTP\r\n\r\n")
    assert (await reader.readline()).split()[1] == b"400"
    writer.close()
    async with running.desk() as desk:
        await reply(desk, "mail", "the-answer-text")
        await reply(desk, "gossip", "the-answer-text crash")
        for channel, kind, address in (("billing", "email", "dora"), ("mail", "email", "nobody")):
            identity = {"kind": kind, "value": f"{address}@private.example"}
            begun = {"channel": channel, "identity": identity, "subject": "the-subject", "text": "the-answer-text"}
            await desk.post("/api/v1/conversations", begun)

    await shows(running, 1, "santral_replies_sent_total", channel="mail")
    await shows(running, 1, "santral_replies_failed_total", channel="mail")
    await reaches(running, 1, "santral_replies_retried_total", channel="gossip")
    await reaches(running, 1, "santral_replies_retried_total", channel="billing")
    for event in ("message stored", "event failed", "request failed", "connector raised", "reply did not leave"):
        await logged(running, event)
    tried = await logged(running, "channel will be tried again", channel="gossip")
    assert tried["reason"] == "the token [secret] was rejected by the server"
    tokens = (running.token, visitor.token, "wrong-token", "no.good.token")
    said = running.said() + await scrape(running)
    assert not [one for one in (*SECRETS, *TEXTS, *ADDRESSES, BILLING, *tokens) if one in said]


PROGRAM = """
import asyncio, logging, sys
import structlog
from inbox import logs

async def task(given):
    secret = "a-local"
    raise ValueError(f"not to be read: {given}")

async def main():
    asyncio.get_running_loop().set_exception_handler(logs.unhandled)
    for way in range(2):
        asyncio.create_task(task(sys.argv[1]))
        await asyncio.sleep(0)
    try:
        await task(sys.argv[1])
    except ValueError as error:
        structlog.get_logger().error("a", exc_info=ExceptionGroup("both", [error, KeyError(sys.argv[1])]))
        try:
            raise RuntimeError(sys.argv[1]) from error
        except RuntimeError:
            logging.getLogger("library").exception("b")
            structlog.get_logger().exception("c")

def hostile():
    class Silent(Exception):
        def __str__(self):
            raise OSError
    try:
        error = Silent()
        raise error from error
    except Silent:
        structlog.get_logger().exception("e", reason="\\ud800")

logs.configure(["pass/word"])
asyncio.run(main())
hostile()
logging.getLogger("library").warning("d %s", "pass/word")
print("done")
int(sys.argv[1])
"""


def run(stderr: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, "in-confidence"]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=stderr, text=True, timeout=60, check=False)


def test_tracebacks_say_where_and_quote_nothing() -> None:
    ended = run(subprocess.PIPE)
    entries = [json.loads(line) for line in ended.stderr.splitlines() if line.startswith("{")]
    assert [one["event"] for one in entries] == ["unhandled in the loop"] * 2 + ["a", "b", "c", "e", "d [secret]"]
    assert all('"<string>", line 8, in task' in one["exception"] for one in entries[:5])
    assert all("ValueError: not to be read: …" in one["exception"] for one in entries[:5])
    assert ended.stderr.splitlines()[-1] == "ValueError: …"
    shown = "".join(one.get("exception", "") for one in entries)
    assert "a-local" not in shown
    assert "in-confidence" not in shown


def test_a_full_disk_loses_lines_and_no_work() -> None:
    with Path("/dev/full").open("w") as full:
        assert run(full).stdout == "done\n"
