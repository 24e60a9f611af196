"""The command line, as an admin meets it: what it says, what it ends with, and how it stops."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import zipfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from harness import PATIENCE, Santral, Visitor, command, eventually, free_port, letter

from inbox.sign_in import SignIn, WrongPasswordError
from inbox.staff import Agent
from inbox.store import JournalEntry, Store

StartSantral = Callable[..., Awaitable[Santral]]

CONFIG, START = 2, 3  # what it ends with where the file is wrong, and where something outside is


def written(folder: Path, text: str | dict[str, Any]) -> Path:
    (folder / "santral.yaml").write_text(text if isinstance(text, str) else json.dumps(text), "utf-8")
    return folder


async def is_ending(one: Santral) -> None:
    """Returns when it has heard of a signal: then it lets in nobody new."""

    async def is_closed() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", one.port)) != 0

    await eventually(is_closed)


CHAT = {"id": "site", "connector": "webchat"}


def test_check_says_every_mistake_at_once_with_its_line(tmp_path: Path) -> None:
    text = """\
server: {port: 80800}
channels:
  - id: support-mail
    connector: emial
    address: support@example.com
  - id: site
    connector: webchat
    orgins: []
"""
    said = command("check", folder=written(tmp_path, text))
    assert said.returncode == CONFIG
    assert said.stdout == ""
    lines = said.stderr.splitlines()
    assert any(line.startswith("santral.yaml:1: server.port") for line in lines)
    assert any("santral.yaml:4: channels[0].connector" in line and 'did you mean "email"?' in line for line in lines)
    assert any("santral.yaml:8: channels[1].orgins" in line and 'did you mean "origins"?' in line for line in lines)
    assert "Traceback" not in said.stderr


def test_check_of_a_good_file_says_so(tmp_path: Path) -> None:
    said = command("check", "-c", "santral.yaml", folder=written(tmp_path, {"channels": [CHAT]}))
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.splitlines() == ["site: webchat", "santral.yaml: no mistakes"]


@pytest.mark.parametrize("verb", ["check", "run", "token", "replay", "migrate"])
def test_a_file_that_is_not_there_is_one_sentence(verb: str, tmp_path: Path) -> None:
    words = [verb, "Ada"] if verb == "token" else [verb]
    said = command(*words, "-c", "nothing.yaml", folder=tmp_path)
    assert said.returncode == CONFIG
    assert "nothing.yaml" in said.stderr
    assert "Traceback" not in said.stderr


def test_run_refuses_a_broken_file_before_anything_starts(tmp_path: Path) -> None:
    said = command("run", folder=written(tmp_path, "channels: [\n"))
    assert said.returncode == CONFIG
    assert said.stderr.startswith("santral.yaml:")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["santral.yaml"]


def test_the_schema_is_valid_json_schema(tmp_path: Path) -> None:
    said = command("schema", folder=tmp_path)
    assert said.returncode == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(said.stdout))


def test_the_connectors_are_listed(tmp_path: Path) -> None:
    said = command("connectors", folder=tmp_path)
    assert said.returncode == 0
    names = [line.partition(":")[0] for line in said.stdout.splitlines()]
    assert {"email", "webchat"} <= set(names)
    assert "cannot be imported" not in said.stdout


def test_the_version_and_the_help_are_told(tmp_path: Path) -> None:
    assert "0.1.0" in command("--version", folder=tmp_path).stdout
    help_ = command("--help", folder=tmp_path).stdout
    assert all(word in help_ for word in ("run", "check", "token", "connectors", "replay", "migrate", "schema"))
    assert command("nonsense", folder=tmp_path).returncode == 2


@pytest.mark.parametrize("url", ["mongodb://127.0.0.1:{port}/", "mongodb://127.0.0.1:{port}/?replicaSet=rs0"])
def test_a_database_out_of_reach_is_one_sentence(url: str, tmp_path: Path) -> None:
    config = {"storage": {"url": url.format(port=free_port())}, "channels": [CHAT]}
    said = command("run", folder=written(tmp_path, config))
    assert (said.returncode, said.stdout) == (START, "")
    assert said.stderr.startswith("storage.url: no MongoDB answers there")
    assert len(said.stderr.splitlines()) == 1


def test_a_port_in_use_is_one_sentence(tmp_path: Path, mongod_url: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        config = {"storage": {"url": mongod_url}, "server": {"port": taken.getsockname()[1]}, "channels": [CHAT]}
        said = command("run", folder=written(tmp_path, config))
    assert said.returncode == START
    assert f"server.port: cannot listen on 127.0.0.1:{config['server']['port']}" in said.stderr  # type: ignore[index]
    assert "choose another port" in said.stderr
    assert "Traceback" not in said.stderr


async def test_a_port_of_a_channel_in_use_makes_that_channel_ill_and_no_other(santral: StartSantral) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        one = await santral(wait=False, more=[])
        one.kill()
        one.config["channels"][0]["receive"]["smtp"]["port"] = taken.getsockname()[1]
        one.log.unlink()
        await one.start()
        async with one.desk() as desk:
            states = {item["id"]: item for item in (await desk.get("/api/v1/channels"))["items"]}
        assert states["mail"]["state"] == "backing_off"
        assert "cannot listen for mail on 127.0.0.1" in states["mail"]["reason"]
        assert states["site"]["state"] == "running"
    await one.stop()


async def test_a_connector_that_is_not_installed_stops_its_channel_alone(santral: StartSantral) -> None:
    one = await santral(more=[{"id": "tg", "connector": "pigeon-post", "token": "secret-token"}])
    async with one.desk() as desk:
        states = {item["id"]: item for item in (await desk.get("/api/v1/channels"))["items"]}
        assert (states["tg"]["state"], states["tg"]["connector"]) == ("failed", "pigeon-post")
        assert 'no connector "pigeon-post" is installed' in states["tg"]["reason"]
        assert {states["mail"]["state"], states["site"]["state"]} == {"running"}
        async with desk.http.get("/readyz") as answer:
            assert (answer.status, [item["id"] for item in (await answer.json())["channels"]]) == (200, ["tg"])
    await asyncio.to_thread(one.send_mail, letter(1))
    visitor = Visitor(one.url)
    async with visitor.connected() as socket_:
        assert (await visitor.say(socket_, "hi"))["type"] == "ack"
    assert "secret-token" not in one.said()


async def test_commands_work_while_it_runs_and_a_second_run_is_refused(tmp_path: Path) -> None:
    one = Santral(tmp_path / "own")
    try:
        await one.start()  # asks for a token by `santral token` on the running embedded database
        async with one.desk() as desk:
            assert await desk.conversations() == []
        second = await asyncio.to_thread(command, "run", folder=one.folder)
        assert second.returncode == START
        assert "Another Santral" in second.stderr
        assert "Traceback" not in second.stderr
        assert one.process is not None
        again = await asyncio.to_thread(command, "token", "Bob", "--role", "supervisor", folder=one.folder)
        assert again.stdout.splitlines()[-1].startswith("santral_")
        replayed = await asyncio.to_thread(command, "replay", folder=one.folder)
        assert (replayed.returncode, replayed.stdout) == (0, "0 events will be applied again\n")
        assert (await one.stop()) < 10
        after = await asyncio.to_thread(command, "token", "Eve", folder=one.folder)
        assert after.stdout.splitlines()[-1].startswith("santral_")
    finally:
        one.abandon()


async def test_a_token_is_whom_it_was_made_for(tmp_path: Path, mongod_url: str, store: Store) -> None:
    folder = written(tmp_path, {"storage": {"url": mongod_url}})
    made = await asyncio.to_thread(command, "token", "Ada", "--role", "supervisor", folder=folder)
    token = made.stdout.splitlines()[-1]
    made_for = await store.staff.token(token, datetime.now(UTC))
    assert made_for is not None
    assert (made_for.name, made_for.role, made_for.expires_at) == ("Ada", "supervisor", None)
    assert await store.staff.token(token + "x", datetime.now(UTC)) is None
    wrong = await asyncio.to_thread(command, "token", "Ada", "--role", "emperor", folder=folder)
    assert wrong.returncode == 2


async def test_an_agent_is_made_and_given_a_new_password(tmp_path: Path, mongod_url: str, store: Store) -> None:
    folder = written(tmp_path, {"storage": {"url": mongod_url}})
    made = await asyncio.to_thread(command, "agent", "add", "Ada@Example.com", "--role", "admin", folder=folder)
    again = await asyncio.to_thread(command, "agent", "password", "ada@example.com", folder=folder)
    passwords = [one.stdout.splitlines()[-1] for one in (made, again)]
    sign_in = SignIn(store)

    async def signed_in(password: str) -> Agent:
        done = await sign_in.sign_in("ada@example.com", password, address="", browser="", device=None)
        return done.agent

    with pytest.raises(WrongPasswordError):
        await signed_in(passwords[0])
    ada = await signed_in(passwords[1])
    assert (ada.email, ada.name, ada.role) == ("ada@example.com", "Ada", "admin")
    for words, told in (
        (("add", "ada@example.com"), "another agent signs in with it"),
        (("add", "ada"), "must be a mail address"),
        (("password", "eve@example.com"), "nobody signs in with it"),
    ):
        refused = await asyncio.to_thread(command, "agent", *words, folder=folder)
        assert (refused.returncode, refused.stderr) == (2, f"{words[1]}: {told}\n")


async def test_replay_gives_failed_events_to_whoever_runs(santral: StartSantral, store: Store) -> None:
    one = await santral()
    lost = JournalEntry(
        id="site|lost",
        channel="site",
        connector="webchat",
        message_id="lost",
        content_type="application/json",
        envelope={"visitor": "v1"},
        size=0,
        body=b'{"type":"message","client_id":"c1","text":"found again"}',
        received_at=datetime.now(UTC),
        state="failed",
        owner="somebody before",
        error="it was not understood",
    )
    await store.journal.add([lost])
    async with one.desk() as desk:
        assert [item["id"] for item in await desk.all("/api/v1/ingest/failed")] == ["site|lost"]
        said = await asyncio.to_thread(command, "replay", "site|lost", "site|unheard-of", folder=one.folder)
        assert said.stdout == "1 events will be applied again\n"

        async def applied() -> list[dict[str, Any]]:
            return await desk.conversations()

        (conversation,) = await eventually(applied)
        assert conversation["last_message"]["text"] == "found again"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_in_order_though_everybody_is_still_there(
    number: signal.Signals, santral: StartSantral
) -> None:
    one = await santral()
    visitor = Visitor(one.url)
    async with visitor.connected() as socket_, one.desk() as desk, desk.http.ws_connect("/api/v1/stream"):
        await visitor.say(socket_, "before")
        one.kill(number)
        assert one.process is not None
        assert await asyncio.to_thread(one.process.wait, PATIENCE) == 0
    assert "Traceback" not in one.said()
    assert "never retrieved" not in one.said()


async def test_a_mail_that_is_on_its_way_is_taken_before_it_ends(santral: StartSantral, store: Store) -> None:
    one = await santral()
    assert one.process is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", one.smtp_port)
    await reader.readline()
    writer.write(b"EHLO x\r\nMAIL FROM:<a@x.org>\r\nRCPT TO:<support@example.com>\r\nDATA\r\n")
    while not (await asyncio.wait_for(reader.readline(), PATIENCE)).startswith(b"354"):
        pass
    writer.write(b"Subject: half")
    await writer.drain()
    one.kill(signal.SIGTERM)
    await is_ending(one)
    writer.write(b" a mail\r\n\r\nHere is the rest.\r\n.\r\n")
    assert (await asyncio.wait_for(reader.readline(), PATIENCE)).startswith(b"250")
    writer.close()
    assert await asyncio.to_thread(one.process.wait, PATIENCE) == 0
    assert "Traceback" not in one.said()
    again = await santral()
    async with again.desk() as desk:
        (conversation,) = await eventually(desk.conversations)
    assert conversation["subject"] == "half a mail"


async def test_the_second_signal_ends_it_at_once(santral: StartSantral) -> None:
    one = await santral()
    assert one.process is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", one.smtp_port)
    await reader.readline()
    writer.write(b"EHLO x\r\nMAIL FROM:<a@x.org>\r\nRCPT TO:<support@example.com>\r\nDATA\r\n")
    while not (await asyncio.wait_for(reader.readline(), PATIENCE)).startswith(b"354"):
        pass  # then it is in the middle of a mail, for which a first signal waits
    one.kill(signal.SIGTERM)
    await is_ending(one)  # two signals that wait to be heard are one
    assert one.process.poll() is None
    one.kill(signal.SIGTERM)
    assert await asyncio.to_thread(one.process.wait, PATIENCE) == 128 + signal.SIGTERM
    writer.close()


async def test_without_a_file_it_shows_what_to_paste(tmp_path: Path) -> None:
    said = await asyncio.to_thread(command, "check", folder=tmp_path)
    assert said.returncode == 0
    assert [line.partition(":")[0] for line in said.stdout.splitlines()[:-1]] == ["mail", "site"]


async def test_a_customer_is_exported_and_erased_while_it_runs(santral: StartSantral, tmp_path: Path) -> None:
    one = await santral()
    await asyncio.to_thread(one.send_mail, letter(1))
    async with one.desk() as desk:
        (conversation,) = await eventually(desk.conversations)
        customer = conversation["customer"]["id"]
        archive = tmp_path / "ada.zip"
        done = await asyncio.to_thread(command, "export", customer, "--to", str(archive), folder=one.folder)
        assert (done.returncode, done.stdout) == (0, f"{archive} is written\n")
        assert "originals/" in str(zipfile.ZipFile(archive).namelist())
        asked = await asyncio.to_thread(command, "erase", customer, folder=one.folder)
        assert asked.returncode == 1  # nobody said yes
        done = await asyncio.to_thread(command, "erase", customer, "--yes", folder=one.folder)
        assert done.stdout.startswith("erased: 1 conversations, 1 messages")
        assert await desk.conversations() == []
        calls = {item["call"] for item in (await desk.get("/api/v1/audit", customer=customer))["items"]}
        assert {"santral export", "santral erase"} <= calls
    for words in (("export", "nobody"), ("erase", "nobody", "--yes")):
        refused = await asyncio.to_thread(command, *words, folder=one.folder)
        assert refused.returncode == 2
        assert "there is no customer with this id" in refused.stderr
