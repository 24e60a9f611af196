"""Folders as people have them: moved, deep, oddly named, full, read-only, or no folder at all."""

from __future__ import annotations

import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from inbox.store.embedded import EmbeddedDatabase, EmbeddedDatabaseError, attach, start

IN_A_NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")


def in_namespace(mount: str) -> tuple[str, ...]:
    """A command before which `mount` is done for it alone; a plain chmod means nothing to root."""
    return (*IN_A_NAMESPACE, "sh", "-c", f'{mount} && exec "$@"', "sh")


needs_namespaces = pytest.mark.skipif(
    shutil.which("unshare") is None
    or subprocess.run(
        [*IN_A_NAMESPACE, "mount", "-t", "tmpfs", "none", "/mnt"], check=False, capture_output=True
    ).returncode
    != 0,
    reason="this kernel gives no mount namespaces to its users",
)


async def count_after_writing(database: EmbeddedDatabase) -> int:
    """Writes into it in a transaction, and counts what stands there."""
    async with AsyncMongoClient[dict[str, Any]](database.url) as client:
        async with client.start_session() as session, await session.start_transaction():
            await client.test.numbers.insert_one({}, session=session)
        return await client.test.numbers.count_documents({})


async def test_a_moved_folder_runs_where_it_is_now(lab: Any, tmp_path: Path) -> None:
    here = await start(tmp_path / "here")
    assert await count_after_writing(here) == 1
    await here.stop()
    (tmp_path / "here").rename(tmp_path / "there")
    there = await start(tmp_path / "there")
    assert await count_after_writing(there) == 2
    await lab.drop(there)


@pytest.mark.parametrize("name", ["Gelen Kutusu/İstanbul %50+x@y", "a:b"])
async def test_a_folder_may_be_named_as_one_likes(lab: Any, tmp_path: Path, name: str) -> None:
    database = await start(tmp_path / name)
    assert await count_after_writing(database) == 1
    await lab.drop(database)


async def test_a_long_path_has_its_socket_in_a_private_temporary_folder(lab: Any, tmp_path: Path) -> None:
    lab.folder = tmp_path / ("long" * 20) / ("path" * 20)
    owner = lab.own()
    url = owner.says("url")["url"]
    socket_folder = Path(lab.recorded()["socket"]).parent
    assert stat.S_IMODE(socket_folder.stat().st_mode) == 0o700
    assert attach(lab.folder) == url
    owner.kill()

    database = await start(lab.folder)
    assert database.url == url, "the folder of an owner that was killed is used again"
    await lab.drop(database)
    assert not socket_folder.exists()


async def test_what_others_left_there_is_no_obstacle(lab: Any) -> None:
    (lab.folder / "run").mkdir(parents=True)
    (lab.folder / "run").chmod(0o777)
    (lab.folder / "run" / "mongod.sock").touch()
    (lab.folder / "santral.json").write_bytes(b'{"mongod": \xff')
    database = await start(lab.folder)
    assert stat.S_IMODE((lab.folder / "run").stat().st_mode) == 0o700
    assert await count_after_writing(database) == 1
    await lab.drop(database)


async def test_a_socket_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "run").symlink_to(tmp_path)
    with pytest.raises(EmbeddedDatabaseError, match="remove it"):
        await start(tmp_path / "data")


@pytest.mark.parametrize("below", ["", "deeper"])
async def test_a_file_is_no_folder(tmp_path: Path, below: str) -> None:
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(EmbeddedDatabaseError, match=r"is not a folder.*storage\.data_dir") as caught:
        await start(tmp_path / "data" / below)
    assert str(tmp_path / "data") in str(caught.value)


@needs_namespaces
@pytest.mark.parametrize(
    ("mount", "why"),
    [
        ("mount --bind {0} {0} && mount -o remount,ro,bind {0}", "Read-only file system"),
        ("mount -t tmpfs -o size=4k none {0} && head -c 4096 /dev/zero > {0}/ballast", "No space left on device"),
        ("mount -t tmpfs -o size=20m none {0}", "only 19 MB left"),
    ],
    ids=["read-only", "full", "nearly full"],
)
async def test_a_folder_that_cannot_be_written(lab: Any, mount: str, why: str) -> None:
    lab.folder.mkdir()
    said = lab.own(before=in_namespace(mount.format(lab.folder))).says("error")
    assert why in said["error"]
    assert str(lab.folder) in said["error"]
    assert "\n" not in said["error"]
