"""A mail server with bad manners."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest


@pytest.fixture
def scripted() -> Callable[..., AbstractAsyncContextManager[int]]:
    """Starts a server that answers each command as told, and hangs up where it is told nothing."""
    return _scripted


@asynccontextmanager
async def _scripted(answers: Mapping[str, str]) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = {"hello": "220 hello", "EHLO": "250 hello", "QUIT": "221 bye", **answers}
        command = "hello"
        while answer := said.get(command):
            writer.write(answer.encode() + b"\r\n")
            if answer.startswith("354"):
                await reader.readuntil(b"\r\n.\r\n")
                command = "."
            else:
                command = (await reader.readline()).decode()[:4].strip()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
