"""A client in another language, generated from the document alone, can list, read and answer."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from api_desk import Desk

CLIENT = Path(__file__).parents[2] / "client"


async def run(*command: str | Path) -> str:
    process = await asyncio.create_subprocess_exec(*command, cwd=CLIENT, stdout=asyncio.subprocess.PIPE)
    told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()
    return told.decode()


async def test_a_generated_client_lists_reads_and_answers(desk: Desk, tmp_path: Path) -> None:
    if shutil.which("node") is None or not (CLIENT / "node_modules").exists():
        pytest.skip("needs node, and `npm ci` in tests/client")
    message = await desk.letter("where is my lamp?", subject="The lamp")
    async with desk.http.get("/api/v1/openapi.json") as answer:
        (tmp_path / "openapi.json").write_bytes(await answer.read())
    generator = CLIENT / "node_modules" / ".bin" / "swagger-typescript-api"
    await run(generator, "generate", "-p", tmp_path / "openapi.json", "-o", tmp_path, "-n", "santral.ts", "--js")
    (tmp_path / "package.json").write_text('{"type": "module"}')

    told = json.loads(
        await run("node", "answer.mjs", tmp_path / "santral.js", desk.url, desk.token, message["customer_id"])
    )

    assert (told["subject"], told["refused"]) == ("The lamp", "not-found")
    assert (told["answer"]["direction"], told["answer"]["text"]) == ("outbound", "You wrote: where is my lamp?")
    stored = await desk.get(f"/api/v1/conversations/{message['conversation_id']}/messages")
    assert [item["id"] for item in stored["items"]] == [message["id"], told["answer"]["id"]]
