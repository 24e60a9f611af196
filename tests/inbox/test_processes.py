"""Several processes on one database: parts of Santral side by side, restarted one after the other."""

from __future__ import annotations

import asyncio
import contextlib
import json
import smtplib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
from harness import PATIENCE, Santral, Visitor, command, eventually, letter

StartSantral = Callable[..., Awaitable[Santral]]


async def test_each_part_does_its_own_and_all_see_the_same(santral: StartSantral, postfix: Any) -> None:
    web, other_web = await santral(only="web"), await santral(only="web")
    await santral(only="outbox", outgoing=postfix.plain)
    channels = await santral(only="channels")
    await asyncio.to_thread(
        channels.send_mail, letter("m", "By mail", sender="jane@customer.example"), "jane@customer.example"
    )
    async with web.desk() as desk, other_web.desk() as other_desk:
        (conversation,) = await eventually(desk.conversations)
        await desk.post(f"/api/v1/conversations/{conversation['id']}/messages", {"text": "By return"})
        assert b"In-Reply-To: <m@example.org>" in await postfix.delivered("jane", "By return")

        visitor = Visitor(web.url)
        async with visitor.connected() as socket:
            await visitor.say(socket, "hello")
            chat = await eventually(lambda: _of_channel(other_desk, "site"))
            await other_desk.post(f"/api/v1/conversations/{chat['id']}/messages", {"text": "Yes, elsewhere"})
            async with asyncio.timeout(PATIENCE):
                while (frame := await socket.receive_json()).get("message", {}).get("direction") != "outbound":
                    pass
            assert frame["message"]["text"] == "Yes, elsewhere"


async def test_the_list_of_channels_tells_who_runs_them(santral: StartSantral) -> None:
    web = await santral(only="web")
    async with web.desk() as desk:
        mail, site = (await desk.get("/api/v1/channels"))["items"]
        assert (mail["state"], mail["reason"]) == ("stopped", "no process runs it: start one with the part channels")
        assert (site["state"], [one["pid"] for one in site["processes"]]) == ("running", [_pid(web)])
        assert mail["capabilities"]["threads"]

        worker = await santral(only="channels")

        async def runs() -> bool:
            mail, _ = (await desk.get("/api/v1/channels"))["items"]
            return mail["state"] == "running" and [one["pid"] for one in mail["processes"]] == [_pid(worker)]

        await eventually(runs)
        await worker.stop()

        async def stopped() -> bool:
            return (await desk.get("/api/v1/channels"))["items"][0]["state"] == "stopped"

        await eventually(stopped)


async def test_a_worker_tells_how_it_fares_where_it_is_told_to(mongod_url: str, tmp_path: Path) -> None:
    worker = Santral(tmp_path / "worker", storage=mongod_url, only="channels,outbox")
    worker.config["server"]["worker_port"] = worker.port
    try:
        worker.begin()
        await worker.ready()
        assert await eventually(worker.is_ready)
        async with worker.desk() as desk:
            assert (await desk.get("/healthz"))["status"] == "ok"
            async with desk.http.get("/metrics") as answer:
                assert "santral_events_received_total" in await answer.text()
            async with desk.http.get("/api/v1/channels") as answer:
                assert answer.status == 404
        await worker.stop()
    finally:
        worker.abandon()


def test_parts_need_a_database_that_processes_share(tmp_path: Path) -> None:
    (tmp_path / "santral.yaml").write_text(json.dumps({"channels": [{"id": "site", "connector": "webchat"}]}))
    said = command("run", "--only", "web", folder=tmp_path)
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.startswith("--only needs storage.url")
    said = command("run", "--only", "web,kitchen", folder=tmp_path)
    assert said.returncode == 2
    assert '"kitchen" is no part; choose from web, channels, outbox' in said.stderr


# What a socket's end looks like, whichever side of a frame it comes on; a browser connects again.
CLOSED = (aiohttp.ClientConnectorError, aiohttp.ClientConnectionResetError, TypeError)


class Customer:
    """Writes and reads by whichever process answers; no answer that it gets may be an error."""

    def __init__(self, webs: list[Santral], mails: list[Santral]) -> None:
        self.webs = webs
        self.mails = mails
        self.said: list[str] = []
        self.chatted: list[str] = []
        self.reads = 0
        self.over = asyncio.Event()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for work in (self._mail, self._read, self._chat):
                tasks.create_task(work())

    async def more(self) -> None:
        mails, chats, reads = len(self.said) + 5, len(self.chatted) + 5, self.reads + 5

        async def done() -> bool:
            return len(self.said) >= mails and len(self.chatted) >= chats and self.reads >= reads

        await eventually(done)

    async def _mail(self) -> None:
        while not self.over.is_set():
            text = f"mail-{len(self.said)}"
            mail = letter(text, text, References="<thread@example.org>")
            for santral in self.mails:
                try:
                    await asyncio.to_thread(santral.send_mail, mail)
                except (ConnectionError, smtplib.SMTPServerDisconnected, smtplib.SMTPConnectError):
                    continue  # nobody listens there now, or it closes: mail servers try the next
                except smtplib.SMTPResponseException as error:
                    if error.smtp_code != 421:
                        raise
                    continue
                self.said.append(text)
                break
            await asyncio.sleep(0.02)

    async def _read(self) -> None:
        while not self.over.is_set():
            for santral in self.webs:
                with contextlib.suppress(aiohttp.ClientConnectorError):
                    async with santral.desk() as desk:
                        await desk.conversations()
                        self.reads += 1
            await asyncio.sleep(0.02)

    async def _chat(self) -> None:
        token = None
        while not self.over.is_set():
            for santral in self.webs:
                with contextlib.suppress(*CLOSED):
                    visitor = Visitor(santral.url, token)
                    async with visitor.connected() as socket:
                        token = visitor.token
                        while not self.over.is_set() and not socket.closed:
                            text = f"chat-{len(self.chatted)}"
                            frame = await visitor.say(socket, text)
                            assert frame["type"] == "ack", frame
                            self.chatted.append(text)
                            await asyncio.sleep(0.02)


async def test_a_rolling_restart_is_seen_by_nobody(santral: StartSantral) -> None:
    webs = [await santral(only="web") for _ in range(2)]
    mails = [await santral(only="channels") for _ in range(2)]
    customer = Customer(webs, mails)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(customer.run())
        try:
            for one in (*webs, *mails):
                await customer.more()
                await one.stop()
                await customer.more()
                await one.start()
            await customer.more()
        finally:
            customer.over.set()
    async with webs[0].desk() as desk:

        async def all_there() -> bool:
            texts = sorted(str(one["text"]) for messages in (await desk.everything()).values() for one in messages)
            return texts == sorted([*customer.said, *customer.chatted])

        await eventually(all_there)


async def _of_channel(desk: Any, channel: str) -> dict[str, Any] | None:
    return next((one for one in await desk.conversations() if one["channels"] == [channel]), None)


def _pid(santral: Santral) -> int:
    assert santral.process is not None
    return santral.process.pid
