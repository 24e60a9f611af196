"""Whatever dies: what was acknowledged is there, clients go on, and no process is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from harness import PATIENCE
from pymongo import AsyncMongoClient

from inbox.store.embedded import EmbeddedDatabase, NotRunningError, attach, start
from inbox.store.embedded.mongod_process import LOG_LIMIT, find_mongod


def put_on_path(folder: Path, script: str) -> str:
    """A `mongod` of the test's own; returns the PATH that finds it first."""
    folder.mkdir()
    (folder / "mongod").write_text(f"#!{sys.executable}\n{script}")
    (folder / "mongod").chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@pytest.fixture
def immortal(tmp_path: Path) -> str:
    """PATH to a `mongod` that the death of its owner does not reach."""
    script = "import ctypes, os, sys\nctypes.CDLL(None).prctl(1, 0)\n"
    return put_on_path(tmp_path / "bin", f"{script}os.execv({str(find_mongod())!r}, sys.argv)\n")


async def test_mongod_that_was_killed_is_started_again_and_clients_go_on(lab: Any) -> None:
    said = lab.own(lab.folder, "uvloop").says("url")
    async with lab.writing(said["url"]) as acknowledged:
        os.kill(said["pid"], signal.SIGKILL)
        lab.wait_gone(said["pid"])
        before = len(acknowledged)
        await lab.until(lambda: len(acknowledged) > before + 20)
    assert lab.recorded()["mongod"]["pid"] != said["pid"]
    assert await lab.stored(said["url"]) >= set(acknowledged)
    assert attach(lab.folder) == said["url"]


async def test_mongod_dies_with_santral_and_the_data_is_whole(lab: Any) -> None:
    owner = lab.own()
    said = owner.says("url")
    async with lab.writing(said["url"]) as acknowledged:
        owner.kill()
        lab.wait_gone(said["pid"])
    with pytest.raises(NotRunningError):
        attach(lab.folder)
    again = await start(lab.folder)
    try:
        assert await lab.stored(again.url) >= set(acknowledged)
    finally:
        await lab.drop(again)


async def test_killed_while_it_starts_it_leaves_nothing_in_the_way(lab: Any) -> None:
    owner = lab.own()
    await lab.until((lab.folder / "santral.json").exists)
    with pytest.raises(NotRunningError, match="still starting"):
        attach(lab.folder)
    owner.kill()
    lab.wait_gone(lab.recorded()["mongod"]["pid"])
    assert "url" in lab.own().says("url", "error")


async def test_an_orphan_is_ended_by_the_next_owner(lab: Any, immortal: str) -> None:
    first = lab.own(PATH=immortal)
    said = first.says("url")
    async with lab.writing(said["url"]) as acknowledged:
        first.kill()
    assert lab.lives(said["pid"])
    again = await start(lab.folder)
    try:
        assert not lab.lives(said["pid"])
        assert await lab.stored(again.url) >= set(acknowledged)
    finally:
        await lab.drop(again)


async def test_a_stranger_who_got_the_pid_is_left_alone(lab: Any) -> None:
    owner = lab.own()
    owner.says("url")
    owner.kill()
    lab.wait_gone(lab.recorded()["mongod"]["pid"])
    with subprocess.Popen(["sleep", "60"], cwd=lab.folder) as stranger:
        lab.record(mongod=lab.recorded()["mongod"] | {"pid": stranger.pid})
        again = await start(lab.folder)
        try:
            assert stranger.poll() is None
        finally:
            stranger.kill()
            await lab.drop(again)


async def test_a_copy_of_the_folder_leaves_the_original_alone(lab: Any, database: EmbeddedDatabase) -> None:
    copy = lab.folder.with_name("copy")
    copy.mkdir()
    (copy / "santral.json").write_bytes((lab.folder / "santral.json").read_bytes())
    with pytest.raises(NotRunningError):
        attach(copy)
    pid = database.pid
    other = await start(copy)
    try:
        assert other.url != database.url
        async with AsyncMongoClient(database.url) as client:
            await client.test.a.insert_one({})
        assert database.pid == pid
    finally:
        await lab.drop(other)


async def test_a_stolen_socket_is_taken_back(lab: Any, database: EmbeddedDatabase, tmp_path: Path) -> None:
    socket_path = Path(lab.recorded()["socket"])
    inode, stolen = socket_path.stat().st_ino, database.pid
    (tmp_path / "thief").mkdir()
    command = [find_mongod(), "--dbpath", tmp_path / "thief", "--bind_ip", socket_path, "--nounixsocket"]
    async with lab.writing(database.url) as acknowledged:
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as thief:
            try:
                await lab.until(lambda: not socket_path.exists() or socket_path.stat().st_ino != inode)
                before = len(acknowledged)
                await lab.until(lambda: lab.recorded()["mongod"]["pid"] != stolen and lab.recorded()["ready"])
                await lab.until(lambda: len(acknowledged) > before + 20)
            finally:
                thief.kill()
    assert await lab.stored(database.url) >= set(acknowledged)


async def test_ctrl_c_reaches_santral_alone_which_can_still_write(lab: Any) -> None:
    owner = lab.own()
    said = owner.says("url")
    os.killpg(owner.process.pid, signal.SIGINT)
    # It stopped on that SIGINT, and the database was there for its last write.
    assert owner.says("drained") == {"drained": 1, "pid": said["pid"]}
    owner.says("stopped")
    assert not lab.lives(said["pid"])


async def test_after_quick_deaths_it_gives_up_and_says_why(lab: Any, database: EmbeddedDatabase) -> None:
    async def murder() -> None:
        while not database.failed.done():
            victim = lab.recorded()["mongod"]["pid"]
            if lab.lives(victim):
                os.kill(victim, signal.SIGKILL)
            await asyncio.sleep(0.05)

    murderer = asyncio.create_task(murder())
    reason = await asyncio.wait_for(database.failed, PATIENCE)
    await murderer
    assert "died 5 times" in reason
    assert "SIGKILL" in reason
    assert str(lab.folder / "mongod.log") in reason


async def test_a_binary_that_cannot_run_is_told_with_its_own_words(
    lab: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "mongod: error while loading shared libraries: libssl.so.3"
    monkeypatch.setenv("PATH", put_on_path(tmp_path / "bin", f"import sys; sys.exit({words!r})"))
    with pytest.raises(Exception, match=r"libssl\.so\.3") as caught:
        await start(lab.folder)
    assert str(lab.folder) in str(caught.value)
    monkeypatch.undo()
    await lab.drop(await start(lab.folder))  # the failure holds nothing


async def test_the_log_stays_bounded(lab: Any, database: EmbeddedDatabase) -> None:
    log = lab.folder / "mongod.log"
    with log.open("a") as grown:
        grown.write("x" * LOG_LIMIT)
    await lab.until(lambda: log.exists() and log.stat().st_size < LOG_LIMIT)
    async with AsyncMongoClient(database.url) as client:
        await client.test.a.insert_one({})
        await client.admin.command("logRotate")
    assert sorted(path.name for path in lab.folder.glob("mongod.log*")) == ["mongod.log", "mongod.log.1"]
