"""The guide to a client of one's own, carried out: its program answers what it should, once."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path
from typing import Any

from harness import PATIENCE, eventually, letter

GUIDE = Path(__file__).parents[2] / "docs" / "guide-client.md"


def program() -> str:
    found = re.search(r"<!-- file: hours.py -->\n```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def test_it_is_about_forty_lines() -> None:
    assert len([line for line in program().splitlines() if line.strip()]) <= 42


async def test_the_program_answers_what_it_should_and_once(santral: Any, tmp_path: Path) -> None:
    one = await santral()
    (tmp_path / "hours.py").write_text(program(), "utf-8")
    environment = {**os.environ, "URL": one.url, "TOKEN": one.token}

    async def start() -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "hours.py", cwd=tmp_path, env=environment, stdout=asyncio.subprocess.PIPE
        )

    await asyncio.to_thread(one.send_mail, letter(1, "When do you open?"))
    async with one.desk() as desk:

        async def answered(count: int) -> list[str]:
            texts = []
            for conversation in await desk.conversations():
                path = f"/api/v1/conversations/{conversation['id']}/messages"
                texts += [item["text"] for item in (await desk.get(path))["items"] if item["direction"] == "outbound"]
            return texts if len(texts) == count else []

        await eventually(desk.conversations)
        running = await start()
        try:
            await eventually(lambda: answered(1))  # what was there before it
            await asyncio.to_thread(one.send_mail, letter(2, "Are you open on Sunday?", sender="bob@example.org"))
            await eventually(lambda: answered(2))  # what came while it listened
            running.kill()
            await running.wait()
            running = await start()
            await asyncio.to_thread(one.send_mail, letter(3, "My lamp is broken", sender="eve@example.org"))
            assert running.stdout is not None
            told = b""
            async with asyncio.timeout(PATIENCE):
                while b"My lamp is broken" not in told:
                    told += await running.stdout.readline()
            assert len(await answered(2)) == 2  # nothing was said twice
        finally:
            running.kill()
            await running.wait()
