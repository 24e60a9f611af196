"""The bare limits: what aiohttp and aiosmtpd do when a handler validates, commits in groups, and nothing else.

Run as a process of its own: `python -m bench._bare FOLDER HTTP_PORT SMTP_PORT`. It prints `ready` and the database's
address, and ends with its `mongod`, which is started just as Santral starts its own.
"""

from __future__ import annotations

import asyncio
import hmac
import signal
import sys
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as Peer
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.write_concern import WriteConcern

from bench._hook_wire import SLACK_SECRET, TELEGRAM_SECRET
from inbox.store import embedded

BATCH = 128
Document = dict[str, Any]


class Said(msgspec.Struct, tag_field="type", tag="message"):
    """A chat message, as a visitor's browser sends it."""

    client_id: str
    text: str


class Update(msgspec.Struct):
    """An update of Telegram, as far as a bare hook must know it."""

    update_id: int


class Request(msgspec.Struct):
    """An event of Slack, likewise."""

    event_id: str


decode = msgspec.json.Decoder(Said).decode
decode_update = msgspec.json.Decoder(Update).decode
decode_request = msgspec.json.Decoder(Request).decode
encode = msgspec.json.Encoder().encode


class Committer:
    """Group commit at its barest: the next batch forms while the last is in flight."""

    def __init__(self, collection: AsyncCollection[Document]) -> None:
        self._collection = collection
        self._waiting: list[tuple[Document, asyncio.Future[None]]] = []
        self._flusher: asyncio.Task[None] | None = None

    def commit(self, document: Document) -> asyncio.Future[None]:
        """Done once the document is journaled by a majority."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((document, future))
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush())
        return future

    async def _flush(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            await self._collection.insert_many([document for document, _ in batch], ordered=False)
            for _, future in batch:
                future.set_result(None)
        self._flusher = None


class Chat:
    """The handlers of the two bare chats."""

    def __init__(self, committer: Committer) -> None:
        self._committer = committer

    async def post(self, request: web.Request) -> web.Response:
        """A request a message."""
        return web.Response(body=await self._take(await request.read()), content_type="application/json")

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        """A frame a message."""
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        async for frame in socket:
            await socket.send_str((await self._take(frame.data.encode())).decode())
        return socket

    async def _take(self, body: bytes) -> bytes:
        said = decode(body)
        await self._committer.commit({"_id": said.client_id, "body": body})
        return encode({"type": "ack", "client_id": said.client_id})


class Hooks:
    """The handlers of the two bare hooks."""

    def __init__(self, committer: Committer) -> None:
        self._committer = committer

    async def telegram(self, request: web.Request) -> web.Response:
        """A request an update, of who knows the secret."""
        if not hmac.compare_digest(request.headers["X-Telegram-Bot-Api-Secret-Token"], TELEGRAM_SECRET):
            raise web.HTTPUnauthorized
        body = await request.read()
        await self._committer.commit({"_id": str(decode_update(body).update_id), "body": body})
        return web.Response()

    async def slack(self, request: web.Request) -> web.Response:
        """A request an event, signed."""
        body = await request.read()
        signed = b"v0:%s:%s" % (request.headers["X-Slack-Request-Timestamp"].encode(), body)
        signature = f"v0={hmac.digest(SLACK_SECRET.encode(), signed, 'sha256').hex()}"
        if not hmac.compare_digest(request.headers["X-Slack-Signature"], signature):
            raise web.HTTPUnauthorized
        await self._committer.commit({"_id": decode_request(body).event_id, "body": body})
        return web.Response()


class Mail:
    """The bare mail server's handler."""

    def __init__(self, committer: Committer) -> None:
        self._committer = committer

    async def handle_DATA(self, _server: SMTP, _peer: Peer, envelope: Envelope) -> str:  # noqa: N802
        """A mail a document."""
        document = {"from": envelope.mail_from, "to": envelope.rcpt_tos, "body": envelope.content}
        await self._committer.commit(document)
        return "250 OK"


async def serve(folder: Path, http_port: int, smtp_port: int) -> None:
    """Serves until told to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    owned = await embedded.start(folder)
    try:
        async with AsyncMongoClient[Document](owned.url) as client:
            journaled = WriteConcern(w="majority", j=True)
            chats, hooks, mails = (
                Committer(client["bare"].get_collection(name, write_concern=journaled))
                for name in ("chats", "hooks", "mails")
            )
            runner = await _http(Chat(chats), Hooks(hooks), http_port)
            handler = Mail(mails)
            mail = await loop.create_server(lambda: SMTP(handler, loop=loop), "127.0.0.1", smtp_port)
            print("ready", owned.url, flush=True)
            await stop.wait()
            mail.close()
            await runner.cleanup()
    finally:
        await owned.stop()


async def _http(chat: Chat, hooks: Hooks, port: int) -> web.AppRunner:
    app = web.Application()
    app.add_routes([web.post("/messages", chat.post), web.get("/ws", chat.socket)])
    app.add_routes([web.post("/telegram", hooks.telegram), web.post("/slack", hooks.slack)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
    return runner


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
