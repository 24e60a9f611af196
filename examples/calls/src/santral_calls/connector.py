"""A log of phone calls: calls and call-back requests come by a signed hook; a reply becomes a call-back to place."""

from __future__ import annotations

import asyncio
import hmac
import re
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from aiohttp import web
from pydantic import Field, field_validator

from connectors import Capabilities, Connector, Context, Options, Receipt, Reply, Secrets, calling
from normalizer.outcomes import ConversationEvent, Draft, Ignored, Outcome, Person, Raw
from normalizer.schema import Author, External, Message, Part

OLD_SECONDS = 300
PHONE = r"^\+[1-9][0-9]{6,14}\Z"


class CallsOptions(Options):
    """What an admin writes under `connector: calls`."""

    secret: Secrets = Field(description="signs the hook's bodies (HMAC-SHA256); a list (new, old) while it changes")
    api_url: str = Field(pattern="^https?://", description="root of the phone system's API, which places call-backs")

    @field_validator("secret")
    @classmethod
    def _long_enough(cls, secret: Secrets) -> Secrets:
        if not secret or any(len(one.get_secret_value()) < 32 for one in secret):
            raise ValueError("needs 32 characters or more; make one with `openssl rand -hex 32`")
        return secret


class Event(msgspec.Struct):
    """What the phone system tells: somebody called, or asks to be called back."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[\w.:-]{1,100}\Z")]
    kind: Literal["call", "call_back"]
    phone: Annotated[str, msgspec.Meta(pattern=PHONE)]
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    seconds: int = 0
    note: str = ""
    name: str | None = None


class CallsConnector(Connector[CallsOptions]):
    """Phone calls and call-back requests, by a signed hook."""

    name = "calls"
    identity_kind = "phone"
    options_model = CallsOptions
    capabilities = Capabilities(begins=True, idempotent_send=True, text_limit=500)

    @property
    def part(self) -> Literal["web"]:
        """It answers HTTP."""
        return "web"

    @classmethod
    def canonical(cls, value: str) -> str | None:
        """A number as `+902120000001`, whatever stands between its digits."""
        number = re.sub(r"[ ()./-]", "", value)
        return number if re.fullmatch(PHONE, number) else None

    async def start(self, context: Context) -> None:
        """Takes hooks until cancelled."""

        async def hook(request: web.Request, _: str) -> web.Response:
            body = await request.read()
            if not self._is_signed(request, body, context.now().timestamp()):
                return web.Response(status=401)
            try:
                event = msgspec.json.decode(body, type=Event)
            except (ValueError, RecursionError) as error:
                return web.Response(status=400, text=str(error))
            key = f"{event.kind}:{event.id}"
            # When `receive` raises, the answer is 503, and the phone system tries again.
            await context.receive(Raw(key=key, body=body, content_type="application/json", received_at=context.now()))
            return web.Response(status=202)

        context.mount("hooks", hook)
        await asyncio.Event().wait()

    def _is_signed(self, request: web.Request, body: bytes, now: float) -> bool:
        stamp, given = (request.headers.get(name, "") for name in ("X-Timestamp", "X-Signature"))
        if not re.fullmatch("[0-9]{1,12}", stamp) or abs(now - int(stamp)) > OLD_SECONDS:
            return False  # an old body may have been heard by others and sent again
        signed = f"{stamp}.".encode() + body
        keys = [one.get_secret_value().encode() for one in self.options.secret]
        good = [hmac.digest(key, signed, "sha256").hex().encode() for key in keys]
        return any(hmac.compare_digest(one, given.encode("utf-8", "surrogateescape")) for one in good)

    def normalize(self, raw: Raw) -> Sequence[Outcome]:
        """A call is an event of the conversation; who asks to be called back has written a message."""
        try:
            event = msgspec.json.decode(raw.body, type=Event)
        except (ValueError, RecursionError):
            return [Ignored(reason="not an event of the phone system")]
        caller = Person(kind="phone", value=event.phone, name=event.name)  # a caller's number proves nothing
        data = {"phone": event.phone, "seconds": event.seconds, "note": event.note}
        if event.kind == "call":
            text = f"Call of {event.seconds} s: {event.note}" if event.note else f"Call of {event.seconds} s"
            part = Part(type="call", text=text, data=data)
            return [ConversationEvent(thread_key=event.phone, part=part, customer=caller, at=event.at)]
        text = f"Please call me back: {event.note}" if event.note else "Please call me back"
        message = Message(
            author=Author(type="customer", name=event.name),
            external=External(id=event.id, thread_key=event.phone),
            text=text,
            parts=(Part(type="call_back", text=text, data=data),),
            sent_at=event.at,
        )
        return [Draft(message=message, customer=caller, keys=(event.phone,))]

    async def send(self, reply: Reply, done: Sequence[Receipt]) -> AsyncGenerator[Receipt, None]:
        """Places a call-back; the reply is the note for whoever makes the call. The same `id` again is the same one."""
        if done:
            return
        order = {"id": reply.message.id, "phone": reply.person.value, "note": reply.message.text}
        url = f"{self.options.api_url}/call-backs"
        async with calling("the phone system") as http, http.post(url, json=order):
            pass
        yield Receipt(external_id=reply.message.id)
