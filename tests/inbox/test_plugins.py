"""Plugins installed by pip: what is wrong with one is said, and hurts no other, nor Santral."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from typing import Any

import pytest
from harness import Santral, Visitor, environment, eventually
from plugins import Place

PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "{name}"
version = "1"
[project.entry-points."santral.connectors"]
{entries}
[tool.hatch.build.targets.wheel]
include = ["{package}"]
"""

# Modules called like Santral's own rooms, where they may be: inside the plugin's package.
CONFIG = "GREETING = 'not today'\n"
BASE = """\
import asyncio
from datetime import UTC, datetime
from connectors import Capabilities, Connector, Options, Secrets
from normalizer.outcomes import Draft, Ignored, Person, Raw
from normalizer.schema import Author, External, Message
from pydantic import field_validator
from santral_bad.config import GREETING

class Base(Connector[Options]):
    name = "base"
    identity_kind = "bad"
    options_model = Options
    capabilities = Capabilities()
    events = 1
    async def start(self, context):
        for number in range(self.events):
            at = context.now()
            await context.receive(Raw(key=str(number), body=b"hello", content_type="text/plain", received_at=at))
        context.ready()
        await asyncio.Event().wait()
    def normalize(self, raw):
        message = Message(author=Author(type="customer"), external=External(thread_key="t"), text="hello")
        return [Draft(message=message, customer=Person(kind=self.name, value="ada"), keys=("t",))]
    async def send(self, reply, done):
        return
        yield

class AtStart(Base):
    name = "at-start"
    async def start(self, context):
        raise RuntimeError(GREETING)

class InNormalize(Base):
    name = "in-normalize"
    def normalize(self, raw):
        raise KeyError("a field that nobody sends any more")

class Hangs(Base):
    name = "hangs"
    def normalize(self, raw):
        while True:
            pass

class InSend(Base):
    name = identity_kind = "in-send"
    async def send(self, reply, done):
        raise ValueError("secret-of-the-customer")
        yield

class NeverReturns(Base):
    name = identity_kind = "never-returns"
    async def send(self, reply, done):
        await asyncio.Event().wait()
        yield

class Floods(Base):
    name = "floods"
    events = 3000
    def normalize(self, raw):
        return [Ignored(reason="one of many")]

class Liar(Base):
    name = identity_kind = "liar"
    capabilities = Capabilities(profiles=True, threads=True, edits=True)

class Twin(Base):
    name = "twin"

class GuardedOptions(Options):
    token: Secrets
    @field_validator("token")
    @classmethod
    def _long(cls, token):
        if any(len(one.get_secret_value()) < 16 for one in token):
            raise ValueError("too short; make one with `openssl rand -hex 32`")
        return token

class Guarded(Base):
    name = "guarded"
    options_model = GuardedOptions
"""
BAD = {
    "at-import": "santral_bad.inbox:AtImport",
    "at-start": "santral_bad.base:AtStart",
    "in-normalize": "santral_bad.base:InNormalize",
    "hangs": "santral_bad.base:Hangs",
    "in-send": "santral_bad.base:InSend",
    "never-returns": "santral_bad.base:NeverReturns",
    "floods": "santral_bad.base:Floods",
    "liar": "santral_bad.base:Liar",
    "twin": "santral_bad.base:Twin",
    "guarded": "santral_bad.base:Guarded",
}

AT_IMPORT = "connector \"at-import\" cannot be imported: RuntimeError('no licence')"
NO_PROOF = "it has no proof (an entry point `liar` of the group `santral.proofs`)"


def project(name: str, package: str, entries: dict[str, str]) -> str:
    lines = "\n".join(f'{key} = "{value}"' for key, value in entries.items())
    return PROJECT.format(name=name, package=package, entries=lines)


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A place where two distributions with bad connectors are installed."""
    place = Place(tmp_path_factory.mktemp("bad"))
    place.write(
        **{
            "bad/pyproject.toml": project("santral-bad", "santral_bad/*.py", BAD),
            "bad/santral_bad/__init__.py": "",
            "bad/santral_bad/config.py": CONFIG,
            "bad/santral_bad/inbox.py": "raise RuntimeError('no licence')\n",
            "bad/santral_bad/base.py": BASE,
            "twin/pyproject.toml": project("santral-twin", "santral_twin.py", {"twin": "santral_twin:Twin"}),
            "twin/santral_twin.py": "from santral_bad.base import Twin\n",
        }
    )
    place.install("bad", "twin")
    return place


class Elsewhere(Santral):
    """A Santral that runs in an environment of its own."""

    def __init__(self, place: Place, **options: Any) -> None:
        super().__init__(place.folder / "santral", **options)
        self.place = place

    def begin(self) -> None:
        (self.folder / "santral.yaml").write_text(json.dumps(self.config), "utf-8")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(self.place.bin / "santral"), "run"],
                cwd=self.folder,
                env=environment() | self.place.variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


@pytest.fixture
async def among_bad_ones(bad: Place, mongod_url: str) -> AsyncIterator[Elsewhere]:
    """A Santral with a channel for each bad connector, and a web chat."""
    channels = [{"id": name, "connector": name} for name in BAD if name != "guarded"]
    one = Elsewhere(bad, storage=mongod_url, more=channels)
    try:
        one.begin()
        await one.ready()
        made = await asyncio.to_thread(
            bad.run, "santral", "token", "Ada", "--role", "admin", "-c", str(one.folder / "santral.yaml")
        )
        one.token = made.stdout.splitlines()[-1]
        yield one
        await one.stop(tracebacks=True)  # in order, although a send never returns
    finally:
        one.abandon()


async def test_each_bad_plugin_is_shown_for_what_it_is_and_the_others_go_on(among_bad_ones: Elsewhere) -> None:
    async with among_bad_ones.desk() as desk:

        async def state(channel: str) -> tuple[str, str]:
            items = (await desk.get("/api/v1/channels"))["items"]
            return next((one["state"], one["reason"] or "") for one in items if one["id"] == channel)

        visitor = Visitor(among_bad_ones.url)
        async with visitor.connected() as socket:
            assert (await visitor.say(socket, "hello"))["type"] == "ack"
        assert await state("at-import") == ("failed", AT_IMPORT)
        assert (await state("twin"))[1].startswith('two connectors are called "twin": santral_bad.base:Twin and')
        assert await state("at-start") == ("backing_off", "not today")
        for channel in ("in-normalize", "hangs", "in-send", "never-returns", "floods", "liar", "site", "mail"):
            assert await state(channel) == ("running", ""), channel

        async def failed() -> dict[str, str]:
            found = {one["channel"]: str(one) for one in await desk.all("/api/v1/ingest/failed")}
            return found if {"in-normalize", "hangs"} <= set(found) else {}

        events = await eventually(failed)
        assert "a field that nobody sends any more" in events["in-normalize"]
        assert "TooLongError: to understand it took longer than 4 s" in events["hangs"]
        await replies_to(among_bad_ones, desk)


async def replies_to(santral: Elsewhere, desk: Any) -> None:
    """A send that raises is told and tried again; one that never returns holds up nobody else."""

    async def conversations() -> dict[str, str]:
        found = {channel: one["id"] for one in await desk.conversations() for channel in one["channels"]}
        return found if {"in-send", "never-returns", "site", "liar"} <= set(found) else {}

    ids = await eventually(conversations)
    for channel in ("never-returns", "in-send", "liar"):
        await desk.post(f"/api/v1/conversations/{ids[channel]}/messages", {"text": "hello"})

    async def delivery(channel: str) -> dict[str, Any]:
        found: dict[str, Any] = (await desk.messages(ids[channel]))[-1]["delivery"]
        return found

    async def tried() -> bool:
        return (await delivery("in-send"))["error"] is not None

    await eventually(tried)
    told = await delivery("in-send")
    assert (told["state"], told["error"]["temporary"]) == ("queued", True)
    assert "secret-of-the-customer" not in told["error"]["text"]

    async def hangs() -> bool:
        return bool((await delivery("never-returns"))["state"] == "sending")

    await eventually(hangs)


def test_check_tells_of_plugins_and_shows_no_secret(bad: Place) -> None:
    channel = '{id: one, connector: guarded, token: "Zq7x"}'
    bad.write(**{"santral.yaml": f"channels:\n- {channel}\n- {{id: two, connector: twin}}\n"})
    said = bad.run("santral", "check")
    assert said.returncode == 2
    assert "santral.yaml:2: channels[0].token: too short; make one with" in said.stderr
    assert 'santral.yaml:3: channels[1].connector: two connectors are called "twin"' in said.stderr
    assert "Zq7x" not in said.stderr + said.stdout


def test_the_kit_fails_plugins_that_cannot_be_used_and_says_which_have_no_proof(bad: Place) -> None:
    said = bad.run("santral", "connectors", "--check")
    assert said.returncode == 1, said.stderr
    lines = said.stdout.splitlines()
    assert (
        "at-import: can be proved: FAILED: connector \"at-import\" cannot be imported: RuntimeError('no licence')"
        in lines
    )
    assert any(line.startswith('twin: can be proved: FAILED: two connectors are called "twin"') for line in lines)
    assert (
        "liar: can be proved: not made: it has no proof (an entry point `liar` of the group `santral.proofs`)" in lines
    )
    assert "email: persists before it acknowledges: passed" in lines
    assert "Traceback" not in said.stderr + said.stdout


def test_a_new_connector_passes_untouched_and_may_call_its_modules_as_it_likes(place: Place) -> None:
    made = place.run("santral", "new-connector", "phone-calls")
    assert (made.returncode, made.stderr) == (0, "")
    package = place.folder / "santral-phone-calls" / "src" / "santral_phone_calls"
    for name in ("config", "connectors", "inbox", "normalizer"):
        (package / f"{name}.py").write_text(f"WHO = '{name} of the plugin'\n")
    with (package / "connector.py").open("a") as more:
        more.write("\nfrom santral_phone_calls import config, inbox\nfrom santral_phone_calls.connectors import WHO\n")
    place.install("santral-phone-calls")
    said = place.run("santral", "connectors", "--check")
    assert said.returncode == 0, said.stdout
    assert "phone-calls: persists before it acknowledges: passed" in said.stdout.splitlines()
    assert said.stderr == ""
    tests = place.run("python", "-m", "pytest", "-q", "santral-phone-calls/tests")
    assert tests.returncode == 0, tests.stdout


def test_a_top_level_module_called_like_a_room_is_named(place: Place) -> None:
    """It comes before an editable Santral on Python's path, which then cannot start at all: it says so even then."""
    place.write(
        **{
            "flat/pyproject.toml": project("santral-flat", "config.py", {"flat": "config:Flat"}),
            "flat/config.py": "class Flat: pass\n",
        }
    )
    place.install("flat")
    said = place.run("santral", "connectors", "--check")
    assert said.returncode == 3
    assert (
        f"{place.site / 'config.py'} of the distribution santral-flat is called like Santral's own `config`"
        in said.stderr
    )
    assert "uninstall it, or move it into a package folder of its own" in said.stderr
    assert "Traceback" not in said.stderr
    place.run("pip", "uninstall", "--yes", "--quiet", "santral-flat")
    assert place.run("santral", "connectors").returncode == 0
