"""A connector whose platform drops JSON letters; what it cannot read, or not while a seal is there, breaks it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from aiohttp import web

from connectors.base import Capabilities, Connector, Options, Receipt, Reply
from connectors.context import Context
from connectors.errors import PermanentError
from normalizer.outcomes import Draft, Outcome, Person, Raw
from normalizer.schema import Attachment, Author, External, Message


class LetterBoxOptions(Options):
    pass


class LetterBox(Connector[LetterBoxOptions]):
    name = "letterbox"
    identity_kind = "letter"
    options_model = LetterBoxOptions
    capabilities: ClassVar[Capabilities] = Capabilities(
        threads=True, begins=True, recipients=True, subject=True, attachment_limit=1 << 20, text_limit=1000
    )

    @classmethod
    def canonical(cls, value: str) -> str | None:
        return super().canonical(value.strip())

    async def start(self, context: Context) -> None:
        async def drop(request: web.Request, _: str) -> web.Response:
            body = await request.read()
            letter = json.loads(body)
            content_type = "application/json; charset=utf-8"
            received_at = datetime.fromisoformat(letter["at"]) if "at" in letter else context.now()
            received = await context.receive(
                Raw(key=str(letter["id"]), body=body, content_type=content_type, received_at=received_at)
            )
            return web.json_response({"message_id": received.message_id})

        context.mount("hooks", drop)
        await asyncio.Event().wait()

    def normalize(self, raw: Raw) -> Sequence[Outcome]:
        letter = json.loads(raw.body)
        if letter["text"] == "unreadable" or Path(letter.get("seal", "")).is_file():
            raise ValueError("nobody can read this")
        files = letter.get("files", {})
        message = Message(
            author=Author(type="customer", name=letter.get("name")),
            external=External(id=letter["id"], thread_key=letter["thread"]),
            text=letter["text"],
            subject=letter.get("subject"),
            attachments=tuple(
                Attachment(id="", filename=name, content_type=file["type"], size=len(base64.b64decode(file["data"])))
                for name, file in files.items()
            ),
        )
        return [
            Draft(
                message=message,
                customer=Person(kind="letter", value=letter["from"], name=letter.get("name")),
                keys=(letter["thread"], *letter.get("refers", ())),
                reopens=not letter.get("automatic"),
                files=tuple(base64.b64decode(file["data"]) for file in files.values()),
            )
        ]

    async def send(self, reply: Reply, done: Sequence[Receipt]) -> AsyncIterator[Receipt]:
        if reply.message.text == "undeliverable":
            raise PermanentError("the post office is closed")
        yield Receipt(external_id=reply.message.id)
