"""A connector that quotes what it was given wherever something goes wrong, as code of a stranger may."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import ClassVar

from aiohttp import web
from pydantic import SecretStr

from connectors.base import Capabilities, Connector, Context, Options, Receipt, Reply
from connectors.errors import PermanentError, TemporaryError
from normalizer.outcomes import DeliveryUpdate, Draft, Ignored, Outcome, Person, Raw
from normalizer.schema import Author, External, Message


class GossipOptions(Options):
    token: SecretStr


class Gossip(Connector[GossipOptions]):
    name = "gossip"
    identity_kind = "gossip"
    options_model = GossipOptions
    capabilities: ClassVar[Capabilities] = Capabilities(threads=True, begins=True, subject=True, text_limit=1000)

    started = 0

    async def start(self, context: Context) -> None:
        Gossip.started += 1
        if Gossip.started == 1:
            raise TemporaryError(f"the token {self.options.token.get_secret_value()} was rejected by the server")

        async def hook(request: web.Request, _: str) -> web.Response:
            body = await request.read()
            event = json.loads(body)
            if event["is"] == "broken":
                raise RuntimeError(f"broken by {body!r}")
            raw = Raw(key=event["key"], body=body, content_type="application/json", received_at=context.now())
            received = await context.receive(raw)
            return web.json_response({"id": received.message_id})

        context.mount("hooks", hook)
        async with context.lease("reader"):
            await asyncio.Event().wait()

    def normalize(self, raw: Raw) -> Sequence[Outcome]:
        event = json.loads(raw.body)
        match event["is"]:
            case "poison":
                raise ValueError(f"cannot make sense of {event['text']} by {event['from']}")
            case "nothing":
                return [Ignored(reason=f"nothing: {event['text']}")]
            case "report":
                return [DeliveryUpdate(state="delivered", message_id=event["of"], at=raw.received_at)]
        return [
            Draft(
                message=Message(
                    author=Author(type="customer"),
                    external=External(id=event["key"], thread_key=event["from"]),
                    text=event["text"],
                    subject=event.get("subject"),
                ),
                customer=Person(kind="gossip", value=event["from"]),
                keys=(event["from"],),
            )
        ]

    async def send(self, reply: Reply, done: Sequence[Receipt]) -> AsyncIterator[Receipt]:
        said = f"{reply.message.text} to {reply.person.value}"
        if "refused" in said:
            raise PermanentError(f"cannot send {said}", code="no-such-person")
        if "crash" in said:
            raise RuntimeError(f"cannot send {said}")
        yield Receipt(external_id=reply.message.id)
