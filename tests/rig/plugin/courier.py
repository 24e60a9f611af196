"""An outsider's connector: signed hooks come in, each line of a reply leaves as a piece of its own.

Its platform knows no idempotent send: what comes twice is shown twice, so a doubt must be told as `unknown`.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncGenerator, Sequence
from typing import ClassVar, Literal

from aiohttp import web
from pydantic import SecretStr

from connectors import (
    Capabilities,
    Connector,
    Context,
    Options,
    Receipt,
    Reply,
    UnavailableError,
    calling,
)
from normalizer.outcomes import Draft, Outcome, Person, Raw
from normalizer.schema import Attachment, Author, External, Message

SIGNATURE = "X-Courier-Signature"
PATIENCE = 8.0  # seconds


def signature(secret: str, body: bytes) -> str:
    """What the platform writes into the header `SIGNATURE`."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class CourierOptions(Options):
    url: str
    secret: SecretStr


class Courier(Connector[CourierOptions]):
    name = "courier"
    identity_kind = "courier"
    options_model = CourierOptions
    capabilities: ClassVar[Capabilities] = Capabilities(threads=True)

    @property
    def part(self) -> Literal["web", "channels"]:
        return "web"

    async def start(self, context: Context) -> None:
        async def hook(request: web.Request, _: str) -> web.Response:
            body = await request.read()
            made = signature(self.options.secret.get_secret_value(), body)
            if not hmac.compare_digest(made, request.headers.get(SIGNATURE, "")):
                return web.Response(status=401)
            event = json.loads(body)
            raw = Raw(
                key=str(event["id"]),
                body=body,
                content_type="application/json",
                received_at=context.now(),
                sender=str(event["from"]),
            )
            try:
                received = await context.receive(raw)
            except UnavailableError:
                return web.Response(status=503, headers={"Retry-After": "1"})
            return web.json_response({"message_id": received.message_id})

        context.mount("hooks", hook)
        await asyncio.Event().wait()

    def normalize(self, raw: Raw) -> Sequence[Outcome]:
        event = json.loads(raw.body)
        files = {name: base64.b64decode(content) for name, content in event["files"].items()}
        message = Message(
            author=Author(type="customer", name=event["from"]),
            external=External(id=event["id"], thread_key=event["thread"]),
            text=event["text"],
            attachments=tuple(
                Attachment(
                    id="",
                    filename=name,
                    content_type="application/octet-stream",
                    size=len(content),
                    sha256=hashlib.sha256(content).hexdigest(),
                )
                for name, content in files.items()
            ),
        )
        person = Person(kind="courier", value=event["from"], name=event["from"])
        return [Draft(message=message, customer=person, keys=(event["thread"],), files=tuple(files.values()))]

    async def send(self, reply: Reply, done: Sequence[Receipt]) -> AsyncGenerator[Receipt, None]:
        finished = {receipt.piece for receipt in done}
        for number, line in enumerate(reply.message.text.splitlines()):
            if str(number) not in finished:
                piece = {"message": reply.message.id, "piece": number, "text": line}
                async with (
                    calling("the courier", seconds=PATIENCE) as http,
                    http.post(self.options.url, json=piece) as answer,
                ):
                    id_ = str((await answer.json())["id"])
                yield Receipt(external_id=id_, piece=str(number))
